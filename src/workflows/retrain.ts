import { ApplicationFailure, condition, getExternalWorkflowHandle, isCancellation, setCurrentDetails, uuid4, workflowInfo } from '@temporalio/workflow';
import { reasonOf, refuse } from './failures';
import { hear } from './hear';
import { RUN_END } from './messageShapes';
import { modelWorkflowId, retrain as askModel, runEnded, type RunEnd, type Trigger } from './messages';

export interface RetrainInput { what: string; /** Those that read others first, so that whoever is told of a version is there to hear it. */ models: string[]; trigger?: Trigger }
export interface RetrainResult { runs: Record<string, { status: RunEnd['status']; reason: string }> }

/**
 * Asks models for a run together, started by a schedule, and waits until each has ended or is held back, so that the schedule knows
 * whether the last one is still under way, and whether it failed.
 */
export async function retrain(input: RetrainInput): Promise<RetrainResult> {
  if (!input?.what || !Array.isArray(input.models) || input.models.length === 0) throw refuse('COMMAND_REFUSED', 'A retraining is told which models to ask: start it by its schedule, `retrain/<model>`.');
  const { what, models, trigger = 'schedule' } = input;
  const runs: RetrainResult['runs'] = {};
  const show = () => setCurrentDetails([`**${what}**`, '', '| model | run | |', '|---|---|---|', ...models.map((m) => `| ${m} | ${runs[m]?.status ?? 'under way'} | ${runs[m]?.reason ?? ''} |`)].join('\n'));
  const batch = uuid4();
  hear(runEnded, RUN_END, ({ model, batches, status, reason }) => {
    if (!batches.includes(batch)) return;
    runs[model] = { status, reason };
    show();
  });
  show();
  const request = { trigger, reason: `it is time to train ${what}`, by: 'shoal', batch, alongside: models, tell: [workflowInfo().workflowId] };
  for (const model of models) {
    try {
      await getExternalWorkflowHandle(modelWorkflowId(model)).signal(askModel, request);
    } catch (error) {
      if (isCancellation(error)) throw error;
      runs[model] = { status: 'failed', reason: `it could not be asked: ${reasonOf(error)}; \`shoal up\` or \`shoal train\` starts it` };
    }
  }
  await condition(() => models.every((model) => runs[model]));
  const failed = models.filter((model) => runs[model]!.status === 'failed');
  if (failed.length > 0) throw ApplicationFailure.nonRetryable(failed.map((model) => `${model}: ${runs[model]!.reason}`).join('; '), 'RUN_FAILED', { runs });
  return { runs };
}
