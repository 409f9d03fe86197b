import { ApplicationFailure } from '@temporalio/common';
import type { ActivityExecuteInput, ActivityInboundCallsInterceptor, Next } from '@temporalio/worker';
import { ShoalError } from '../domain/errors';

/** Carries a ShoalError to Temporal: its code as the type, and whether trying again can help. */
export const toFailure = (error: ShoalError) =>
  ApplicationFailure.create({ message: error.message, type: error.code, nonRetryable: !error.retryable, details: [error.details], cause: error });

export const failureInterceptor: ActivityInboundCallsInterceptor = {
  async execute(input: ActivityExecuteInput, next: Next<ActivityInboundCallsInterceptor, 'execute'>) {
    try {
      return await next(input);
    } catch (error) {
      throw error instanceof ShoalError ? toFailure(error) : error;
    }
  },
};
