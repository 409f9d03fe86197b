import fc from 'fast-check';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createRequestLog, type LogQuery, type RequestLog } from '../../src/data/requestLog';
import type { LoggedEntry } from '../../src/data/requestTable';
import type { LogArm, LogEntry } from '../../src/domain/requestLog';
import { openStore } from '../../src/store/fileStore';
import type { Store } from '../../src/store/store';
import { dyingStore, Killed } from '../support/faultyStore';
import { usePlace } from './support';

const place = usePlace();
const DAY = 86_400_000;
const START = Date.parse('2026-03-01T00:00:00Z');
const iso = (ms: number): string => new Date(ms).toISOString();
const EVER = { since: iso(START - DAY), until: iso(START + 100 * DAY) };

/** A store and a log of their own, with a clock that is set by hand. */
let stores = 0;
async function fresh(): Promise<{ store: Store; log: RequestLog; clock: { now: number }; folder: string }> {
  const folder = join(place.folder, `log${stores++}`);
  const store = await openStore({ path: folder });
  const clock = { now: START + 10 * DAY };
  return { store, log: createRequestLog(store, { now: () => clock.now }), clock, folder };
}

const entry = (of: Partial<LogEntry> & { request: string }): LogEntry => ({
  chain: 'flats', at: iso(START), release: 1, arm: 'live', weight: 1, versions: { rent: 'abc' }, keys: ['k'], rows: [{ size: 80 }],
  outputs: [{ value: 1200.5, low: 1100, high: 1300 }], seconds: 0.012, fallbacks: {}, ...of,
});

async function all(log: RequestLog, query: Partial<LogQuery> = {}): Promise<LoggedEntry[]> {
  const found: LoggedEntry[] = [];
  for await (const some of log.read({ chain: 'flats', ...EVER, ...query })) found.push(...some);
  return found;
}
const plain = (entries: LoggedEntry[]): LogEntry[] => entries.map(({ logged: _logged, ...rest }) => rest);
const inOrder = (entries: LogEntry[]): LogEntry[] =>
  [...entries].sort((a, b) => compare(a.at, b.at) || compare(a.request, b.request) || a.release - b.release || compare(a.arm, b.arm));
const compare = <T>(a: T, b: T): number => (a < b ? -1 : a > b ? 1 : 0);

const json = fc.jsonValue({ noUnicodeString: false, maxDepth: 2 }).map((value) => JSON.parse(JSON.stringify(value)) as unknown);
const row = fc.dictionary(fc.string({ unit: 'grapheme' }), json, { maxKeys: 3 });
const anEntry = fc.record({
  request: fc.integer({ min: 0, max: 12 }).map((n) => `chain/flats/${n}`),
  release: fc.integer({ min: 1, max: 2 }),
  arm: fc.constantFrom<LogArm>('live', 'shadow', 'abandoned'),
  rows: fc.array(row, { maxLength: 3 }),
  failed: fc.boolean(),
  key: fc.string({ unit: 'grapheme' }),
}).map(({ request, release, arm, rows, failed, key }): LogEntry => {
  const n = Number(request.split('/')[2]);
  return entry({
    // All entries of a request came at its time.
    request, release, arm, at: iso(START + n * 7 * 3_600_000 + n), weight: 0.1 + 0.2, rows, keys: rows.map((_, i) => `${key}${i}`),
    ...(failed ? { outputs: undefined, failure: `No: "${key}"` } : { outputs: rows.map((r, i) => ({ value: i / 3, said: r })) }),
    seconds: n / 7, fallbacks: failed ? {} : { rent: n },
  });
});
const named = (e: LogEntry): string => JSON.stringify([e.request, e.release, e.arm]);
const unique = (entries: LogEntry[]): LogEntry[] => [...new Map([...entries].reverse().map((e) => [named(e), e])).values()];
/** Without answers of a candidate that was given up after all. */
const seen = (entries: LogEntry[]): LogEntry[] => {
  const abandoned = new Set(entries.filter((e) => e.arm === 'abandoned').map(named));
  return entries.filter((e) => e.arm !== 'live' || !abandoned.has(named({ ...e, arm: 'abandoned' })));
};
const strip = (e: LogEntry): unknown => JSON.parse(JSON.stringify(e));

describe('entries', () => {
  test('come back as they went in, in the order of requests, from lines and from Parquet', async () => {
    await fc.assert(fc.asyncProperty(fc.array(anEntry, { maxLength: 40 }), fc.integer({ min: 0, max: 40 }), async (entries, cut) => {
      const { log, clock } = await fresh();
      for (const e of entries.slice(0, cut)) {
        await log.append([e]);
        clock.now += 5;
      }
      await log.compact({ chain: 'flats', before: iso(START + 2 * DAY) });
      for (const e of entries.slice(cut)) {
        await log.append([e]);
        clock.now += 5;
      }
      expect(plain(await all(log)).map(strip)).toEqual(inOrder(seen(unique(entries))).map(strip));
    }), { numRuns: 12 });
  });

  test('can be asked for by time, release and arm', async () => {
    const { log } = await fresh();
    const entries = Array.from({ length: 60 }, (_, n) => entry({ request: `r${n}`, at: iso(START + n * 3_600_000), release: 1 + (n % 3), arm: n % 2 ? 'live' : 'shadow' }));
    await log.append(entries);
    await log.compact({ chain: 'flats', before: iso(START + DAY) });
    const [since, until] = [iso(START + 5 * 3_600_000), iso(START + 50 * 3_600_000)];
    const expected = entries.filter((e) => e.at >= since && e.at < until);
    expect(plain(await all(log, { since, until }))).toEqual(expected);
    expect(plain(await all(log, { since, until, releases: [1, 3], arms: ['live'] }))).toEqual(expected.filter((e) => e.release !== 2 && e.arm === 'live'));
    expect(await all(log, { releases: [] })).toEqual([]);
    expect(await all(log, { chain: 'other' })).toEqual([]);
  });

  test('are one live one a request, whoever else had answered and was given up', async () => {
    const { log } = await fresh();
    const given = entry({ request: 'r', release: 1 });
    await log.append([entry({ request: 'r', release: 2 }), entry({ request: 'r', release: 2, arm: 'abandoned', outputs: undefined, failure: 'gone' }), given]);
    expect(plain(await all(log, { arms: ['live'] }))).toEqual([given]);
  });

  test('text that no file or SQL can hold breaks nothing', async () => {
    const { log } = await fresh();
    const odd = ['half \ud83d of a pair', 'nul \0', '\\ud83d', 'line\nbreak', '\'; DROP TABLE x; --', '\u2028', '"\\"'];
    const entries = odd.map((text, n) => entry({ request: `r${n}`, keys: [text], rows: [{ [text]: text }] }));
    await log.append(entries);
    await log.compact({ chain: 'flats', before: iso(START + DAY) });
    const kept = (text: string) => text.replace('half \ud83d', 'half \ufffd');
    expect((await all(log)).map((e) => [e.keys[0], e.rows[0]])).toEqual(odd.map((text) => [kept(text), { [kept(text)]: kept(text) }]));
  });

  test('may be large', async () => {
    const { log } = await fresh();
    const entries = [entry({ request: 'large', rows: [{ text: 'x'.repeat(20_000_000) }] }), entry({ request: 'small' })];
    const sizes = async () => (await all(log)).map((e) => JSON.stringify(e.rows).length);
    await log.append(entries);
    expect(await sizes()).toEqual([20_000_013, 13]);
    await log.compact({ chain: 'flats', before: iso(START + DAY) });
    expect(await sizes()).toEqual([20_000_013, 13]);
  });

  test('that could not be read back are refused, alone', async () => {
    const { log } = await fresh();
    const others = log.append([entry({ request: 'good' })]);
    await expect(log.append([entry({ request: 'bad', keys: [] })])).rejects.toThrow(/bad has 0 keys, 1 rows/);
    await expect(log.append([entry({ request: 'bad', at: 'yesterday' })])).rejects.toThrow(/yesterday/);
    await others;
    expect((await all(log)).map((e) => e.request)).toEqual(['good']);
  });

  test('a damaged segment is an error that names it', async () => {
    const { log, store } = await fresh();
    await log.append([entry({ request: 'r' })]);
    await log.compact({ chain: 'flats', before: iso(START + DAY) });
    const [note] = await store.listNotes('requests/');
    const { data } = (await store.readNote<{ data: { uri: string } }>(note!))!;
    await store.writeNote(note!, { data: { ...data, uri: data.uri.replace(/[0-9a-f]{8}\./, '00000000.') }, blobs: [] });
    await expect(all(log)).rejects.toMatchObject({ code: 'ARTIFACT_MISSING' });
  });
});

describe('group commit', () => {
  test('callers at the same time share a write, and each waits until its own is on the disk', async () => {
    const { log, store, folder } = await fresh();
    const entries = Array.from({ length: 400 }, (_, n) => entry({ request: `r${n}` }));
    await Promise.all(entries.map(async (e) => {
      await log.append([e]);
      const blobs = await readdir(join(folder, 'blobs/requests/flats/2026-03-01/00'));
      expect(blobs.length).toBeGreaterThan(0);
    }));
    expect((await store.listBlobs('requests/flats/')).length).toBeLessThanOrEqual(3);
    expect((await all(log)).length).toBe(400);
  });

  test('a failed write is the failure of those whose entries were in it', async () => {
    const { store } = await fresh();
    const clock = () => START;
    const log = createRequestLog(new Proxy(store, {
      get: (target, name) => (name !== 'writeBlob' ? target[name as keyof Store].bind(target) : async (blob: string, bytes: Uint8Array) => {
        if (blob.startsWith('requests/broken')) throw new Error('no');
        return target.writeBlob(blob, bytes);
      }),
    }), { now: clock });
    const told = await Promise.allSettled([log.append([entry({ request: 'a' })]), log.append([entry({ request: 'b', chain: 'broken' })]), log.append([entry({ request: 'c' })])]);
    expect(told.map((t) => t.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    await log.append([entry({ request: 'd' })]);
    expect((await all(log)).map((e) => e.request)).toEqual(['a', 'c', 'd']);
  });
});

describe('compaction', () => {
  const entries = Array.from({ length: 10 }, (_, n) => entry({ request: `r${n}`, at: iso(START + (n % 5) * 9 * 3_600_000) }));
  const before = iso(START + 2 * DAY);

  async function filled() {
    const of = await fresh();
    for (let n = 0; n < 10; n += 2) await of.log.append(entries.slice(n, n + 2));
    return of;
  }

  test('leaves one object a day, and the blobs of hours that go on', async () => {
    const { log, store } = await filled();
    expect(await log.compact({ chain: 'flats', before: iso(START + 28.5 * 3_600_000) })).toMatchObject({ objects: 2 });
    expect((await store.listNotes('requests/flats/')).map((note) => note.split('/')[2])).toEqual(['2026-03-01', '2026-03-02']);
    expect((await store.listBlobs('requests/flats/')).every((blob) => blob > 'requests/flats/2026-03-02/12')).toBe(true);
    expect(await log.compact({ chain: 'flats', before: iso(START + 28.5 * 3_600_000) })).toEqual({ objects: 0, blobs: 0 });
    expect(plain(await all(log))).toEqual(inOrder(entries));
  });

  test('killed at any write, before or after it took effect, loses and doubles nothing, and ends the next time', async () => {
    const writes = await (async () => {
      const { store } = await filled();
      const counting = dyingStore(store);
      await createRequestLog(counting.store).compact({ chain: 'flats', before });
      return counting.writes();
    })();
    expect(writes).toBeGreaterThan(10);
    const steps = Array.from({ length: writes }, (_, at) => (['before', 'after'] as const).map((effect) => ({ at, effect }))).flat();
    const { log, store } = await fresh();
    // One chain a death, so that they need but one store.
    for (const [i, death] of steps.entries()) {
      const chain = `flats${i}`;
      const its = entries.map((e) => ({ ...e, chain }));
      for (let n = 0; n < 10; n += 2) await log.append(its.slice(n, n + 2));
      await expect(createRequestLog(dyingStore(store, death).store).compact({ chain, before })).rejects.toThrow(Killed);
      expect(plain(await all(log, { chain }))).toEqual(inOrder(its));
      await log.compact({ chain, before });
      expect(await store.listBlobs(`requests/${chain}/`)).toEqual([]);
      expect(plain(await all(log, { chain }))).toEqual(inOrder(its));
    }
  });

  test('several at once, while entries come and are read, lose and double nothing', async () => {
    const { log, store, clock } = await filled();
    const others = [createRequestLog(await openStore({ path: join(place.folder, `log${stores - 1}`) })), createRequestLog(store)];
    const known = new Set(entries.map((e) => e.request));
    const late: LogEntry[] = [];
    await Promise.all([
      ...[log, ...others].map(async (one) => { for (let i = 0; i < 6; i++) await one.compact({ chain: 'flats', before }); }),
      (async () => {
        for (let n = 0; n < 20; n++) {
          const e = entry({ request: `late${n}`, at: iso(START + n * 3_600_000) });
          clock.now += 1;
          await log.append([e]);
          late.push(e);
        }
      })(),
      (async () => {
        for (let i = 0; i < 8; i++) {
          const before = late.map((e) => e.request);
          const seen = (await all(log)).map((e) => e.request);
          expect(new Set(seen).size).toBe(seen.length);
          for (const request of [...known, ...before]) expect(seen).toContain(request);
        }
      })(),
    ]);
    await log.compact({ chain: 'flats', before });
    expect(await store.listBlobs('requests/flats/')).toEqual([]);
    expect(plain(await all(log))).toEqual(inOrder([...entries, ...late]));
  });
});

describe('requests that a release has not answered', () => {
  test('are those answered live by others, the oldest first, and none twice', async () => {
    const { log } = await fresh();
    const later = (n: number) => iso(START + n * 60_000);
    await log.append([
      entry({ request: 'r2', at: later(2) }), entry({ request: 'r1', at: later(1) }), entry({ request: 'r3', at: later(3) }),
      entry({ request: 'r1', at: later(1) }), // a second attempt
      entry({ request: 'r3', at: later(3), arm: 'shadow', release: 2 }),
      entry({ request: 'r4', at: later(4), arm: 'abandoned', release: 2, outputs: undefined, failure: 'no' }), entry({ request: 'r4', at: later(4) }),
      entry({ request: 'r5', at: later(5), release: 2 }),
      entry({ request: 'r6', at: later(6), outputs: undefined, failure: 'a bad row' }),
    ]);
    const left = async (release: number, limit = 10) => (await log.unanswered({ chain: 'flats', since: iso(START), release, limit })).map((e) => e.request);
    expect(await left(2)).toEqual(['r1', 'r2', 'r6']);
    expect(await left(2, 1)).toEqual(['r1']);
    expect(await left(1)).toEqual(['r5']);
    expect((await log.unanswered({ chain: 'flats', since: later(2), release: 2, limit: 10 })).map((e) => e.request)).toEqual(['r2', 'r6']);
    expect(await log.unanswered({ chain: 'other', since: iso(START), release: 2, limit: 10 })).toEqual([]);
  });

  test('and those it has, live and unseen, are counted', async () => {
    const { log } = await fresh();
    expect(await log.count({ chain: 'flats', since: iso(START), release: 1 })).toEqual({ live: 0, shadow: 0 });
    await log.append([
      entry({ request: 'r1' }), entry({ request: 'r1' }), entry({ request: 'r2', at: iso(START + 1_000) }),
      entry({ request: 'r1', arm: 'shadow', release: 2 }), entry({ request: 'r3', at: iso(START + 2_000), release: 2 }),
    ]);
    expect(await log.count({ chain: 'flats', since: iso(START), release: 1 })).toEqual({ live: 2, shadow: 0, lastRequestAt: iso(START + 2_000) });
    expect(await log.count({ chain: 'flats', since: iso(START), release: 2 })).toEqual({ live: 1, shadow: 1, lastRequestAt: iso(START + 2_000) });
    expect(await log.count({ chain: 'flats', since: iso(START + 1_000), release: 1 })).toMatchObject({ live: 1 });
  });
});
