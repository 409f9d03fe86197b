import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { CancellationScope, ParentClosePolicy, startChild, workflowInfo } from '@temporalio/workflow';
import type { HookName, ShoalEvent } from '../domain/events';
import { deliver } from './deliver';
import { deliveryWorkflowId } from './messages';
import { SHOAL_CHAIN, SHOAL_MODEL, SHOAL_VERSION } from './searchAttributes';

/**
 * Tells the hooks that want it of an event, without waiting for them and whatever becomes of the caller: a workflow of its own delivers it, once
 * for an event's id. Returns when that workflow is there; gives no command when nobody wants the event.
 */
export async function announce(hooks: HookName[] | undefined, event: Omit<ShoalEvent, 'at'>): Promise<void> {
  const wanting = wantedBy(hooks, event);
  if (wanting.length === 0) return;
  const { model, chain, version } = event;
  const attributes = [
    ...(model === undefined ? [] : [{ key: SHOAL_MODEL, value: model }]),
    ...(chain === undefined ? [] : [{ key: SHOAL_CHAIN, value: chain }]),
    ...(version === undefined ? [] : [{ key: SHOAL_VERSION, value: version }]),
  ];
  try {
    // What has happened is told, even where somebody ends the caller at this moment.
    await CancellationScope.nonCancellable(() => startChild(deliver, {
      workflowId: deliveryWorkflowId(event.id),
      args: [{ event: { ...event, at: new Date().toISOString() }, hooks: wanting }],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      typedSearchAttributes: attributes,
      staticSummary: `${event.type} ${[model ?? chain, version ?? event.release].filter((part) => part !== undefined).join(' ')}`,
    }));
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}

export const wantedBy = (hooks: HookName[] | undefined, { type }: Pick<ShoalEvent, 'type'>): string[] =>
  (hooks ?? []).filter(({ events }) => events.includes(type)).map(({ name }) => name);

/**
 * The same whatever is replayed, continued or reset, and another for another life of the workflow of the same name. Without the full stop that
 * parts what a webhook signs.
 */
export const eventId = (...parts: (string | number)[]): string => [...parts, workflowInfo().firstExecutionRunId.slice(0, 8)].join('-').replaceAll('.', '-');
