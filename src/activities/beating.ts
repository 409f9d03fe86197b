import { Context } from '@temporalio/activity';

const EVERY_MS = 1_000;

/** Heartbeats from the first moment while the work runs, so that a dead worker is noticed in seconds whatever the work takes. */
export async function beating<T>(work: (details: { report(value: unknown): void }) => Promise<T>): Promise<T> {
  const context = Context.current();
  let latest: unknown = undefined;
  context.heartbeat();
  const timer = setInterval(() => context.heartbeat(latest), EVERY_MS);
  try {
    return await work({ report: (value) => { latest = value; } });
  } finally {
    clearInterval(timer);
  }
}
