import { getExternalWorkflowHandle, isCancellation, log } from '@temporalio/workflow';
import type { HealthChange } from '../domain/health';
import type { MonitoredModel } from '../domain/monitor';
import { announce } from './announce';
import { reasonOf } from './failures';
import { modelWorkflowId, retrain, type ChainDefinition } from './messages';

/** A workflow's id has 1000 bytes: the server refuses a longer one for ever, and many columns may move at once. */
const MAX_SUBJECTS = 200;

/** Tells what changed in a chain's health, and asks the models that it concerns and that want it to be trained anew, together. */
export async function tellHealth(changes: readonly HealthChange[], of: { definition: ChainDefinition; release: number; at: string; models: readonly MonitoredModel[] }): Promise<void> {
  const { definition: { spec: { name: chain }, hooks }, release, at, models } = of;
  for (const { type, reason, subjects, models: concerned } of changes) {
    await announce(hooks, { id: `health/${chain}/${type}/${subjects.join('+').slice(0, MAX_SUBJECTS)}/${at}`, type, chain, release, reason, details: { subjects } });
    if (type === 'recovered') continue;
    const asked = models.filter((model) => concerned.includes(model.name) && (type === 'drift' ? model.drift : model.degradation)).map(({ name }) => name);
    const request = { trigger: type === 'drift' ? 'drift' as const : 'degradation' as const, reason: `${chain}, release ${release}: ${reason}`, by: 'shoal', batch: `monitor/${chain}/${type}/${at}`, alongside: asked };
    for (const model of asked) {
      try {
        await getExternalWorkflowHandle(modelWorkflowId(model)).signal(retrain, request);
      } catch (error) {
        if (isCancellation(error)) throw error;
        log.warn(`${model} could not be asked to retrain`, { error: reasonOf(error) });
      }
    }
  }
}
