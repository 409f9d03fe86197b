import type { Worker } from '@temporalio/worker';

/** Does something again and again beside a worker, for as long as it is there. What fails is tried again at the next turn. */
export function beside(worker: Worker, of: { firstMs: number; everyMs: number }, work: () => Promise<unknown>): void {
  const turn = async (): Promise<void> => {
    if (['STOPPED', 'FAILED'].includes(worker.getState())) return;
    await work().catch(() => undefined);
    setTimeout(() => void turn(), of.everyMs).unref();
  };
  setTimeout(() => void turn(), of.firstMs).unref();
}
