import { randomUUID } from 'node:crypto';
import { ShoalError } from '../domain/errors';
import type { ArtifactRef } from '../domain/version';
import type { Store } from '../store/store';

/**
 * Lines that are only ever added, by any number of processes: first as JSON in small blobs, later as Parquet.
 *
 *   blobs  <journal>/<yyyy-mm-dd>/<hh>/<milliseconds>-<uuid>   what one writer added at once, under the hour that it is about
 *   notes  <journal>/<yyyy-mm-dd>/<start of the object's hash>   a Parquet object made of blobs, and while they are there their names
 *
 * To compact is to put the object, to note it with the names of its blobs, to remove them, and to leave their names out of the note.
 * Whoever reads skips blobs that a note names. So it may be interrupted anywhere, and run twice at once: then two objects may hold
 * the same line, and readers take lines of one name as one.
 */
export interface Segment { data: ArtifactRef; blobs: string[] }

/** Both included, yyyy-mm-dd. */
export interface Days { since: string; until: string }

const HOUR_MS = 3_600_000;
const MAX_DAYS = 62;
const AT_ONCE = 32;
/** Each is another compaction that has removed blobs between listing and reading. */
const MAX_LISTINGS = 20;

const ISO_DAY = 'yyyy-mm-dd'.length;
export const dayOf = (iso: string): string => iso.slice(0, ISO_DAY);

/** The folder of an hour. @param at ISO, in UTC */
export const hourFolder = (journal: string, at: string): string => `${journal}/${dayOf(at)}/${at.slice(ISO_DAY + 1, ISO_DAY + 3)}`;

/** A new blob of lines. They are on the disk when this returns. */
export async function writeLines(store: Store, of: { folder: string; lines: readonly string[]; writtenAt: number }): Promise<void> {
  await store.writeBlob(`${of.folder}/${of.writtenAt}-${randomUUID()}`, Buffer.from(`${of.lines.join('\n')}\n`));
}

/** JSON text on one line, that every reader of JSON takes: half a surrogate pair becomes U+FFFD. */
export function jsonLine(value: unknown): string {
  const text = JSON.stringify(value);
  if (!text.includes('\\ud')) return text;
  return text.replace(/\\(?:ud[89a-f][0-9a-f]{2}|.)/g, (escape) => (escape.startsWith('\\ud') ? '\ufffd' : escape));
}

/** All lines about these days (all without): objects, and the text of blobs that are in none of them. */
export async function readJournal(store: Store, journal: string, days?: Days): Promise<{ objects: ArtifactRef[]; fresh: Buffer[] }> {
  for (let i = 0; i < MAX_LISTINGS; i++) {
    const found = await look(store, journal, days);
    if (found !== undefined) return found;
  }
  throw new ShoalError('STORE_UNAVAILABLE', `The log ${journal} changes faster than it can be read.`, { remedy: 'Try again.' });
}

/** Undefined when a compaction has removed something since it was listed. Blobs are listed first: those that are gone by then are noted. */
async function look(store: Store, journal: string, days: Days | undefined): Promise<{ objects: ArtifactRef[]; fresh: Buffer[] } | undefined> {
  const within = (path: string): boolean => {
    const day = dayOf(path.slice(journal.length + 1));
    return days === undefined || (day >= days.since && day <= days.until);
  };
  const prefixes = daysOf(days)?.map((day) => `${journal}/${day}/`) ?? [`${journal}/`];
  const blobs = (await each(prefixes, (prefix) => store.listBlobs(prefix))).flat().filter(within);
  const noted = (await each(prefixes, (prefix) => segmentsUnder(store, prefix))).flat().filter(({ note }) => within(note));
  const held = new Set(noted.flatMap(({ segment }) => segment.blobs));
  const fresh = await each(blobs.filter((blob) => !held.has(blob)), (blob) => store.readBlob(blob));
  if (fresh.includes(undefined)) return undefined;
  return { objects: noted.map(({ segment }) => segment.data), fresh: fresh as Buffer[] };
}

/** The days between two; undefined when they are so many that it is cheaper to list all there are. */
function daysOf(days: Days | undefined): string[] | undefined {
  if (days === undefined) return undefined;
  const found: string[] = [];
  for (let day = days.since; day <= days.until; day = dayOf(new Date(Date.parse(day) + 24 * HOUR_MS).toISOString())) {
    if (found.push(day) > MAX_DAYS) return undefined;
  }
  return found;
}

async function segmentsUnder(store: Store, prefix: string): Promise<{ note: string; segment: Segment }[]> {
  const notes = await each(await store.listNotes(prefix), async (note) => ({ note, segment: await store.readNote<Segment>(note) }));
  return notes.filter((one): one is { note: string; segment: Segment } => one.segment !== undefined);
}

/**
 * Makes one Parquet object a day of the blobs about hours that ended before a time.
 *
 * @param toParquet puts lines of blobs as one object, the same whatever the order of the blobs
 */
export async function compactJournal(
  store: Store,
  of: { journal: string; before: number; toParquet(lines: readonly Buffer[]): Promise<ArtifactRef> },
): Promise<{ objects: number; blobs: number }> {
  const { journal, before, toParquet } = of;
  const ended = hourFolder(journal, new Date(before).toISOString());
  const past = (await store.listBlobs(`${journal}/`)).filter((blob) => blob < ended);
  const done = { objects: 0, blobs: 0 };
  for (const [folder, blobs] of byDay(past, journal)) {
    const held = await finishEarlier(store, folder);
    // One that is gone by now is in the object of another compaction.
    const read = await each(blobs.filter((blob) => !held.has(blob)), async (name) => ({ name, lines: await store.readBlob(name) }));
    const found = read.filter((blob): blob is { name: string; lines: Buffer } => blob.lines !== undefined);
    if (found.length === 0) continue;
    const segment: Segment = { data: await toParquet(found.map((blob) => blob.lines)), blobs: found.map((blob) => blob.name) };
    const note = `${folder}${segment.data.sha256.slice(0, 16)}`;
    await store.writeNote(note, segment);
    await letGo(store, note, segment);
    done.objects++;
    done.blobs += found.length;
  }
  return done;
}

function byDay(blobs: readonly string[], journal: string): Map<string, string[]> {
  const days = new Map<string, string[]>();
  for (const blob of blobs) {
    const folder = blob.slice(0, journal.length + 1 + ISO_DAY + 1);
    const day = days.get(folder);
    if (day) day.push(blob);
    else days.set(folder, [blob]);
  }
  return days;
}

/** Removes blobs that objects of the day hold already, and says which those were. */
async function finishEarlier(store: Store, folder: string): Promise<Set<string>> {
  const unfinished = (await segmentsUnder(store, folder)).filter(({ segment }) => segment.blobs.length > 0);
  for (const { note, segment } of unfinished) await letGo(store, note, segment);
  return new Set(unfinished.flatMap(({ segment }) => segment.blobs));
}

async function letGo(store: Store, note: string, { data, blobs }: Segment): Promise<void> {
  await each(blobs, (blob) => store.removeBlob(blob));
  await store.writeNote(note, { data, blobs: [] } satisfies Segment);
}

async function each<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results = new Array<R>(items.length);
  let next = 0;
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, async () => {
    while (next < items.length) {
      const i = next++;
      results[i] = await work(items[i]!);
    }
  }));
  return results;
}
