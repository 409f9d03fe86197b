import { WorkflowNotFoundError } from '@temporalio/client';
import type { UpdateDefinition } from '@temporalio/common/lib/interfaces';
import os from 'node:os';
import { ShoalError } from '../domain/errors';
import { releaseWorkflowId, type Command } from '../workflows/messages';
import type { Session, Waiting } from './session';

/** Why somebody steps in, for the record; who is the user of this process when absent. */
export interface Word extends Waiting {
  reason: string;
  by?: string;
  /** Two commands of one key to a chain are one: the second is answered as the first was. A chain remembers its last 100. */
  key?: string;
}

/** Sends a word of a person or a program to a chain's releases. */
export async function sendCommand<R, A extends Command>(
  session: Session, chain: string, update: UpdateDefinition<R, [A]>, { by = os.userInfo().username, timeoutMs, signal, ...rest }: Word & Omit<A, 'by'>,
): Promise<R> {
  session.known('chain', chain);
  return session.within({ timeoutMs, signal }, async () => {
    try {
      const args = [{ by, ...rest } as unknown as A] as [A];
      return await session.temporal.workflow.getHandle(releaseWorkflowId(chain)).executeUpdate(update, { args, ...(rest.key !== undefined && { updateId: rest.key }) });
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
      throw new ShoalError('NO_RELEASE', `The chain "${chain}" has not been started yet.`, { remedy: 'Run `shoal up` or `shoal train`.', details: { chain } });
    }
  });
}
