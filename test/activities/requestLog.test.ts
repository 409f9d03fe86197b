import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { createServingActivities } from '../../src/activities';
import { answerUnseen } from '../../src/activities/answerUnseen';
import { createLogFailure } from '../../src/activities/logFailure';
import { createRequestLog, type LogQuery } from '../../src/data/requestLog';
import { ShoalError } from '../../src/domain/errors';
import type { LogEntry } from '../../src/domain/requestLog';
import type { Release, VersionRef } from '../../src/domain/version';
import { Models } from '../../src/serve/models';
import type { Store } from '../../src/store/store';
import { putVersion, releaseOf, sum, temporaryStore } from '../serve/fixtures';

const START = Date.parse('2026-03-01T00:00:00Z');
const QUERY: LogQuery = { chain: 'test', since: new Date(START - 1).toISOString(), until: new Date(START + 86_400_000).toISOString() };

let place: Awaited<ReturnType<typeof temporaryStore>>;
const named: Record<string, VersionRef> = {};
beforeAll(async () => {
  place = await temporaryStore();
  for (const one of [sum('double', { width: 2 }), sum('quadruple', { 'double.value': 2, y: 1 }), sum('broken', { width: 1 })]) {
    named[one.spec.name] = await putVersion(place.store, one.spec.name === 'broken' ? { ...one, onnx: new Uint8Array([1, 2, 3]) } : one);
  }
});
afterAll(() => place.remove());

const twoStages = (of: Parameters<typeof releaseOf>[2] = {}): Release =>
  releaseOf(named, [{ model: 'double' }, { model: 'quadruple' }], { dependencies: { quadruple: ['double'] }, ...of });

/** Activities over one store, and what they log. */
function open(store: Store = place.store) {
  const log = createRequestLog(store, { now: () => START });
  const deps = { store, models: new Models({ store }), log };
  const run = <A, R>(activity: (args: A) => Promise<R>, args: A): Promise<R> => new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') }).run(activity, args);
  const logged = async (of: Partial<LogQuery> = {}): Promise<LogEntry[]> => {
    const found: LogEntry[] = [];
    for await (const some of log.read({ ...QUERY, ...of })) found.push(...some);
    return found;
  };
  /** A release answers unseen what these requests asked of another one. */
  const unseen = async (release: Release, requests: [name: string, rows: Record<string, unknown>[]][]): Promise<number> => {
    await log.append(requests.map(([request, rows]): LogEntry => ({
      chain: release.chain, request, at: at(60), release: 1, arm: 'live', weight: 1, versions: {}, keys: rows.map((_, i) => `${request}${i}`), rows,
      outputs: rows.map(() => ({ value: 0 })), seconds: 1, fallbacks: {},
    })));
    return run(() => answerUnseen({ release: { ...release, number: 7 }, since: QUERY.since }, deps, () => undefined), undefined);
  };
  return { run, log, logged, serving: createServingActivities(deps), unseen };
}

const chainOf = (name: string, release: Release): Release => ({ ...release, chain: name });
const at = (seconds: number): string => new Date(START + seconds * 1000).toISOString();

describe('a segment', () => {
  const asked = { request: 'chain/test/1', at: at(1), arm: 'live' as const, weight: 0.75, keys: ['a', 'b'] };
  const rows = [{ width: 1, y: 1 }, { width: 10, y: 0 }];

  test('logs the chain\'s answer before it gives it, in its last segment', async () => {
    const { run, logged, serving } = open();
    const release = chainOf('segments', twoStages());
    const first = await run(serving.runSegment, { release, stages: ['double'], rows: { inline: rows }, earlier: [], last: false, log: asked });
    expect(await logged({ chain: 'segments' })).toEqual([]);
    const last = await run(serving.runSegment, { release, stages: ['quadruple'], rows: { inline: rows }, earlier: [first.answers], last: true, log: { ...asked, seconds: 2 } });
    expect(first.seconds).toBeGreaterThan(0);
    const [entry, ...others] = await logged({ chain: 'segments' });
    expect(others).toEqual([]);
    expect(entry).toMatchObject({
      ...asked, chain: 'segments', release: 1, rows, outputs: [{ value: 5 }, { value: 40 }], fallbacks: {},
      versions: { double: named.double!.id, quadruple: named.quadruple!.id },
    });
    expect(entry!.seconds).toBeCloseTo(2 + last.seconds, 9);
    expect(entry!.failure).toBeUndefined();
    // An activity that is tried again.
    await run(serving.runSegment, { release, stages: ['quadruple'], rows: { inline: rows }, earlier: [first.answers], last: true, log: asked });
    expect((await logged({ chain: 'segments' })).length).toBe(1);
  });

  test('counts the rows that a fallback answered', async () => {
    const { run, logged, serving } = open();
    const release = chainOf('fallbacks', releaseOf(named, [{ model: 'double', when: 'input.width > 5.0', fallback: { kind: 'value', value: { value: 0, low: 0, high: 0 } } }]));
    await run(serving.runSegment, { release, stages: ['double'], rows: { inline: [{ width: 1.5 }, { width: 10.5 }] }, earlier: [], last: true, log: asked });
    expect(await logged({ chain: 'fallbacks' })).toMatchObject([{ outputs: [{ value: 0 }, { value: 21 }], fallbacks: { double: 1 } }]);
  });

  test('is answered all the same when the store takes no log; a fault of the log is one', async () => {
    const failing = (error: Error) => new Proxy(place.store, { get: (target, name) => (name === 'writeBlob' ? () => Promise.reject(error) : target[name as keyof Store].bind(target)) });
    const full = open(failing(new ShoalError('STORE_FULL', 'There is no room.')));
    const answer = await full.run(full.serving.runSegment, { release: twoStages(), stages: ['double', 'quadruple'], rows: { inline: rows }, earlier: [], last: true, log: asked });
    expect(answer.outputs).toEqual({ inline: [{ value: 5 }, { value: 40 }] });
    const broken = failing(new TypeError('The disk is gone.'));
    const { run, serving } = open(broken);
    await expect(run(serving.runSegment, { release: twoStages(), stages: ['double', 'quadruple'], rows: { inline: rows }, earlier: [], last: true, log: asked })).rejects.toThrow('The disk is gone.');
  });

  test('that was not answered is logged as a failure', async () => {
    const { log, logged, run } = open();
    const entry: LogEntry = { ...asked, chain: 'failures', release: 1, versions: {}, rows, failure: 'Stage double: no.', seconds: 0, fallbacks: {} };
    await run(createLogFailure({ log }).logFailure, { entry });
    expect(await logged({ chain: 'failures' })).toMatchObject([entry]);
  });
});

describe('a release that answers unseen', () => {
  const shadows = { arms: ['shadow'] as const };

  test('says what it would have said to each, once, and a bad row fails its own request only', async () => {
    const { unseen, logged } = open();
    const release = chainOf('shadows', twoStages());
    const requests: [string, Record<string, unknown>[]][] = [
      ['a', [{ width: 1, y: 1 }]], ['b', [{ width: 'one', y: 0 }]], ['c', [{ width: 2, y: 0 }, { width: 3, y: 5 }]],
      // Misspelt, which only shows in a request that has no column of that name.
      ['d', [{ widths: 1, y: 0 }]],
    ];
    expect(await unseen(release, requests)).toBe(4);
    expect(await unseen(release, requests)).toBe(0);
    const entries = await logged({ chain: 'shadows', ...shadows });
    expect(entries.map((e) => [e.request, e.release, e.weight, e.at, e.outputs?.map((o) => o.value)])).toEqual([
      ['a', 7, 1, at(60), [5]], ['b', 7, 1, at(60), undefined], ['c', 7, 1, at(60), [8, 17]], ['d', 7, 1, at(60), undefined],
    ]);
    expect(entries.map((e) => e.failure)).toEqual([undefined, expect.stringMatching(/column width: expected a number, found "one"/), undefined, expect.stringMatching(/column widths/)]);
    expect(entries.every((e) => e.seconds > 0 && e.seconds < 5)).toBe(true);
  });

  test('and does not load fails every request', async () => {
    const { unseen, logged } = open();
    expect(await unseen(chainOf('broken', releaseOf(named, [{ model: 'broken' }])), [['a', [{ width: 1 }]], ['b', [{ width: 2 }]]])).toBe(2);
    const entries = await logged({ chain: 'broken', ...shadows });
    expect(entries.map((e) => e.failure !== undefined)).toEqual([true, true]);
  });

  test('is not blamed for a store that fails', async () => {
    const { unseen, logged } = open();
    const nowhere = { ...named.double!, manifest: { ...named.double!.manifest, sha256: '0'.repeat(64), uri: `objects/00/${'0'.repeat(64)}.json` } };
    await expect(unseen(chainOf('gone', releaseOf({ double: nowhere }, [{ model: 'double' }])), [['a', [{ width: 1 }]]])).rejects.toMatchObject({ code: 'ARTIFACT_MISSING' });
    expect(await logged({ chain: 'gone', ...shadows })).toEqual([]);
  });
});
