import { condition, defineQuery, defineSignal, setHandler, sleep } from '@temporalio/workflow';

export const waited = defineQuery<number | undefined>('waited');
export const wake = defineSignal('wake');
export const end = defineSignal('end');

/** Waits to be woken, does by the clock what it does next, and says how long it waited. */
export async function waiter(ms: number): Promise<number> {
  const seen: { woken?: true; ended?: true; passed?: number } = {};
  setHandler(waited, () => seen.passed);
  setHandler(wake, () => { seen.woken = true; });
  setHandler(end, () => { seen.ended = true; });
  const began = Date.now();
  await condition(() => seen.woken === true);
  seen.passed = Date.now() - began;
  if (seen.passed < ms) await sleep(1);
  await condition(() => seen.ended === true);
  return seen.passed;
}
