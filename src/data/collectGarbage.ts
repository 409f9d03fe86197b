import { ShoalError } from '../domain/errors';
import { addressesIn, planCollection, removedNote, type GarbagePlan, type Inventory, type LedgerNeeds, type Removal, type Stored, type StoredNote } from '../domain/garbage';
import { COLLECTED, MAX_NAMED, type CollectedKind, type Collection, type CollectionInput, type Removed } from '../domain/retention';
import { pointer } from '../store/pointer';
import type { Store, StoredKind } from '../store/store';
import { dropDays } from './dropLogs';

/** Asks the ledger, or throws: what it can't say must not be taken for nothing. */
export type AskLedger = (names: { models: string[]; chains: string[] }) => Promise<LedgerNeeds>;

export interface CollectDeps {
  store: Store;
  ledger: AskLedger;
  now: number;
  signal?: AbortSignal;
  report?(progress: { removed: number; of: number }): void;
}

const AT_ONCE = 32;

/**
 * Removes from the store what no release, run or rule needs (domain/garbage.ts). It may be killed anywhere and run twice at once: names go before
 * what they name, and each thing is looked at again when its turn comes, so that what has been put to use since the plan was made stays.
 *
 * @throws ShoalError when what is needed can't be told; nothing has been removed then
 */
export async function collectGarbage(input: CollectionInput, deps: CollectDeps): Promise<Collection> {
  const { inventory, plan } = await makePlan(input, deps);
  return input.dryRun ? inWords(plan, { input, deps, inventory, removed: await whatIf(plan, { input, deps, inventory }) }) : sweep(plan, { input, deps, inventory });
}

async function makePlan(input: CollectionInput, { store, ledger, now }: CollectDeps): Promise<{ inventory: Inventory; plan: GarbagePlan }> {
  try {
    // The ledger is asked last, so that it knows of all that has been found.
    const [objects, blobs] = [await store.contents('objects'), await store.contents('blobs')];
    const notes = await readNotes(store);
    const namesOf = (pattern: RegExp): string[] => notes.flatMap(({ name }) => pattern.exec(name)?.[1] ?? []);
    const models = [...new Set([...input.models, ...namesOf(/^versions\/([^/]+)\//)])];
    const chains = [...new Set([...input.chains, ...namesOf(/^chains\/([^/]+)\//)])];
    const needs = await ledger({ models, chains });
    assertKnown(input, needs, new Set(notes.map(({ name }) => name)), models);
    const inventory = { objects, notes, blobs, ledger: needs };
    const plan = await planCollection(inventory, { retention: input.retention, now, namesIn: async (uri) => addressesIn((await store.peek(uri)).toString('utf8')) });
    if (plan.blind.length > 0) {
      throw new ShoalError('NOT_COLLECTED', `${plan.blind[0]} is not in the store, and a release, a model or a run needs it: what else it needs can't be told.`, {
        remedy: 'Restore it from a copy, or run what made it again.', details: { missing: plan.blind } });
    }
    return { inventory, plan };
  } catch (error) {
    if (!(error instanceof ShoalError)) throw error;
    throw new ShoalError(error.code, `Nothing was removed from the store. ${error.message}`, { details: error.details, cause: error });
  }
}

async function readNotes(store: Store): Promise<StoredNote[]> {
  const notes: StoredNote[] = [];
  await each(await store.contents('notes'), async (entry) => {
    const value = await store.readNote(entry.name);
    if (value !== undefined) notes.push({ ...entry, value });
  });
  return notes;
}

/** A ledger that does not know what the store says was released is another one, or a new one: by it, nothing would be needed. */
function assertKnown(input: CollectionInput, needs: LedgerNeeds, notes: ReadonlySet<string>, withVersions: string[]): void {
  const chain = input.chains.find((name) => notes.has(pointer(name)) && !Object.hasOwn(needs.chains, name));
  const model = input.models.find((name) => !needs.models.includes(name) && withVersions.includes(name) && [...notes].some((note) => note.startsWith(`versions/${name}/`)));
  if (chain === undefined && model === undefined) return;
  const what = chain === undefined ? `versions of the model ${model}` : `a release of the chain ${chain}`;
  throw new ShoalError('NOT_COLLECTED', `The store has ${what}, and the Temporal server knows nothing of it: it is another server or namespace, or a new one.`, {
    remedy: 'Name the right server, or run `shoal train` to make this one know.', details: { chain, model } });
}

interface Sweep { input: CollectionInput; deps: CollectDeps; inventory: Inventory }
type Tally = Record<CollectedKind, Removed>;
const nothing = (): Tally => Object.fromEntries(COLLECTED.map((kind) => [kind, { count: 0, bytes: 0 }])) as Tally;

async function sweep(plan: GarbagePlan, of: Sweep): Promise<Collection> {
  const { input: { retention }, deps: { store, now, signal, report }, inventory } = of;
  const removed = nothing();
  const sizes = new Map(inventory.notes.map(({ name, bytes }) => [name, bytes]));
  const total = plan.releases.length + plan.versions.length + plan.notes.length + plan.objects.length + plan.checkpoints.length;
  let done = 0;
  const unlessSince = now - retention.unusedMs;
  const discard = async (kind: StoredKind, { name, bytes }: Pick<Stored, 'name' | 'bytes'>, as: CollectedKind, since = unlessSince): Promise<boolean> => {
    signal?.throwIfAborted();
    const gone = await store.discard(kind, name, { unlessSince: since });
    report?.({ removed: ++done, of: total });
    if (gone) removed[as] = { count: removed[as].count + 1, bytes: removed[as].bytes + bytes };
    return gone;
  };
  /** Why it went can be read as soon as it may be gone. */
  const withReason = async (note: string, tomb: string, reason: string, as: CollectedKind): Promise<boolean> => {
    await store.writeNote(tomb, { at: new Date(now).toISOString(), reason } satisfies Removal);
    if (await discard('notes', { name: note, bytes: sizes.get(note) ?? 0 }, as)) return true;
    await store.removeNote(tomb);
    return false;
  };

  const releases = [];
  for (const release of plan.releases) if (await withReason(release.note, removedNote(release), release.reason, 'releases')) releases.push(release);
  const versions = [];
  for (const version of plan.versions) {
    const used = await store.touchedAt('objects', version.manifest);
    if (used !== undefined && used >= unlessSince) continue;
    if (await withReason(version.note, removedNote(version), version.reason, 'versions')) versions.push(version);
  }
  for (const note of plan.notes) await discard('notes', note, 'notes');
  await each(plan.objects, async (object) => { await discard('objects', object, 'objects'); });
  for (const blob of plan.checkpoints) await discard('blobs', blob, 'checkpoints', now - retention.checkpointsMs);
  removed.scratch = await store.discardScratch({ before: now - retention.scratchMs, dryRun: false });
  removed.logs = await dropLogs(plan, of);
  return inWords({ ...plan, versions, releases }, { ...of, removed });
}

async function whatIf(plan: GarbagePlan, of: Sweep): Promise<Tally> {
  const { input: { retention }, deps: { store, now }, inventory } = of;
  const sizes = new Map(inventory.notes.map(({ name, bytes }) => [name, bytes]));
  const sum = (things: readonly Pick<Stored, 'bytes'>[]): Removed => ({ count: things.length, bytes: things.reduce((all, { bytes }) => all + bytes, 0) });
  const named = (things: readonly { note: string }[]): Removed => sum(things.map(({ note }) => ({ bytes: sizes.get(note) ?? 0 })));
  return {
    versions: named(plan.versions),
    releases: named(plan.releases),
    notes: sum(plan.notes),
    objects: sum(plan.objects),
    checkpoints: sum(plan.checkpoints),
    scratch: await store.discardScratch({ before: now - retention.scratchMs, dryRun: true }),
    logs: await dropLogs(plan, of),
  };
}

async function dropLogs(plan: GarbagePlan, { input: { dryRun }, deps: { store, now }, inventory: { notes, blobs } }: Sweep): Promise<Removed> {
  const dropped = { count: 0, bytes: 0 };
  for (const log of plan.logs) {
    const { count, bytes } = await dropDays(store, { ...log, notes, blobs, now, dryRun });
    dropped.count += count;
    dropped.bytes += bytes;
  }
  return dropped;
}

function inWords(plan: GarbagePlan, { input, deps, inventory, removed }: Sweep & { removed: Tally }): Collection {
  const { length } = inventory.objects;
  const bytes = inventory.objects.reduce((sum, object) => sum + object.bytes, 0);
  return {
    dryRun: input.dryRun,
    at: new Date(deps.now).toISOString(),
    versions: plan.versions.slice(0, MAX_NAMED).map(({ model, id, reason }) => ({ model, id, reason })),
    releases: plan.releases.slice(0, MAX_NAMED).map(({ chain, number, reason }) => ({ chain, number, reason })),
    removed,
    kept: { ...plan.kept, count: length - removed.objects.count, bytes: bytes - removed.objects.bytes },
    notes: plan.missing.length === 0 ? [] : [`${plan.missing.length} objects that kept notes or runs under way name are not in the store, for instance ${plan.missing[0]!}.`],
  };
}

async function each<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, async () => {
    while (next < items.length) await work(items[next++]!);
  }));
}
