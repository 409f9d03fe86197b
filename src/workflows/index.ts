export { chain } from './chain';
export { deliver } from './deliver';
export { lifecycle } from './lifecycle';
export { model } from './model';
export { release } from './release';
