export { chain } from './chain';
export { deliver } from './deliver';
export { collectGarbage } from './collectGarbage';
export { lifecycle } from './lifecycle';
export { model } from './model';
export { monitor } from './monitor';
export { release } from './release';
