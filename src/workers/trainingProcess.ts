import { makeVersion } from '../activities/makeVersion';
import { ShoalError } from '../domain/errors';
import { Models } from '../serve/models';
import { openStore } from '../store/fileStore';
import { internal, isFault } from './failures';
import type { TrainingMessage, TrainingOrder } from './training';

/** A process that makes one version and ends; it also ends, at once, when its worker does. */

const say = (message: TrainingMessage) => new Promise<void>((resolve) => process.send!(message, () => resolve()));

process.on('disconnect', () => process.exit(1));

process.once('message', (order: TrainingOrder) => {
  void make(order).then(say, (error: unknown) => say(toMessage(error))).then(() => process.exit(0));
});

async function make({ storePath, job }: TrainingOrder): Promise<TrainingMessage> {
  const store = await openStore({ path: storePath });
  const result = await makeVersion(job, {
    store, models: new Models({ store }), now: () => performance.now(), onProgress: (progress) => void say({ type: 'progress', progress }),
  });
  return { type: 'done', result };
}

function toMessage(error: unknown): TrainingMessage {
  const known = isFault(error) ? internal(error) : error;
  if (known instanceof ShoalError) return { type: 'refused', code: known.code, message: known.message, details: known.details };
  return { type: 'crashed', message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}
