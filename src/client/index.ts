export { Shoal, type Batch, type TrainOptions, type ProjectStatus } from './shoal';
export { findEndpoint, type Endpoint } from './connect';
