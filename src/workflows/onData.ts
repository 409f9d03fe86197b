import { proxyActivities } from '@temporalio/workflow';
import type { DataActivities } from '../activities';

/** Work on a chain's data, on the queue of the workers that have it. */
export const onData = (taskQueue: string, summary: string, maximumAttempts = 50) => proxyActivities<DataActivities>({
  taskQueue,
  startToCloseTimeout: '1 hour',
  heartbeatTimeout: '10 seconds',
  retry: { initialInterval: '1 second', maximumInterval: '1 minute', maximumAttempts },
  summary,
});
