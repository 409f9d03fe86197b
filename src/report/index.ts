export { versionReport } from './versionReport';
export { releaseReport } from './releaseReport';
export type * from './data';
export { plainPage } from './page';
