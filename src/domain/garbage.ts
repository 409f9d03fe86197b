import type { RetentionSpec } from './retention';

/**
 * What the store holds that nothing needs: found by marking, from what the ledger (the workflows' state) holds, through manifests, cards
 * and reports, all that can be reached. An object is known by its address, wherever in a document it stands: so nothing that is named by what is
 * kept can be missed. What nobody knows the meaning of is kept.
 */
export interface Stored { name: string; bytes: number; /** When it was last written or, for an object, read; milliseconds. */ at: number }
export interface StoredNote extends Stored { value: unknown }

export interface Inventory {
  objects: readonly Stored[];
  notes: readonly StoredNote[];
  blobs: readonly Stored[];
  ledger: LedgerNeeds;
}

/** What the ledger says. */
export interface LedgerNeeds {
  /** State of workflows: all that it names must be there. */
  holds: unknown[];
  /** What else may name objects: histories of workflows under way. */
  mentions: unknown[];
  /** Models and chains that it knows of, or that the project has. Of others, which may be another project's, everything is kept. */
  models: string[];
  chains: Record<string, ChainNeeds>;
}

export interface ChainNeeds {
  /** Releases that answer, or may at once: current, previous, candidate, the one it is watched against. */
  inUse: number[];
  /** Decisions that can still be read. */
  decided: number[];
  /** Recorded requests from here on are still to be looked at, ISO. */
  logSince?: string;
}

export interface GarbagePlan {
  versions: { model: string; id: string; note: string; manifest: string; reason: string }[];
  releases: { chain: string; number: number; note: string; reason: string }[];
  /** Other notes: reports, and what was remembered of work on things that are gone. */
  notes: Stored[];
  objects: Stored[];
  checkpoints: Stored[];
  /** Days of logs before this one (yyyy-mm-dd). */
  logs: { journal: string; before: string }[];
  kept: { versions: number; releases: number };
  /** Objects that are named by what is kept, and are not there. */
  missing: string[];
  /** Those among them that the ledger needs and that may name others: what these are can't be known. */
  blind: string[];
}

/** The addresses of objects that an object names: those in its text. */
export type NamesIn = (uri: string) => Promise<readonly string[]>;

/** Why something was removed can be read for so long. */
const REMEMBERED_REMOVALS_MS = 365 * 86_400_000;

export const removedNote = (of: { model: string; id: string } | { chain: string; number: number }): string =>
  ('model' in of ? `removed/versions/${of.model}/${of.id}` : `removed/releases/${of.chain}/${of.number}`);
export interface Removal { at: string; reason: string }

const ADDRESS = /objects\\?\/[0-9a-f]{2}\\?\/[0-9a-f]{64}\.[a-z0-9]+/g;

/** Addresses of objects in a text, each once. */
export const addressesIn = (text: string): string[] => [...new Set(text.match(ADDRESS))].map((uri) => uri.replaceAll('\\', ''));

/** Work that was done once and is noted, by the first part of the note's name, with what each note is about. */
const REMEMBERED: Record<string, (value: unknown, of: { live(uri: string): boolean; versions: ReadonlySet<string> }) => boolean> = {
  snapshots: (value, { live }) => liveAt(live, value, 'data'),
  trainings: (value, { live }) => liveAt(live, value, 'version', 'manifest'),
  evaluations: (value, { live }) => liveAt(live, value, 'version', 'manifest'),
  labels: (value, { versions }) => versions.has(String(at(value, 'version'))),
  reports: (value, { live }) => liveAt(live, value),
};

const at = (value: unknown, ...path: string[]): unknown => path.reduce<unknown>((v, key) => (v as Record<string, unknown> | null | undefined)?.[key], value);
const liveAt = (live: (uri: string) => boolean, value: unknown, ...path: string[]): boolean => live(String(at(value, ...path, 'uri')));

type Kind =
  | { kind: 'version'; model: string; id: string }
  | { kind: 'release'; chain: string; number: number }
  /** Its report, its card: they go when it goes. */
  | { kind: 'ofVersion'; model: string; id: string }
  | { kind: 'releaseReport'; chain: string; number: number }
  | { kind: 'remembered'; of: string }
  /** Read by people: never removed, but what it names is not kept for it. */
  | { kind: 'record' }
  /** Never removed; what it names is kept. */
  | { kind: 'other' };

function kindOf(note: string): Kind {
  const parts = note.split('/');
  const [first, second = '', third = '', fourth = ''] = parts;
  const number = Number(parts.at(-1));
  if (first === 'versions' && parts.length === 3) return { kind: 'version', model: second, id: third };
  if (first === 'chains' && third === 'releases' && parts.length === 4 && Number.isInteger(number)) return { kind: 'release', chain: second, number };
  if (first === 'reports' && second === 'versions' && parts.length === 4) return { kind: 'ofVersion', model: third, id: fourth };
  if (first === 'reports' && second === 'releases' && parts.length === 4 && Number.isInteger(number)) return { kind: 'releaseReport', chain: third, number };
  if (first === 'cards' && parts.length === 3) return { kind: 'ofVersion', model: second, id: third };
  if (first === 'decisions' || first === 'origins') return { kind: 'record' };
  if (parts.length === 2 && Object.hasOwn(REMEMBERED, first!)) return { kind: 'remembered', of: first! };
  return { kind: 'other' };
}

/** Throws what `namesIn` throws of an object that can't be read, so that nothing is concluded from half of it; one that is missing is named. */
export async function planCollection(inventory: Inventory, of: { retention: RetentionSpec; now: number; namesIn: NamesIn }): Promise<GarbagePlan> {
  const { objects, notes, blobs, ledger } = inventory;
  const { retention, now, namesIn } = of;
  const used = new Map(objects.map((object) => [object.name, object.at]));
  const isOlder = (time: number, ms: number): boolean => time < now - ms;
  const isInUse = (uri: string): boolean => !isOlder(used.get(uri) ?? -Infinity, retention.unusedMs);
  const marks = new Marks(new Set(used.keys()), namesIn);
  const sorted = notes.map((note) => ({ ...note, ...kindOf(note.name) }));
  type Sorted<K extends Kind['kind']> = (typeof sorted)[number] & Extract<Kind, { kind: K }>;
  const all = <K extends Kind['kind']>(kind: K): Sorted<K>[] => sorted.filter((note): note is Sorted<K> => note.kind === kind);

  for (const value of ledger.holds) await marks.from(value);
  const blind = [...marks.missing].filter((uri) => uri.endsWith('.json')).sort();
  for (const value of ledger.mentions) await marks.from(value);
  for (const { value } of all('other')) await marks.from(value);

  const releases = grouped(all('release'), ({ chain }) => chain);
  const keptReleases = new Set<string>();
  for (const [chain, those] of releases) {
    const needs = ledger.chains[chain];
    const newest = those.sort((a, b) => b.number - a.number);
    for (const [i, release] of newest.entries()) {
      const keep = !needs || needs.inUse.includes(release.number) || i < retention.releases.keep || !isOlder(release.at, retention.releases.forMs) || !isOlder(release.at, retention.unusedMs);
      if (!keep) continue;
      keptReleases.add(release.name);
      await marks.from(release.value);
    }
  }

  const known = new Set(ledger.models);
  const versions = grouped(all('version'), ({ model }) => model);
  for (const [model, those] of versions) {
    const newest = those.sort((a, b) => b.at - a.at || (a.id < b.id ? -1 : 1));
    for (const [i, version] of newest.entries()) {
      const keep = !known.has(model) || i < retention.versions.keep || !isOlder(version.at, retention.versions.forMs) || !isOlder(version.at, retention.unusedMs)
        // A run that found it made already has just read it.
        || isInUse(manifestOf(version.value));
      if (keep) await marks.from(version.value);
    }
  }
  for (const note of all('remembered')) {
    if (note.of === 'snapshots' && (!isOlder(note.at, retention.snapshotsMs) || isInUse(String(at(note.value, 'data', 'uri'))))) await marks.from(note.value);
  }

  // What was found out about kept versions is kept with them; it may name more.
  const open = new Map([...all('remembered'), ...all('ofVersion'), ...all('releaseReport')].map((note) => [note.name, note]));
  const live = (uri: string): boolean => marks.reached.has(uri);
  for (let grown = true; grown;) {
    grown = false;
    const ids = new Set(all('version').filter(({ value }) => live(manifestOf(value))).map(({ id }) => id));
    for (const [name, note] of open) {
      const stays = (() => {
        switch (note.kind) {
          case 'remembered': return REMEMBERED[note.of]!(note.value, { live, versions: ids });
          case 'ofVersion': return ids.has(note.id) || !known.has(note.model);
          case 'releaseReport': {
            const needs = ledger.chains[note.chain];
            return !needs || needs.decided.includes(note.number) || needs.inUse.includes(note.number) || keptReleases.has(`chains/${note.chain}/releases/${note.number}`);
          }
        }
      })();
      if (!stays && isOlder(note.at, retention.unusedMs)) continue;
      open.delete(name);
      grown = true;
      await marks.from(note.value);
    }
  }

  const goneVersions = all('version').filter(({ value }) => !live(manifestOf(value))).sort((a, b) => b.at - a.at || (a.name < b.name ? -1 : 1));
  const goneReleases = all('release').filter(({ name }) => !keptReleases.has(name)).sort((a, b) => b.number - a.number || (a.chain < b.chain ? -1 : 1));
  return {
    versions: goneVersions.map(({ model, id, name: note, value }) => ({
      model, id, note, manifest: manifestOf(value), reason: `no release that is kept has it, and it is neither among the newest ${retention.versions.keep} nor younger than ${inWords(retention.versions.forMs)}`,
    })),
    releases: goneReleases.map(({ chain, number, name: note }) => ({
      chain, number, note, reason: `it is neither in use nor among the newest ${retention.releases.keep}, and older than ${inWords(retention.releases.forMs)}`,
    })),
    notes: [...open.values(), ...all('other').filter(({ name, at: time }) => name.startsWith('removed/') && isOlder(time, REMEMBERED_REMOVALS_MS))]
      .map(({ name, bytes, at: time }) => ({ name, bytes, at: time })),
    objects: objects.filter(({ name, at: time }) => !live(name) && isOlder(time, retention.unusedMs)),
    checkpoints: blobs.filter(({ name, at: time }) => name.startsWith('checkpoints/') && isOlder(time, retention.checkpointsMs)),
    logs: Object.entries(ledger.chains).flatMap(([chain, { logSince }]) => [
      { journal: `requests/${chain}`, before: dayBefore(now - retention.requestsMs, logSince) },
      { journal: `outcomes/${chain}`, before: dayBefore(now - retention.outcomesMs, logSince) },
    ]),
    kept: { versions: all('version').length - goneVersions.length, releases: keptReleases.size },
    missing: [...marks.missing].sort(),
    blind,
  };
}

const manifestOf = (version: unknown): string => String(at(version, 'manifest', 'uri'));

const dayBefore = (ms: number, since: string | undefined): string =>
  new Date(since === undefined ? ms : Math.min(ms, Date.parse(since))).toISOString().slice(0, 'yyyy-mm-dd'.length);

const inWords = (ms: number): string => {
  const [n, unit] = ms % 86_400_000 === 0 ? [ms / 86_400_000, 'day'] : ms % 3_600_000 === 0 ? [ms / 3_600_000, 'hour'] : [Math.round(ms / 1_000), 'second'];
  return `${n} ${unit}${n === 1 ? '' : 's'}`;
};

function grouped<T>(items: readonly T[], by: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(by(item));
    if (group) group.push(item);
    else groups.set(by(item), [item]);
  }
  return groups;
}

/** All objects that can be reached from what was given. */
class Marks {
  readonly reached = new Set<string>();
  readonly missing = new Set<string>();
  constructor(private readonly there: ReadonlySet<string>, private readonly namesIn: NamesIn) {}

  async from(value: unknown): Promise<void> {
    const open = addressesIn(typeof value === 'string' ? value : JSON.stringify(value) ?? '');
    for (let uri = open.pop(); uri !== undefined; uri = open.pop()) {
      if (this.reached.has(uri)) continue;
      this.reached.add(uri);
      if (!this.there.has(uri)) this.missing.add(uri);
      else if (uri.endsWith('.json')) open.push(...(await this.namesIn(uri)));
    }
  }
}
