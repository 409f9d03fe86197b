import { getExternalWorkflowHandle, proxyActivities, setCurrentDetails, uuid4 } from '@temporalio/workflow';
import type { ControlActivities, DataActivities } from '../activities';
import { callForRun } from '../domain/retrain';
import type { RetrainSpec } from '../domain/retrain';
import type { SourceSpec } from '../domain/spec';
import { refuse } from './failures';
import { modelWorkflowId, retrain } from './messages';

export interface WatchInput { model: string; source: SourceSpec; newData: NonNullable<RetrainSpec['newData']>; dataQueue: string }
export interface WatchResult { model: string; asked: boolean; reason: string }

const control = proxyActivities<ControlActivities>({ startToCloseTimeout: '10 seconds', retry: { initialInterval: '200 milliseconds', maximumInterval: '10 seconds', maximumAttempts: 10 } });

/** One look at a model's source, started by its schedule: asks for a run when enough of its rows are new or changed since its newest version. */
export async function watch(input: WatchInput): Promise<WatchResult> {
  if (!input?.model || !input.source || !input.newData || !input.dataQueue) throw refuse('COMMAND_REFUSED', 'A watch is told its model, source and queue: start it by its schedule, `watch/<model>`.');
  const { model, source, newData } = input;
  const say = (asked: boolean, reason: string): WatchResult => {
    setCurrentDetails(reason);
    return { model, asked, reason };
  };
  const version = await control.newestVersion({ model });
  if (!version) return say(false, `${model} has no version yet.`);
  const data = proxyActivities<DataActivities>({
    taskQueue: input.dataQueue, startToCloseTimeout: '1 hour', heartbeatTimeout: '10 seconds',
    retry: { initialInterval: '1 second', maximumInterval: '30 seconds', maximumAttempts: 5 },
    summary: `look for new rows of ${source.name}`,
  });
  const snapshot = await data.ingest({ source });
  const found = await data.countNew({ snapshot, version });
  const reason = callForRun(found, newData);
  if (!reason) return say(false, found.changed === 0 ? `Nothing is new since version ${version.id}.` : `Only ${found.changed} of ${found.rows} rows are new or changed since version ${version.id}.`);
  await getExternalWorkflowHandle(modelWorkflowId(model)).signal(retrain, {
    trigger: 'newData', reason: `${reason} since version ${version.id}`, by: 'shoal', batch: uuid4(), alongside: [model], data: found.data,
  });
  return say(true, `${reason} since version ${version.id}.`);
}
