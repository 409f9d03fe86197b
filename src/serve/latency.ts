/** Milliseconds that one row took. */
export interface Latency { rows: number; p50: number; p95: number }

export interface TimingOptions {
  /** Milliseconds of a clock that only goes forward. */
  now?(): number;
  /** Rows that are answered first, and not counted: sessions and compiled code get warm. */
  warmUp?: number;
  most?: number;
  /** When this much time has gone, what has been measured is enough (one row is measured in any case). */
  budgetMs?: number;
}

/** Answers rows one by one, going round where there are few, and takes the time. */
export async function timeRows(rows: number, answer: (row: number) => Promise<unknown>, options: TimingOptions = {}): Promise<Latency> {
  const { now = () => performance.now(), warmUp = 20, most = 200, budgetMs = 10_000 } = options;
  const end = now() + budgetMs;
  for (let i = 0; i < warmUp && now() < end; i++) await answer(i % rows);
  const taken: number[] = [];
  do {
    const start = now();
    await answer(taken.length % rows);
    taken.push(now() - start);
  } while (taken.length < most && now() < end);
  return latencyOf(taken);
}

export function latencyOf(taken: readonly number[]): Latency {
  const sorted = [...taken].sort((a, b) => a - b);
  // The smallest time that this share of the rows did not exceed (Hyndman & Fan, 1996, type 1).
  const at = (share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN;
  return { rows: sorted.length, p50: at(0.5), p95: at(0.95) };
}
