import { ShoalError } from '../domain/errors';
import { Models } from '../serve/models';
import { tryRelease } from '../serve/tryRelease';
import { openStore } from '../store/fileStore';
import { internal, isFault } from './failures';
import type { ServingMessage, ServingOrder } from './serving';

/** A process that serves one release to a few rows and ends; it also ends, at once, when its worker does. */

const say = (message: ServingMessage) => new Promise<void>((resolve) => process.send!(message, () => resolve()));

process.on('disconnect', () => process.exit(1));

process.once('message', (order: ServingOrder) => {
  void serve(order).then(say, (error: unknown) => say(toMessage(error))).then(() => process.exit(0));
});

async function serve({ storePath, release, rows, limits }: ServingOrder): Promise<ServingMessage> {
  const models = new Models({ store: await openStore({ path: storePath }) });
  const measured = await tryRelease({ release, rows, limits }, {
    models,
    now: () => performance.now(),
    // In kilobytes, on every system.
    peakMb: () => process.resourceUsage().maxRSS / 1024,
    // Waited for: what comes next may keep this thread for good.
    onProgress: (phase, soFar) => say({ type: 'progress', phase, measured: soFar }),
  });
  return { type: 'done', measured };
}

function toMessage(error: unknown): ServingMessage {
  const known = isFault(error) ? internal(error) : error;
  if (known instanceof ShoalError) return { type: 'refused', code: known.code, message: known.message, details: known.details };
  return { type: 'crashed', message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}
