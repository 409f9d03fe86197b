export { chain } from './chain';
export { lifecycle } from './lifecycle';
export { model } from './model';
export { release } from './release';
