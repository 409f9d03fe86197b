import { ActivityFailure, ApplicationFailure, ChildWorkflowFailure, isCancellation } from '@temporalio/workflow';
import { ERRORS, ShoalError, type ErrorCode } from '../domain/errors';

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

/** The ShoalError that an activity ended with, by its code. */
export function codeOf(error: unknown): ErrorCode | undefined {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof ApplicationFailure && cause.type && cause.type in ERRORS) return cause.type as ErrorCode;
  }
  return undefined;
}

/** The store's fault, and no model's: when somebody has seen to it, the same will work. */
export const isOfStore = (error: unknown): boolean => ['STORE_FULL', 'STORE_READ_ONLY', 'STORE_UNAVAILABLE'].includes(codeOf(error) ?? '');

/** A stage can't read what the stages before it say. */
export const isOfStage = (error: unknown): boolean => ['STAGE_FAILED', 'COLUMN_TYPE', 'COLUMN_MISSING'].includes(codeOf(error) ?? '');
