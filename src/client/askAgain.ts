import { QueryNotRegisteredError, type WorkflowClientInterceptor } from '@temporalio/client';
import { ASK_AGAIN } from '../workflows/clock';

const EVERY_MS = 200;
/** Longer than a task waits for a worker that is gone: 10 s. */
const FOR_MS = 30_000;

/** Asks a query again that met a worker which is taking the workflow over. */
export const askAgain: WorkflowClientInterceptor = {
  async query(input, next) {
    for (const since = Date.now(); ;) {
      try {
        return await next(input);
      } catch (error) {
        // What the SDK takes every refusal of a query for.
        const isTakenOver = error instanceof QueryNotRegisteredError && error.message.includes(ASK_AGAIN);
        if (!isTakenOver || Date.now() - since > FOR_MS) throw error;
        await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
      }
    }
  },
};
