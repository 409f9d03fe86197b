import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { ActivityExecuteInput, ActivityInboundCallsInterceptor, Next } from '@temporalio/worker';
import { ShoalError } from '../domain/errors';

/** So often is tried what may pass by itself, such as a full disk: then somebody has to see to it. */
const PATIENCE = 5;

/** Carries a ShoalError to Temporal: its code as the type, and whether trying again can help. */
export const toFailure = (error: ShoalError, attempt: number) => ApplicationFailure.create({
  message: error.message, type: error.code, nonRetryable: !error.retryable || attempt >= PATIENCE, details: [error.details], cause: error,
});

/** Mistakes of the program, which trying again can't help; all else (the disk, the network, a killed process) may pass. */
export const isFault = (error: unknown): error is Error =>
  error instanceof Error && ['TypeError', 'ReferenceError', 'RangeError', 'SyntaxError'].includes(error.name);

export const internal = (error: Error) => new ShoalError('INTERNAL', `Shoal failed: ${error.message}.`, {
  remedy: 'This is a fault of Shoal, not of your project: please report it.', details: { stack: error.stack }, cause: error,
});

export const failureInterceptor: ActivityInboundCallsInterceptor = {
  async execute(input: ActivityExecuteInput, next: Next<ActivityInboundCallsInterceptor, 'execute'>) {
    try {
      return await next(input);
    } catch (error) {
      const known = isFault(error) ? internal(error) : error;
      throw known instanceof ShoalError ? toFailure(known, Context.current().info.attempt) : known;
    }
  },
};
