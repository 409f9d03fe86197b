import fc from 'fast-check';
import { observe, type ObserveQuery } from '../../src/data/observations';
import { recordOutcomes } from '../../src/data/outcomes';
import { createRequestLog } from '../../src/data/requestLog';
import type { NewOutcome } from '../../src/domain/outcomes';
import type { LogEntry } from '../../src/domain/requestLog';
import type { Observation } from '../../src/domain/rollout';
import { classification, embedding, forecast, regression } from '../domain/specs';
import { usePlace } from './support';

const place = usePlace();
const START = Date.parse('2026-03-01T00:00:00Z');
const SETTLE = 5_000;
const iso = (seconds: number): string => new Date(START + seconds * 1000).toISOString();
const [CANDIDATE, REFERENCE] = [2, 1];

type Said = Partial<LogEntry> & { request: string; /** Seconds. */ at?: string; logged?: number; values?: (number | string)[] };
let chains = 0;

/** A chain of its own with what was logged (a second after the start, or when it says) and recorded (after 100 seconds). */
async function chain(entries: Said[], outcomes: NewOutcome[] = []): Promise<(of?: Partial<ObserveQuery>) => Promise<Observation[]>> {
  const name = `chain${chains++}`;
  for (const { logged = 1, values, ...of } of entries) {
    const log = createRequestLog(place.store, { now: () => START + logged * 1000 });
    const rows = values ?? (of.failure ? [0] : [100]);
    await log.append([{
      chain: name, at: iso(0), release: REFERENCE, arm: 'live', weight: 1, versions: {}, keys: rows.map((_, i) => `${of.request}/${i}`), rows: rows.map(() => ({})),
      ...(of.failure === undefined && { outputs: rows.map((value) => (typeof value === 'number' ? { value } : { label: value })) }), seconds: 0.25, fallbacks: {}, ...of,
    }]);
  }
  if (outcomes.length > 0) await recordOutcomes(place.store, { chain: name, outcomes, now: START + 100_000 });
  return (of = {}) => observe(place.store, {
    chain: name, candidate: CANDIDATE, reference: REFERENCE, since: iso(0), spec: regression(), now: START + 1_000_000, settleMs: SETTLE, ...of,
  });
}

const answer = (of: object = {}) => ({ failed: false, seconds: 0.25, output: 100, ...of });
const candidate = { release: CANDIDATE };

describe('what the judge sees', () => {
  test('a request that chance sent to one release', async () => {
    const seen = await chain([
      { request: 'a', ...candidate, weight: 0.25, values: [100, 200], seconds: 0.5 },
      { request: 'b', weight: 0.75 },
      { request: 'c', weight: 0.75, failure: 'No.' },
    ]);
    expect(await seen()).toEqual([
      { request: 'a', weight: 0.25, candidate: answer({ output: 150, seconds: 0.5 }), answeredAt: START + SETTLE, knownAt: START + SETTLE },
      { request: 'b', weight: 0.25, reference: answer(), answeredAt: START + SETTLE, knownAt: START + SETTLE },
      { request: 'c', weight: 0.25, reference: { failed: true }, answeredAt: START + SETTLE, knownAt: START + SETTLE },
    ]);
  });

  test('a request that both answered, whoever was unseen', async () => {
    const seen = await chain([
      { request: 'a' }, { request: 'a', ...candidate, arm: 'shadow', values: [90], logged: 20 },
      { request: 'b', ...candidate }, { request: 'b', arm: 'shadow', failure: 'No.' },
      { request: 'c', arm: 'shadow' }, { request: 'c', ...candidate, arm: 'shadow' },
    ]);
    const at = (seconds: number) => ({ answeredAt: START + seconds * 1000, knownAt: START + seconds * 1000 });
    expect(await seen()).toEqual([
      { request: 'b', candidate: answer(), reference: { failed: true }, ...at(5) },
      { request: 'c', candidate: answer(), reference: answer(), ...at(5) },
      // The time of an unseen answer is no user's.
      { request: 'a', candidate: { failed: false, output: 90 }, reference: answer(), ...at(21) },
    ]);
  });

  test('one that the candidate failed is its failure, and no success of who answered in its place', async () => {
    const seen = await chain([
      { request: 'a', ...candidate, arm: 'abandoned', weight: 0.1, failure: 'Stage rent: no.' }, { request: 'a', weight: 0.9 },
    ], [{ key: 'a/0', value: 90 }]);
    expect(await seen()).toEqual([{ request: 'a', weight: 0.1, candidate: { failed: true }, answeredAt: START + SETTLE, knownAt: START + SETTLE }]);
  });

  test('nothing of requests that chance did not choose for, of other releases, of before and of now', async () => {
    const seen = await chain([
      { request: 'all to the reference' }, { request: 'all to the candidate', ...candidate }, { request: 'other', release: 3, weight: 0.5 },
      { request: 'before', weight: 0.5, at: iso(-10) }, { request: 'pair before', at: iso(-10) }, { request: 'pair before', at: iso(-10), ...candidate, arm: 'shadow' },
      { request: 'just now', weight: 0.5, at: iso(996) },
    ]);
    expect(await seen()).toEqual([]);
    // Of recorded requests, those that both answered: chance was another then.
    expect((await seen({ recordedSince: iso(-20) })).map((o) => o.request)).toEqual(['pair before']);
  });

  test('a shadow answer after chance\'s choice was seen changes nothing', async () => {
    const seen = await chain([
      { request: 'late', weight: 0.5 }, { request: 'late', ...candidate, arm: 'shadow', logged: 30 },
      { request: 'soon', weight: 0.5 }, { request: 'soon', ...candidate, arm: 'shadow', logged: 3 },
    ]);
    expect((await seen()).map((o) => [o.request, o.weight, o.candidate !== undefined])).toEqual([['late', 0.5, false], ['soon', 0.5, true]]);
  });

  test('the answers of a second attempt count once', async () => {
    const seen = await chain([{ request: 'a', weight: 0.5, values: [1, 3] }, { request: 'a', weight: 0.5, values: [1, 3], logged: 2, seconds: 9 }]);
    expect(await seen()).toMatchObject([{ reference: { output: 2, seconds: 0.25 } }]);
  });
});

describe('losses', () => {
  const losses = (seen: Observation[]) => seen.map((o) => o.reference?.loss);
  const three: Said[] = [{ request: 'a', weight: 0.5, values: [100, 1000] }, { request: 'b', weight: 0.5, values: [100] }, { request: 'c', weight: 0.5, values: [100] }];
  const truths: NewOutcome[] = [{ key: 'a/0', value: 10 }, { key: 'a/1', value: 1500 }, { key: 'b/0', value: 0 }, { key: 'other', value: 5 }];

  test('are absolute errors on the trained scale, over the rows whose outcome is known', async () => {
    const seen = await chain(three, truths);
    expect(losses(await seen())).toEqual([undefined, (90 + 500) / 2, 100]);
    const logarithmic = losses(await seen({ spec: forecast({ scale: 'log10' }) }));
    // Known, but without a logarithm: b says nothing, and keeps its place.
    expect(logarithmic[0]).toBeUndefined();
    expect(logarithmic[1]).toBeUndefined();
    expect(logarithmic[2]).toBeCloseTo((1 + Math.log10(1.5)) / 2, 12);
    expect(losses(await seen({ spec: embedding() }))).toEqual([undefined, undefined, undefined]);
  });

  test('are wrong classes; the output is the class of the first row', async () => {
    const seen = await chain([{ request: 'a', weight: 0.5, values: ['Drama', 'Comedy', 'Horror'] }], [{ key: 'a/0', value: 'Drama' }, { key: 'a/1', value: 'Drama' }]);
    expect(await seen({ spec: classification() })).toMatchObject([{ reference: { output: 'Drama', loss: 0.5 } }]);
  });

  test('do not count on rows that a release was trained on', async () => {
    const seen = await chain(three, truths);
    expect(losses(await seen({ withoutLoss: new Set(['a/1', 'b/0']) }))).toEqual([undefined, undefined, 90]);
  });

  test('put a request where its outcome came, and leave its answer where it was', async () => {
    const seen = await chain(three, truths);
    const known = await seen();
    expect(known.map((o) => [o.request, (o.answeredAt! - START) / 1000, (o.knownAt - START) / 1000])).toEqual([['c', 5, 5], ['a', 5, 101], ['b', 5, 101]]);
    expect(losses(await seen({ now: START + 100_500 }))).toEqual([undefined, undefined, undefined]);
  });
});

/** Requests of one row as they come, each going one way, and when their outcomes come. Seconds. */
const aRequest = fc.record({
  at: fc.double({ min: 0, max: 60, noNaN: true }),
  tookA: fc.oneof(fc.double({ min: 0, max: 3, noNaN: true }), fc.double({ min: 0, max: 20, noNaN: true })),
  tookB: fc.oneof(fc.double({ min: 0, max: 3, noNaN: true }), fc.double({ min: 0, max: 40, noNaN: true })),
  outcome: fc.option(fc.double({ min: 0, max: 60, noNaN: true }), { nil: undefined }),
  way: fc.constantFrom('candidate', 'reference', 'shadowed', 'shadow phase', 'abandoned', 'failed'),
});

test('what is seen at one look is the beginning of what is seen at the next', async () => {
  await fc.assert(fc.asyncProperty(fc.array(aRequest, { minLength: 5, maxLength: 40 }), fc.array(fc.double({ min: 1, max: 130, noNaN: true }), { minLength: 3, maxLength: 5 }), async (requests, looks) => {
    const name = `chain${chains++}`;
    const log = createRequestLog(place.store, { now: () => clock });
    let clock = START;
    const at = (seconds: number): number => Math.round(START + seconds * 1000);
    const events: { at: number; happen(): Promise<unknown> }[] = requests.flatMap((r, i) => {
      const request = `r${i}`;
      const entry = (took: number, of: Partial<LogEntry>) => ({
        at: at(r.at + took),
        happen: () => log.append([{
          chain: name, request, at: new Date(at(r.at)).toISOString(), release: REFERENCE, arm: 'live', weight: 0.5, versions: {}, keys: [request], rows: [{}],
          ...(of.failure === undefined && { outputs: [{ value: i }] }), seconds: took, fallbacks: {}, ...of,
        } satisfies LogEntry]),
      });
      const logged = {
        candidate: [entry(r.tookA, candidate)],
        reference: [entry(r.tookA, {})],
        shadowed: [entry(r.tookA, {}), entry(r.tookB, { ...candidate, arm: 'shadow' as const })],
        'shadow phase': [entry(r.tookA, { weight: 1 }), entry(r.tookB, { ...candidate, arm: 'shadow' as const })],
        // Whoever answers in its place comes after.
        abandoned: [entry(r.tookA, { ...candidate, arm: 'abandoned', failure: 'No.' }), entry(r.tookA + r.tookB, {})],
        failed: [entry(r.tookA, { ...candidate, failure: 'No.' })],
      }[r.way];
      const outcome = r.outcome === undefined ? [] : [{
        at: at(r.at + r.outcome), happen: () => recordOutcomes(place.store, { chain: name, outcomes: [{ key: request, value: 2 * i }], now: clock }),
      }];
      return [...logged, ...outcome];
    });
    const seen: Observation[][] = [];
    const look = (seconds: number) => ({
      at: at(seconds),
      happen: async () => seen.push(await observe(place.store, {
        chain: name, candidate: CANDIDATE, reference: REFERENCE, since: iso(0), spec: regression(), now: clock, settleMs: SETTLE,
      })),
    });
    for (const event of [...events, ...looks.map(look), look(300)].sort((a, b) => a.at - b.at)) {
      clock = event.at;
      await event.happen();
    }
    const answers = (of: Observation[]) => [...of].sort((a, b) => a.answeredAt! - b.answeredAt! || (a.request < b.request ? -1 : 1)).map(({ request, weight, answeredAt, candidate: c, reference: r }) =>
      ({ request, weight, answeredAt, candidate: c?.seconds, reference: r?.seconds, failed: [c?.failed, r?.failed] }));
    const losses = (of: Observation[]) => of.filter((o) => o.candidate?.loss !== undefined || o.reference?.loss !== undefined);
    for (let i = 1; i < seen.length; i++) {
      const [before, after] = [seen[i - 1]!, seen[i]!];
      expect(answers(after).slice(0, before.length)).toEqual(answers(before));
      expect(losses(after).slice(0, losses(before).length)).toEqual(losses(before));
    }
    // In the end everything was seen.
    expect(seen.at(-1)!.length).toBe(requests.length);
    expect(losses(seen.at(-1)!).length).toBe(requests.filter((r) => r.outcome !== undefined && r.way !== 'abandoned' && r.way !== 'failed').length);
  }), { numRuns: 15 });
});
