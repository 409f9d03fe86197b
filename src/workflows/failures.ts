import { ActivityFailure, ApplicationFailure, ChildWorkflowFailure, isCancellation } from '@temporalio/workflow';
import { ShoalError, type ErrorCode } from '../domain/errors';

/** Ends the workflow for a reason that trying again can't change. */
export const refuse = (code: ErrorCode, message: string) => ApplicationFailure.nonRetryable(message, code);

/** The innermost cause's words: what a person needs, without the layers it came through. */
export function reasonOf(error: unknown): string {
  if (isCancellation(error)) return 'cancelled';
  if ((error instanceof ActivityFailure || error instanceof ChildWorkflowFailure) && error.cause) return reasonOf(error.cause);
  return error instanceof Error ? error.message : String(error);
}

/** Work of the domain in a workflow: what it refuses ends the workflow, where an error of another kind would be tried again for ever. */
export function refusable<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof ShoalError) throw refuse(error.code, error.message);
    throw error;
  }
}

/** Whether trying again, unchanged, can't help. */
export function isPermanent(error: unknown): boolean {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) if (cause instanceof ApplicationFailure && cause.nonRetryable) return true;
  return false;
}
