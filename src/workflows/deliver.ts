import { ActivityFailure, ApplicationFailure, isCancellation, log, proxyActivities, setCurrentDetails } from '@temporalio/workflow';
import type { ControlActivities } from '../activities';
import type { ShoalEvent } from '../domain/events';
import { MAX_HOOK_TIMEOUT_MS } from '../domain/hooks';
import { deliveryDetails } from './deliveryDetails';
import { reasonOf, refuse } from './failures';

/** How long a hook may be away. Attempts grow apart to one an hour. */
const PATIENCE = '3 days';

export interface Delivery { hook: string; status: 'under way' | 'delivered' | 'given up'; at?: string; attempts?: number; note?: string }

/** Delivers one event to the hooks that want it, each by itself, at least once. Fails when any of them was given up. */
export async function deliver(input: { event: ShoalEvent; hooks: string[] }): Promise<Delivery[]> {
  if (!input?.event || !Array.isArray(input.hooks)) throw refuse('COMMAND_REFUSED', 'A delivery is told its event and hooks: models and chains start it.');
  const { event, hooks } = input;
  const deliveries: Delivery[] = hooks.map((hook) => ({ hook, status: 'under way' }));
  const show = () => setCurrentDetails(deliveryDetails(event, deliveries));
  show();
  await Promise.all(deliveries.map(async (delivery) => {
    try {
      const { attempts, note } = await delivering(delivery.hook).deliverEvent({ hook: delivery.hook, event });
      Object.assign(delivery, { status: 'delivered', at: new Date().toISOString(), attempts, note });
    } catch (error) {
      if (isCancellation(error)) throw error;
      Object.assign(delivery, { status: 'given up', at: new Date().toISOString(), note: whyGivenUp(error) });
      log.warn('an event was not delivered', { event: event.id, type: event.type, hook: delivery.hook, reason: delivery.note });
    }
    show();
  }));
  const given = deliveries.filter(({ status }) => status === 'given up');
  if (given.length > 0) throw ApplicationFailure.nonRetryable(`Not delivered: ${given.map(({ hook, note }) => `to ${hook}: ${note}`).join('; ')}`, 'EVENT_UNDELIVERED', ...deliveries);
  return deliveries;
}

function whyGivenUp(error: unknown): string {
  const patience = error instanceof ActivityFailure && error.retryState === 'TIMEOUT';
  return `${reasonOf(error)}${patience ? ` Tried for ${PATIENCE}.` : ''}`;
}

const delivering = (hook: string) => proxyActivities<ControlActivities>({
  startToCloseTimeout: MAX_HOOK_TIMEOUT_MS + 30_000,
  scheduleToCloseTimeout: PATIENCE,
  heartbeatTimeout: '10 seconds',
  retry: { initialInterval: '5 seconds', backoffCoefficient: 2, maximumInterval: '1 hour' },
  summary: `tell ${hook}`,
});
