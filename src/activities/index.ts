import type { RequestLog } from '../data/requestLog';
import type { Hooks } from '../domain/hooks';
import type { Around } from '../domain/around';
import type { EventMeter, StageMeter } from '../observe/metrics';
import type { Store } from '../store/store';
import type { Models } from '../serve/models';
import { createAblate } from './ablate';
import { createCheckServable, type RunServing } from './checkServable';
import { createCheckLabels } from './checkLabels';
import { createAcceptVersion } from './acceptVersion';
import { createCollectGarbage } from './collectGarbage';
import { createCompare } from './compare';
import { createCountNew } from './countNew';
import { createDeliver } from './deliver';
import { createEvaluate } from './evaluate';
import { createEvaluateRelease } from './evaluateRelease';
import { createIngest } from './ingest';
import { createLogFailure } from './logFailure';
import { createLook } from './look';
import { createObserve } from './observe';
import { createPredict } from './predict';
import { createPrepareTraining } from './prepareTraining';
import { createNewestVersion } from './newestVersion';
import { createPublish, type Ledger } from './publish';
import { createReport } from './report';
import { createTrain, type RunTraining } from './train';
import { createValidate } from './validate';

/** What a `train` worker runs: trainings ... */
export const createTrainingActivities = (deps: { store: Store; runTraining: RunTraining }) => createTrain(deps);

/** ... and all other work on data. */
export const createDataActivities = (deps: { store: Store; models: Models; log: RequestLog; runServing: RunServing; now: () => number }) => ({
  ...createIngest(deps),
  ...createCountNew(deps),
  ...createValidate(deps),
  ...createCheckLabels(deps),
  ...createEvaluate(deps),
  ...createEvaluateRelease(deps),
  ...createCompare(deps),
  ...createLook(deps),
  ...createObserve(deps),
  ...createAblate(deps),
  ...createCheckServable(deps),
  ...createPrepareTraining(deps),
  ...createAcceptVersion(deps),
  ...createReport(deps),
});

/** What keeps the store in order, beside the work on data. */
export const createUpkeepActivities = createCollectGarbage;

/** What a `serve` worker runs. */
export const createServingActivities = (deps: { store: Store; models: Models; log: RequestLog; around?: Around; meter?: StageMeter }) => createPredict(deps);

/** What runs beside the workflows: small steps on the store, and the delivery of events. */
export const createControlActivities = (deps: { store: Store; ledger: Ledger; log: RequestLog; hooks?: Hooks; meter?: EventMeter }) =>
  ({ ...createPublish(deps), ...createNewestVersion(deps), ...createLogFailure(deps), ...createDeliver(deps) });

export type DataActivities = ReturnType<typeof createDataActivities>;
export type UpkeepActivities = ReturnType<typeof createUpkeepActivities>;
export type TrainingActivities = ReturnType<typeof createTrainingActivities>;
export type ServingActivities = ReturnType<typeof createServingActivities>;
export type ControlActivities = ReturnType<typeof createControlActivities>;
