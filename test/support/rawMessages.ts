import type { WorkflowClient } from '@temporalio/client';
import { temporal } from '@temporalio/proto';

export type RawPayload = temporal.api.common.v1.IPayload;

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const payload = (encoding: string | undefined, data: string): RawPayload => ({ metadata: encoding === undefined ? {} : { encoding: bytes(encoding) }, data: bytes(data) });

/** Payloads that Shoal can't read: no client of the SDK would send them, and the server takes them. */
export const UNREADABLE: Record<string, RawPayload> = {
  'encrypted for somebody else': payload('binary/encrypted', 'kA8s='),
  'broken JSON': payload('json/plain', '{"model": '),
  'without an encoding': payload(undefined, '{}'),
};

/** Messages as they go over the wire. */
export class RawMessages {
  constructor(private readonly client: WorkflowClient, private readonly namespace: string) {}

  async signal(workflowId: string, signalName: string, ...payloads: RawPayload[]): Promise<void> {
    await this.client.workflowService.signalWorkflowExecution({ namespace: this.namespace, workflowExecution: { workflowId }, signalName, identity: 'a test', input: { payloads } });
  }

  /** Why it was refused, nothing when it was not. */
  async update(workflowId: string, name: string, ...payloads: RawPayload[]): Promise<string | null | undefined> {
    const { outcome } = await this.client.workflowService.updateWorkflowExecution({
      namespace: this.namespace, workflowExecution: { workflowId },
      waitPolicy: { lifecycleStage: temporal.api.enums.v1.UpdateWorkflowExecutionLifecycleStage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED },
      request: { meta: { updateId: `${name}-${Math.random()}`, identity: 'a test' }, input: { name, args: { payloads } } },
    });
    return outcome?.failure?.message;
  }

  /** Starts a workflow that this process plays the worker of: each of `moves` answers one of its tasks. */
  async play(workflowId: string, moves: temporal.api.command.v1.ICommand[][]): Promise<void> {
    const { workflowService } = this.client;
    const { namespace } = this;
    const taskQueue = { name: workflowId };
    await workflowService.startWorkflowExecution({ namespace, workflowId, workflowType: { name: 'played' }, taskQueue, requestId: workflowId, identity: 'a test' });
    for (const commands of moves) {
      const { taskToken } = await this.client.withDeadline(Date.now() + 30_000, () => workflowService.pollWorkflowTaskQueue({ namespace, taskQueue, identity: 'a test' }));
      await workflowService.respondWorkflowTaskCompleted({ namespace, taskToken, identity: 'a test', commands });
    }
  }
}
