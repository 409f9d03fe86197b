export type { ImportOptions } from './importedFile';
export { Shoal, type Batch, type TrainOptions, type LifecycleProgress, type ProjectStatus } from './shoal';
export { findEndpoint, type Endpoint } from './connect';
export type { Report, ReportQuestion } from './reports';
