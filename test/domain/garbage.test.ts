import fc from 'fast-check';
import { addressesIn, planCollection, type GarbagePlan, type Inventory, type Stored, type StoredNote } from '../../src/domain/garbage';
import { DEFAULT_RETENTION, type RetentionSpec } from '../../src/domain/retention';

const DAY = 86_400_000;
const NOW = Date.parse('2026-06-01T12:00:00Z');
const ago = (days: number): number => NOW - days * DAY;

const uri = (n: number, extension = 'json'): string => `objects/${(n % 256).toString(16).padStart(2, '0')}/${n.toString(16).padStart(64, '0')}.${extension}`;
const ref = (n: number, extension?: string) => ({ uri: uri(n, extension), sha256: n.toString(16).padStart(64, '0'), bytes: 10 });
const note = (name: string, value: unknown, days: number): StoredNote => ({ name, value, bytes: 5, at: ago(days) });
const version = (model: string, n: number) => ({ model, id: `v${n}`, manifest: ref(n) });

/** A store in a few lines: each object's text by its number, all of one age. */
function storeOf(texts: Record<number, unknown>, days: number, others: number[] = []) {
  const objects: Stored[] = [...Object.keys(texts).map((n) => uri(Number(n))), ...others.map((n) => uri(n, 'bin'))].map((name) => ({ name, bytes: 10, at: ago(days) }));
  const namesIn = async (name: string): Promise<string[]> => addressesIn(JSON.stringify(texts[Object.keys(texts).map(Number).find((n) => uri(n) === name)!] ?? ''));
  return { objects, namesIn };
}

const ledger = (over: Partial<Inventory['ledger']> = {}): Inventory['ledger'] => ({ holds: [], mentions: [], models: ['rent', 'condition'], chains: { flats: { inUse: [], decided: [] } }, ...over });
const strict: RetentionSpec = { ...DEFAULT_RETENTION, versions: { keep: 1, forMs: DAY }, releases: { keep: 1, forMs: DAY } };
const plan = (inventory: Partial<Inventory> & Pick<Inventory, 'objects'>, namesIn: (name: string) => Promise<string[]>, retention = strict) =>
  planCollection({ notes: [], blobs: [], ledger: ledger(), ...inventory }, { retention, now: NOW, namesIn });
const names = (things: readonly { name: string }[]): string[] => things.map(({ name }) => name);

describe('the addresses in a text', () => {
  it('are found wherever they stand, also where slashes are escaped and in a path', () => {
    expect(addressesIn(`{"a":"${uri(1)}","b":"${uri(2).replaceAll('/', '\\/')}","c":"/x/${uri(3, 'parquet')}","d":"${uri(1)}"}`)).toEqual([uri(1), uri(2), uri(3, 'parquet')]);
  });
});

describe('what the ledger holds', () => {
  it('stays with all that it names, through as many objects as it takes', async () => {
    const { objects, namesIn } = storeOf({ 1: { onnx: ref(10, 'bin'), upstream: { a: version('condition', 2) } }, 2: { snapshot: { data: ref(11, 'bin') } }, 3: {} }, 400, [10, 11, 12]);
    const { objects: gone } = await plan({ objects, ledger: ledger({ holds: [{ current: { versions: { rent: version('rent', 1) } } }] }) }, namesIn);
    expect(names(gone)).toEqual([uri(3), uri(12, 'bin')]);
  });

  it('includes what runs under way mention, and what notes of unknown meaning name', async () => {
    const { objects, namesIn } = storeOf({ 1: {}, 2: {}, 3: {} }, 400);
    const { objects: gone } = await plan({ objects, notes: [note('monitors/flats/reference', { data: ref(2) }, 400)], ledger: ledger({ mentions: [`path ${uri(1)}`] }) }, namesIn);
    expect(names(gone)).toEqual([uri(3)]);
  });

  it('is told to be blind where it names a document that is not there', async () => {
    const { objects, namesIn } = storeOf({ 1: {} }, 400);
    const found = await plan({ objects, ledger: ledger({ holds: [version('rent', 7), ref(8, 'bin')], mentions: [uri(9)] }) }, namesIn);
    expect(found.blind).toEqual([uri(7)]);
    expect(found.missing).toEqual([uri(7), uri(8, 'bin'), uri(9)].sort());
  });
});

describe('versions', () => {
  const texts = { 1: { snapshot: { data: ref(10, 'bin') } }, 2: { snapshot: { data: ref(11, 'bin') } }, 3: {} };
  const notes = [note('versions/rent/v1', version('rent', 1), 300), note('versions/rent/v2', version('rent', 2), 200), note('versions/rent/v3', version('rent', 3), 100)];

  it('stay when they are among the newest, or young', async () => {
    const { objects, namesIn } = storeOf(texts, 400, [10, 11]);
    const by = async (versions: RetentionSpec['versions']) => (await plan({ objects, notes }, namesIn, { ...strict, versions })).versions.map(({ id }) => id).sort();
    expect(await by({ keep: 1, forMs: DAY })).toEqual(['v1', 'v2']);
    expect(await by({ keep: 2, forMs: DAY })).toEqual(['v1']);
    expect(await by({ keep: 1, forMs: 250 * DAY })).toEqual(['v1']);
    expect(await by({ keep: 3, forMs: DAY })).toEqual([]);
  });

  it('go with their objects, and leave what others share', async () => {
    const { objects, namesIn } = storeOf({ ...texts, 2: texts[1] }, 400, [10, 11]);
    const found = await plan({ objects, notes: notes.slice(0, 2) }, namesIn);
    expect(found.versions).toMatchObject([{ model: 'rent', id: 'v1', note: 'versions/rent/v1', manifest: uri(1) }]);
    expect(names(found.objects)).toEqual([uri(1), uri(3), uri(11, 'bin')]);
  });

  it('stay, whole, when a run has just read one', async () => {
    const { objects, namesIn } = storeOf(texts, 400, [10, 11]);
    const read = objects.map((object) => (object.name === uri(1) ? { ...object, at: ago(1) } : object));
    const found = await plan({ objects: read, notes }, namesIn);
    expect(found.versions.map(({ id }) => id)).toEqual(['v2']);
    expect(names(found.objects)).toEqual([uri(2), uri(11, 'bin')]);
  });

  it('of a model that the ledger does not know stay: they may be another project\'s', async () => {
    const { objects, namesIn } = storeOf(texts, 400, [10, 11]);
    const found = await plan({ objects, notes, ledger: ledger({ models: ['condition'] }) }, namesIn);
    expect(found).toMatchObject({ versions: [], objects: [], kept: { versions: 3 } });
  });

  it('take what was found out about them along, and keep it as long as they stay', async () => {
    const { objects, namesIn } = storeOf({ ...texts, 5: { rows: ref(12, 'bin') }, 6: {} }, 400, [10, 11, 12, 13]);
    const about = [
      note('evaluations/e2', { version: version('rent', 2), card: ref(5) }, 200), note('evaluations/e1', { version: version('rent', 1), card: ref(6) }, 300),
      note('labels/l2', { version: 'v2', list: ref(13, 'bin') }, 200), note('labels/l1', { version: 'v1', list: ref(14, 'bin') }, 300),
      note('trainings/t2', { version: version('rent', 2) }, 200), note('trainings/t1', { version: version('rent', 1) }, 300),
      note('snapshots/s2', { data: ref(11, 'bin') }, 200), note('snapshots/s1', { data: ref(10, 'bin') }, 300),
      note('reports/versions/rent/v1', ref(15, 'html'), 300), note('reports/r1', ref(15, 'html'), 300), note('reports/versions/rent/v2', ref(16, 'html'), 300), note('reports/r2', ref(16, 'html'), 300),
    ];
    const found = await plan({ objects, notes: [...notes.slice(0, 2), ...about] }, namesIn);
    expect(names(found.notes).sort()).toEqual(['evaluations/e1', 'labels/l1', 'reports/r1', 'reports/versions/rent/v1', 'snapshots/s1', 'trainings/t1']);
    expect(names(found.objects)).toEqual([uri(1), uri(3), uri(6), uri(10, 'bin')]);
  });
});

describe('releases', () => {
  const release = (n: number) => ({ chain: 'flats', number: n, versions: { rent: version('rent', n) } });
  const { objects, namesIn } = storeOf({ 1: {}, 2: {}, 3: {}, 4: {} }, 400);
  const notes = [1, 2, 3, 4].map((n) => note(`chains/flats/releases/${n}`, release(n), 400 - n));

  it('stay when they are in use, the newest, or young, and keep their versions', async () => {
    const found = await plan({ objects, notes, ledger: ledger({ chains: { flats: { inUse: [2], decided: [1] } } }) }, namesIn);
    expect(found.releases.map(({ number }) => number).sort()).toEqual([1, 3]);
    expect(names(found.objects)).toEqual([uri(1), uri(3)]);
  });

  it('of a chain that the ledger does not know stay', async () => {
    expect((await plan({ objects, notes, ledger: ledger({ chains: {} }) }, namesIn)).releases).toEqual([]);
  });

  it('leave the reports of decisions that can still be read', async () => {
    const reports = [1, 3, 4].map((n) => note(`reports/releases/flats/${n}`, ref(20 + n, 'html'), 300));
    const found = await plan({ objects, notes: [...notes, ...reports], ledger: ledger({ chains: { flats: { inUse: [2], decided: [1] } } }) }, namesIn);
    expect(names(found.notes)).toEqual(['reports/releases/flats/3']);
  });
});

describe('logs and leftovers', () => {
  it('go by age, logs never before what a candidate is still to answer', async () => {
    const blobs = [{ name: 'checkpoints/old', bytes: 1, at: ago(30) }, { name: 'checkpoints/new', bytes: 1, at: ago(1) }, { name: 'requests/flats/x', bytes: 1, at: ago(900) }];
    const logs = async (logSince?: string) => (await plan({ objects: [], blobs, ledger: ledger({ chains: { flats: { inUse: [], decided: [], ...(logSince && { logSince }) } } }) }, async () => [])).logs;
    expect(await logs()).toEqual([{ journal: 'requests/flats', before: '2026-03-03' }, { journal: 'outcomes/flats', before: '2025-06-01' }]);
    expect((await logs('2026-01-15T10:00:00Z'))[0]).toEqual({ journal: 'requests/flats', before: '2026-01-15' });
    expect(names((await plan({ objects: [], blobs }, async () => [])).checkpoints)).toEqual(['checkpoints/old']);
  });
});

/** Any store: objects that name others, versions, releases, notes about them, all of any age. */
const anyStore = fc.record({
  edges: fc.array(fc.array(fc.nat(14), { maxLength: 4 }), { minLength: 15, maxLength: 15 }),
  ages: fc.array(fc.nat(120), { minLength: 15, maxLength: 15 }),
  versions: fc.uniqueArray(fc.tuple(fc.constantFrom('rent', 'condition', 'foreign'), fc.nat(14), fc.nat(120)), { maxLength: 8, selector: ([, n]) => n }),
  releases: fc.uniqueArray(fc.tuple(fc.nat(6), fc.array(fc.nat(14), { maxLength: 3 }), fc.nat(120)), { maxLength: 6, selector: ([n]) => n }),
  about: fc.array(fc.tuple(fc.constantFrom('trainings', 'evaluations', 'labels', 'snapshots', 'monitors'), fc.nat(14), fc.nat(14), fc.nat(120)), { maxLength: 8 }),
  holds: fc.array(fc.nat(14), { maxLength: 3 }),
  inUse: fc.array(fc.nat(6), { maxLength: 2 }),
  keep: fc.integer({ min: 1, max: 3 }),
});
type AnyStore = typeof anyStore extends fc.Arbitrary<infer T> ? T : never;

function inventoryOf(any: AnyStore): { inventory: Inventory; namesIn: (name: string) => Promise<string[]> } {
  const texts = Object.fromEntries(any.edges.map((to, n) => [n, to.map((m) => ref(m))]));
  const objects = any.edges.map((_, n) => ({ name: uri(n), bytes: 10, at: ago(any.ages[n]!) }));
  const notes = [
    ...any.versions.map(([model, n, days]) => note(`versions/${model}/v${n}`, version(model, n), days)),
    ...any.releases.map(([n, of, days]) => note(`chains/flats/releases/${n}`, { versions: of.map((m) => version('rent', m)) }, days)),
    ...any.about.map(([kind, n, m, days], i) => note(`${kind}/${i}`, { snapshots: { data: ref(n) }, labels: { version: `v${n}`, list: ref(m) } }[kind as string] ?? { version: version('rent', n), card: ref(m) }, days)),
  ];
  const known = ledger({ holds: any.holds.map((n) => ref(n)), chains: { flats: { inUse: any.inUse, decided: [] } } });
  return { inventory: { objects, notes, blobs: [], ledger: known }, namesIn: async (name) => addressesIn(JSON.stringify(texts[Number.parseInt(name.slice(11, 75), 16)])) };
}

const retentionOf = ({ keep }: AnyStore): RetentionSpec => ({ ...strict, versions: { keep, forMs: 20 * DAY }, releases: { keep, forMs: 20 * DAY }, snapshotsMs: 10 * DAY });
const removals = (found: GarbagePlan): string[] => [...found.releases.map(({ note: n }) => n), ...found.versions.map(({ note: n }) => n), ...names(found.notes), ...names(found.objects)];
const without = (inventory: Inventory, gone: ReadonlySet<string>): Inventory =>
  ({ ...inventory, objects: inventory.objects.filter(({ name }) => !gone.has(name)), notes: inventory.notes.filter(({ name }) => !gone.has(name)) });

/** By plain recursion over the same edges: an independent word on what can be reached. */
function reachable(any: AnyStore, from: Iterable<number>): Set<number> {
  const seen = new Set<number>();
  const visit = (n: number): void => {
    if (seen.has(n)) return;
    seen.add(n);
    any.edges[n]!.forEach(visit);
  };
  for (const n of from) visit(n);
  return seen;
}

describe('for any store', () => {
  const numbers = (value: unknown): number[] => addressesIn(JSON.stringify(value)).map((name) => Number.parseInt(name.slice(11, 75), 16));

  it('nothing goes that the ledger, a note that stays, or the last days need; all else that is old does', async () => {
    await fc.assert(fc.asyncProperty(anyStore, async (any) => {
      const { inventory, namesIn } = inventoryOf(any);
      const retention = retentionOf(any);
      const found = await planCollection(inventory, { retention, now: NOW, namesIn });
      const gone = new Set(removals(found));
      const staying = inventory.notes.filter(({ name }) => !gone.has(name));
      // A release or version that stays needs all it names; of what is remembered, only what is about something that stays does.
      const needed = reachable(any, [...any.holds, ...staying.flatMap(({ value }) => numbers(value))]);
      for (const [n, days] of any.ages.entries()) expect(gone.has(uri(n))).toBe(!needed.has(n) && days * DAY > retention.unusedMs);
    }), { numRuns: 400 });
  });

  it('each version and release that goes is by rule neither new, nor young, nor in use, nor another project\'s', async () => {
    await fc.assert(fc.asyncProperty(anyStore, async (any) => {
      const { inventory, namesIn } = inventoryOf(any);
      const found = await planCollection(inventory, { retention: retentionOf(any), now: NOW, namesIn });
      for (const { model, id } of found.versions) {
        const [, n, days] = any.versions.find(([m, v]) => m === model && `v${v}` === id)!;
        const newer = any.versions.filter(([m, , d]) => m === model && d < days).length;
        expect(model).not.toBe('foreign');
        expect(days).toBeGreaterThan(20);
        expect(any.ages[n]).toBeGreaterThan(7);
        expect(newer + any.versions.filter(([m, , d]) => m === model && d === days).length).toBeGreaterThan(any.keep);
        expect(reachable(any, any.holds).has(n)).toBe(false);
      }
      for (const { number } of found.releases) {
        expect(any.inUse).not.toContain(number);
        expect(any.releases.filter(([n]) => n > number).length).toBeGreaterThanOrEqual(any.keep);
      }
    }), { numRuns: 400 });
  });

  it('a collection that was cut short anywhere, and one that ran twice, end where a whole one does', async () => {
    await fc.assert(fc.asyncProperty(anyStore, fc.nat(40), async (any, cut) => {
      const { inventory, namesIn } = inventoryOf(any);
      const of = { retention: retentionOf(any), now: NOW, namesIn };
      const whole = removals(await planCollection(inventory, of));
      const again = removals(await planCollection(without(inventory, new Set(whole)), of));
      expect(again).toEqual([]);
      const first = whole.slice(0, cut);
      const rest = removals(await planCollection(without(inventory, new Set(first)), of));
      expect([...first, ...rest].sort()).toEqual([...whole].sort());
    }), { numRuns: 400 });
  });
});
