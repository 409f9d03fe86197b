import { cpSync, existsSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { collectGarbage } from '../../src/data/collectGarbage';
import { compactOutcomes, readOutcomes, recordOutcomes } from '../../src/data/outcomes';
import { ShoalError } from '../../src/domain/errors';
import type { LedgerNeeds } from '../../src/domain/garbage';
import { DEFAULT_RETENTION, type CollectionInput } from '../../src/domain/retention';
import type { Release, VersionRef } from '../../src/domain/version';
import { createPublish } from '../../src/activities/publish';
import { recall } from '../../src/activities/memory';
import { openStore } from '../../src/store/fileStore';
import type { Store } from '../../src/store/store';
import { dyingStore, Killed } from '../support/faultyStore';
import { age } from '../support/oldStore';
import { errorOf } from './support';

const DAY = 86_400_000;
const input: CollectionInput = {
  project: 'p', models: ['rent'], chains: ['flats'], dryRun: false,
  retention: { ...DEFAULT_RETENTION, versions: { keep: 1, forMs: DAY }, releases: { keep: 1, forMs: DAY } },
};

let folder: string;
let store: Store;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'shoal-gc-'));
  store = await openStore({ path: folder });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A version as a training leaves it. */
async function makeVersion(n: number, into = store): Promise<VersionRef> {
  const put = (what: string, extension: string) => into.put(Buffer.from(`${what} of ${n}`), extension);
  const snapshot = { source: 'flats', data: await put('data', 'parquet'), profile: await into.putJson({ profile: n }), rows: n, columns: [] };
  const manifest = await into.putJson({ model: 'rent', onnx: await put('onnx', 'onnx'), outputs: await put('outputs', 'parquet'), snapshot, upstream: {} });
  const version = { model: 'rent', id: manifest.sha256.slice(0, 12), manifest };
  await into.writeNote(`versions/rent/${version.id}`, version);
  await into.writeNote(`snapshots/s${n}`, snapshot);
  await into.writeNote(`trainings/t${n}`, { version, summary: {} });
  await into.writeNote(`evaluations/e${n}`, { version, card: await into.putJson({ card: n }) });
  return version;
}

const release = (number: number, version: VersionRef) => ({ chain: 'flats', number, versions: { rent: version } }) as unknown as Release;

/** Releases 1 to `count`, each of a version of its own and of its own age; the last is in place. */
async function history(count: number): Promise<{ versions: VersionRef[]; needs: LedgerNeeds }> {
  const versions = [];
  for (let n = 1; n <= count; n++) {
    versions.push(await makeVersion(n));
    await store.writeNote(`chains/flats/releases/${n}`, release(n, versions.at(-1)!));
    age(folder, 40);
  }
  const current = release(count, versions.at(-1)!);
  await store.writeNote('chains/flats/current', { chain: 'flats', revision: count, current });
  return { versions, needs: { holds: [{ current }], mentions: [], models: ['rent'], chains: { flats: { inUse: [count], decided: [count] } } } };
}

const collect = (needs: LedgerNeeds, over: Partial<CollectionInput> = {}, into = store, now = Date.now()) => collectGarbage({ ...input, ...over }, { store: into, ledger: async () => needs, now });
const listing = async (of = store): Promise<string[]> => (await Promise.all((['objects', 'notes', 'blobs'] as const).map((kind) => of.contents(kind)))).flat().map(({ name }) => name).sort();
const nothingToldBut = (needs: LedgerNeeds, over: Partial<LedgerNeeds>): LedgerNeeds => ({ ...needs, ...over });

describe('a store with more than is needed', () => {
  it('is left with what is, and can say of the rest what became of it', async () => {
    const { versions, needs } = await history(4);
    const { removed, kept, versions: gone, releases } = await collect(needs);
    expect(gone.map(({ id }) => id).sort()).toEqual(versions.slice(0, 3).map(({ id }) => id).sort());
    expect(releases.map(({ number }) => number)).toEqual([3, 2, 1]);
    expect(removed).toMatchObject({ versions: { count: 3 }, releases: { count: 3 }, notes: { count: 9 }, objects: { count: 18 } });
    expect(kept).toMatchObject({ versions: 1, releases: 1, count: 6 });
    for (const ref of [versions[3]!.manifest, (await store.readJson<{ onnx: typeof versions[0]['manifest'] }>(versions[3]!.manifest)).onnx]) await store.read(ref);

    const publish = createPublish({ store, ledger: { routing: async () => undefined, newest: async () => undefined } });
    expect(await errorOf(publish.findVersions({ ids: { rent: versions[0]!.id } }))).toMatchObject({
      code: 'UNKNOWN_VERSION', message: expect.stringMatching(/^Version \w+ of rent was removed on \d{4}-\d\d-\d\d: no release that is kept has it/) });
    expect(await errorOf(publish.loadRelease({ chain: 'flats', number: 1 }))).toMatchObject({ code: 'UNKNOWN_RELEASE', message: expect.stringContaining('Release 1 of the chain "flats" was removed on') });
    expect(await errorOf(publish.loadRelease({ chain: 'flats', number: 9 }))).toMatchObject({ message: expect.stringContaining('never had release 9') });
    expect(await publish.loadRelease({ chain: 'flats', number: 4 })).toMatchObject({ number: 4 });
  });

  it('loses nothing in a dry run, which says what a real one then does', async () => {
    const { needs } = await history(3);
    const before = await listing();
    const planned = await collect(needs, { dryRun: true });
    expect(await listing()).toEqual(before);
    const done = await collect(needs);
    expect({ ...done, at: '', dryRun: true }).toEqual({ ...planned, at: '' });
    expect((await collect(needs)).removed).toEqual(Object.fromEntries(Object.keys(done.removed).map((kind) => [kind, { count: 0, bytes: 0 }])));
  });

  it('keeps what was just read, and what came after the plan was made', async () => {
    const { versions, needs } = await history(4);
    // While the ledger is asked, a rollback and a proposal take up old ones, and a run reads a third.
    const publish = createPublish({ store, ledger: { routing: async () => undefined, newest: async () => undefined } });
    const ledger = async () => {
      await publish.loadRelease({ chain: 'flats', number: 1 });
      await publish.findVersions({ ids: { rent: versions[1]!.id } });
      return needs;
    };
    const { versions: gone } = await collectGarbage(input, { store, ledger, now: Date.now() });
    expect(gone.map(({ id }) => id)).toEqual([versions[2]!.id]);
    for (const version of [versions[0]!, versions[1]!, versions[3]!]) {
      const { onnx, outputs, snapshot } = await store.readJson<Record<'onnx' | 'outputs', VersionRef['manifest']> & { snapshot: { data: VersionRef['manifest'] } }>(version.manifest);
      for (const ref of [onnx, outputs, snapshot.data]) await store.localFile(ref);
    }
  });

  it('does work again whose note or result is gone', async () => {
    const work = async () => ({ ref: await store.put(Buffer.from('result'), 'txt') });
    const remember = () => recall(store, 'snapshots', 'x', async () => ({ data: (await work()).ref }), ({ data }) => [data]);
    const { result } = await remember();
    age(folder, 40);
    const { removed } = await collect({ holds: [], mentions: [], models: [], chains: {} }, { models: [], chains: [] });
    expect(removed).toMatchObject({ notes: { count: 1 }, objects: { count: 1 } });
    expect(await errorOf(store.read(result.data))).toMatchObject({ code: 'ARTIFACT_MISSING', message: expect.stringContaining('retention') });
    expect(await remember()).toEqual({ result, reused: false });
    expect(await remember()).toEqual({ result, reused: true });
  });
});

describe('a collection that is killed', () => {
  it('at any of its steps leaves all that is needed, and the next one ends where a whole one does', async () => {
    const { versions, needs } = await history(2);
    const original = mkdtempSync(join(tmpdir(), 'shoal-gc-'));
    cpSync(folder, original, { recursive: true, preserveTimestamps: true });
    const again = async (): Promise<Store> => {
      rmSync(folder, { recursive: true, force: true });
      cpSync(original, folder, { recursive: true, preserveTimestamps: true });
      return openStore({ path: folder });
    };
    const now = Date.now();
    try {
      const counted = dyingStore(await again());
      await collect(needs, {}, counted.store, now);
      const [writes, whole] = [counted.writes(), await listing()];
      expect(writes).toBeGreaterThan(8);
      for (let death = 0; death < writes; death++) {
        for (const effect of ['before', 'after'] as const) {
          await expect(collect(needs, {}, dyingStore(await again(), { at: death, effect }).store, now)).rejects.toThrow(Killed);
          const left = await openStore({ path: folder });
          const { onnx } = await left.readJson<{ onnx: VersionRef['manifest'] }>(versions[1]!.manifest);
          await left.localFile(onnx);
          // What has a name has all that it names.
          for (const { name } of await left.contents('notes')) {
            if (!name.startsWith('versions/')) continue;
            await left.peek((await left.readNote<VersionRef>(name))!.manifest.uri);
          }
          await collect(needs, {}, left, now);
          expect(await listing(left)).toEqual(whole);
        }
      }
    } finally {
      rmSync(original, { recursive: true });
    }
  });

  it('beside another one at once ends the same', async () => {
    const { needs } = await history(5);
    const other = await openStore({ path: folder });
    await Promise.all([collect(needs), collect(needs, {}, other)]);
    expect((await store.contents('objects')).length).toBe(6);
    expect((await collect(needs)).removed.objects.count).toBe(0);
  });
});

describe('nothing is removed, and it says why,', () => {
  const refused = async (needs: LedgerNeeds, ledger?: () => Promise<LedgerNeeds>) => {
    const before = await listing();
    const error = await errorOf(collectGarbage(input, { store, ledger: ledger ?? (async () => needs), now: Date.now() }));
    expect(await listing()).toEqual(before);
    expect(error.message).toMatch(/^Nothing was removed from the store\. /);
    return error;
  };

  it('when a note can\'t be read', async () => {
    const { needs } = await history(2);
    writeFileSync(join(folder, 'notes/trainings/t1.json'), '{"half": ');
    expect(await refused(needs)).toMatchObject({ code: 'ARTIFACT_CORRUPT', message: expect.stringContaining('trainings/t1.json is not JSON') });
  });

  it('when a document that is needed is damaged or missing', async () => {
    const { versions, needs } = await history(2);
    const file = join(folder, versions[1]!.manifest.uri);
    rmSync(file);
    writeFileSync(file, '{}');
    expect(await refused(needs)).toMatchObject({ code: 'ARTIFACT_CORRUPT' });
    rmSync(file);
    expect(await refused(needs)).toMatchObject({ code: 'NOT_COLLECTED', message: expect.stringMatching(/is not in the store, and a release, a model or a run needs it/) });
  });

  it('when the ledger does not answer, or is another one', async () => {
    const { needs } = await history(2);
    expect(await refused(needs, async () => { throw new ShoalError('NOT_COLLECTED', 'What flats needs of the store can\'t be told.'); })).toMatchObject({ code: 'NOT_COLLECTED' });
    expect(await refused(nothingToldBut(needs, { chains: {} }))).toMatchObject({ code: 'NOT_COLLECTED', message: expect.stringContaining('a release of the chain flats, and the Temporal server knows nothing of it') });
    expect(await refused(nothingToldBut(needs, { models: [] }))).toMatchObject({ code: 'NOT_COLLECTED', message: expect.stringContaining('versions of the model rent') });
  });
});

describe('logs', () => {
  it('lose whole days, compacted or not, and the objects of these the next time', async () => {
    const day = (ago: number) => new Date(Date.now() - ago * DAY).toISOString();
    for (const [ago, key] of [[500, 'a'], [400, 'b'], [5, 'c']] as const) await recordOutcomes(store, { chain: 'flats', outcomes: [{ key, value: 1 }], now: Date.now() - ago * DAY });
    await compactOutcomes(store, { chain: 'flats', before: day(450) });
    age(folder, 40);
    const needs: LedgerNeeds = { holds: [], mentions: [], models: [], chains: { flats: { inUse: [], decided: [] } } };
    const other = { models: [], chains: ['flats'] };
    expect((await collect(needs, { ...other, dryRun: true })).removed.logs.count).toBe(2);
    expect((await collect(needs, other)).removed).toMatchObject({ logs: { count: 2 }, objects: { count: 0 } });
    expect([...(await readOutcomes(store, { chain: 'flats' })).keys()]).toEqual(['c']);
    expect((await collect(needs, other)).removed).toMatchObject({ logs: { count: 0 }, objects: { count: 1 } });
    expect(existsSync(join(folder, 'notes/outcomes'))).toBe(false);
  });

  it('keep the requests that a candidate is still to answer', async () => {
    const old = new Date(Date.now() - 100 * DAY).toISOString();
    await store.writeBlob(`requests/flats/${old.slice(0, 10)}/${old.slice(11, 13)}/1-x`, Buffer.from('{}\n'));
    age(folder, 40);
    const needs = (logSince?: string): LedgerNeeds => ({ holds: [], mentions: [], models: [], chains: { flats: { inUse: [], decided: [], logSince } } });
    expect((await collect(needs(old), { models: [], chains: ['flats'] })).removed.logs.count).toBe(0);
    expect((await collect(needs(), { models: [], chains: ['flats'] })).removed.logs.count).toBe(1);
  });
});

describe('leftovers', () => {
  it('of processes that were killed go when they are old enough', async () => {
    const [old, fresh] = [await store.scratch(), await store.scratch()];
    writeFileSync(join(old, 'half.parquet'), 'xxxx');
    await store.writeBlob('checkpoints/old', Buffer.from('state'));
    age(old, 3);
    age(join(folder, 'blobs'), 30);
    await store.writeBlob('checkpoints/new', Buffer.from('state'));
    const time = (Date.now() - 3 * DAY) / 1000;
    utimesSync(old, time, time);
    const { removed } = await collect({ holds: [], mentions: [], models: [], chains: {} }, { models: [], chains: [] });
    expect(removed).toMatchObject({ scratch: { count: 1, bytes: 4 }, checkpoints: { count: 1, bytes: 5 } });
    expect(existsSync(fresh)).toBe(true);
    expect(await store.listBlobs('checkpoints/')).toEqual(['checkpoints/new']);
  });
});
