import { withLiveWindows, type LiveQuery, type LiveWindows } from '../../src/data/liveWindows';
import { recordOutcomes } from '../../src/data/outcomes';
import { createRequestLog } from '../../src/data/requestLog';
import type { LogEntry } from '../../src/domain/requestLog';
import { usePlace } from './support';

const place = usePlace();
const START = Date.parse('2026-03-01T00:00:00Z');
const MINUTE = 60_000;
const iso = (ms: number) => new Date(ms).toISOString();

let chains = 0;
const entry = (chain: string, n: number, over: Partial<LogEntry> = {}): LogEntry => ({
  chain, request: `r${String(n).padStart(3, '0')}`, at: iso(START + n * MINUTE), release: 1, arm: 'live', weight: 1, versions: {}, keys: [`k${n}`], rows: [{ size: n }],
  outputs: [{ value: n * 10 }], seconds: 0.1, fallbacks: {}, ...over,
});

interface Case { entries: LogEntry[]; outcomes?: { key: string; value: number }[]; query?: Partial<LiveQuery>; compact?: boolean }

/** Written a second after each came, and looked at. */
async function look<T>({ entries, outcomes, query, compact }: Case, work: (live: LiveWindows) => Promise<T>): Promise<T> {
  const chain = `c${++chains}`;
  const logged: LogEntry[] = entries.map((e) => ({ ...e, chain }));
  for (const e of logged) await createRequestLog(place.store, { now: () => Date.parse(e.at) + 1_000 }).append([e]);
  if (outcomes) await recordOutcomes(place.store, { chain, outcomes, now: START + 30 * MINUTE });
  if (compact) await createRequestLog(place.store).compact({ chain, before: iso(START + 86_400_000) });
  return withLiveWindows(place.store, { chain, release: 1, window: { ms: 10 * MINUTE }, windows: 3, until: iso(START + 60 * MINUTE), ...query }, work);
}

const many = (count: number, over: (n: number) => Partial<LogEntry> = () => ({})) => Array.from({ length: count }, (_, n) => entry('', n, over(n)));
const spansOf = async ({ spans }: LiveWindows) => spans.map(({ from, to, rows, outcomes }) => [(from - START) / MINUTE, (to - START) / MINUTE, rows, outcomes]);

describe('windows of time', () => {
  it.each([false, true])('are the newest whole ones, on multiples of their length, empty ones among them (compacted: %s)', async (compact) => {
    const entries = many(57).filter((_, n) => n < 40 || n >= 50);
    // The last ten minutes may still be logged.
    expect(await look({ entries, compact, outcomes: [{ key: 'k31', value: 1 }, { key: 'k35', value: 2 }, { key: 'elsewhere', value: 3 }] }, spansOf))
      .toEqual([[20, 30, 10, 0], [30, 40, 10, 2], [40, 50, 0, 0]]);
  });

  it('do not count what came or became known after the look, so that the same look sees the same', async () => {
    const entries = many(60);
    const query = { until: iso(START + 45 * MINUTE) };
    expect(await look({ entries, query }, spansOf)).toEqual([[10, 20, 10, 0], [20, 30, 10, 0], [30, 40, 10, 0]]);
    const early = { until: iso(START + 20 * MINUTE + 60_000) };
    expect(await look({ entries, query: early, outcomes: [{ key: 'k12', value: 1 }] }, spansOf)).toEqual([[-10, 0, 0, 0], [0, 10, 10, 0], [10, 20, 10, 0]]);
  });
});

describe('windows of requests', () => {
  it('begin with the first request of the release, whoever else answered in between', async () => {
    const entries = many(26, (n) => ({ release: n % 2 === 0 ? 1 : 2 }));
    const query = { window: { requests: 4 } };
    expect(await look({ entries, query }, spansOf)).toEqual([0, 8, 16].map((from) => [from, from + 6 + 1 / MINUTE, 4, 0]));
    expect(await look({ entries, query: { ...query, windows: 1 } }, spansOf)).toEqual([[16, 22 + 1 / MINUTE, 4, 0]]);
  });
});

it('reads what users got: no shadow, no failure, nothing given up, each row once', async () => {
  const rows = await look({
    entries: [
      entry('', 31), entry('', 31), entry('', 32, { arm: 'shadow' }), entry('', 33, { failure: 'broken', outputs: undefined }),
      entry('', 34), entry('', 34, { arm: 'abandoned', failure: 'gone', outputs: undefined }), entry('', 35, { keys: ['a', 'b'], rows: [{ size: 1 }, { size: 2 }], outputs: [{ value: 1 }, { value: 2 }] }),
      entry('', 36, { release: 2 }),
    ],
    outcomes: [{ key: 'b', value: 7 }],
  }, async (live) => ({ mine: await live.read(live.spans.findIndex(({ from }) => from === START + 30 * MINUTE)), all: await live.releases({ from: START, to: START + 60 * MINUTE }) }));
  expect(rows.mine.map(({ request, key, input, output, truth }) => [request, key, input.size, output.value, truth])).toEqual([
    ['r031', 'k31', 31, 310, null], ['r035', 'a', 1, 1, null], ['r035', 'b', 2, 2, 7],
  ]);
  expect([...rows.all].map(([release, of]) => [release, of.length])).toEqual([[1, 3], [2, 1]]);
});

it('has no windows where nobody asked', async () => {
  expect((await look({ entries: [], query: { window: { requests: 4 } } }, spansOf))).toEqual([]);
  expect((await look({ entries: [] }, spansOf)).map(([, , rows]) => rows)).toEqual([0, 0, 0]);
});
