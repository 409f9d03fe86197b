import { Context } from '@temporalio/activity';
import { CancelledFailure } from '@temporalio/common';
import { ShoalError } from '../domain/errors';
import type { Unscored } from '../domain/version';

/** Attempts after which what is no known error is taken to be the incumbent's own, and not to pass by itself. */
const PATIENCE = 3;

/**
 * What is in place, asked the same rows, or why it can't answer them any more (a column is gone, its file is damaged or deleted): it must not
 * block its successors. Where the fault may be the store's or the machine's, the error is thrown and the activity tried again.
 */
export async function incumbent<T>(version: string, answer: () => Promise<T>): Promise<{ answer: T } | { unscored: Unscored }> {
  try {
    return { answer: await answer() };
  } catch (error) {
    if (mayPass(error)) throw error;
    return { unscored: { version, reason: error instanceof Error ? error.message : String(error) } };
  }
}

function mayPass(error: unknown): boolean {
  if (error instanceof ShoalError) return error.retryable;
  if (error instanceof TypeError || error instanceof RangeError) return false;
  return error instanceof CancelledFailure || Context.current().info.attempt < PATIENCE;
}
