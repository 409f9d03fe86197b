import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { ShoalEvent } from '../domain/events';
import { withoutSecrets, type Hooks } from '../domain/hooks';
import type { EventMeter } from '../observe/metrics';
import { beating } from './beating';
import { runHookCommand } from './hookCommand';
import { sendWebhook } from './webhook';

/** A worker that has not read the newest project yet may not know a hook: some forty minutes of attempts. */
const UNKNOWN_ATTEMPTS = 10;
const LONGEST_WAIT_MS = 60 * 60_000;

export const createDeliver = ({ hooks = {}, meter }: { hooks?: Hooks; meter?: EventMeter }) => ({
  /** Tells one hook of an event. What failed may be tried again: the receiver knows an event by its id. */
  deliverEvent: ({ hook: name, event }: { hook: string; event: ShoalEvent }): Promise<{ attempts: number; note: string }> =>
    beating(async () => {
      const { info: { attempt }, cancellationSignal: signal } = Context.current();
      const hook = Object.hasOwn(hooks, name) ? hooks[name] : undefined;
      if (!hook) {
        throw undelivered(`temporal.yaml has no hook "${name}", as this worker read it: it was taken out, or the worker is to be started again.`, { forGood: attempt >= UNKNOWN_ATTEMPTS });
      }
      const reply = await (hook.kind === 'webhook' ? sendWebhook(hook, event, { signal, now: new Date() }) : runHookCommand(hook, event, { signal }));
      meter?.delivered({ hook: name, type: event.type, status: reply.delivered ? 'delivered' : 'failed' });
      if (reply.delivered) return { attempts: attempt, note: reply.note };
      throw undelivered(withoutSecrets(reply.reason, hook), reply);
    }),
});

function undelivered(reason: string, { forGood = false, retryAfterMs }: { forGood?: boolean; retryAfterMs?: number }): ApplicationFailure {
  return ApplicationFailure.create({
    message: reason, type: 'EVENT_UNDELIVERED', nonRetryable: forGood, ...(retryAfterMs !== undefined && { nextRetryDelay: Math.min(retryAfterMs, LONGEST_WAIT_MS) }),
  });
}
