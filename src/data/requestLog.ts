import type { LogArm, LogEntry } from '../domain/requestLog';
import type { Store } from '../store/store';
import { literal } from './duckdb';
import { GroupWriter } from './groupWriter';
import { dayOf, hourFolder, type Days } from './journal';
import { compactToParquet, journalTable, openWorkspace, withWorkspace, type Workspace } from './journalTable';
import { assertReadable, entryLine, readEntries, REQUEST_FORM, requestJournal, type LoggedEntry } from './requestTable';

/** Which entries: of requests that came in [since, until), ISO. */
export interface LogQuery { chain: string; since: string; until?: string; releases?: readonly number[]; arms?: readonly LogArm[] }

/** What a release did with a chain's requests that came from `since` on. */
export interface RequestCounts {
  live: number;
  /** Live requests to others that it answered unseen. */
  shadow: number;
  /** The newest live request, whoever answered, ISO. */
  lastRequestAt?: string;
}

export interface RequestLog {
  /** Returns when the entries are on the disk. Those of callers at the same time are written together. */
  append(entries: readonly LogEntry[]): Promise<void>;
  /**
   * Entries in the order of their requests' times, then ids; some at a time. Of entries of one name the first counts, and a live one of a
   * release that was given up on that request not at all.
   */
  read(query: LogQuery): AsyncGenerator<LoggedEntry[]>;
  /** So many of the requests that were answered live and that a release has not answered at all, the oldest first. */
  unanswered(query: { chain: string; since: string; release: number; limit: number }): Promise<LoggedEntry[]>;
  count(query: { chain: string; since: string; release: number }): Promise<RequestCounts>;
  /** Makes Parquet of entries about hours that ended before a time (ISO). Can be interrupted, and run twice at once. */
  compact(of: { chain: string; before: string }): Promise<{ objects: number; blobs: number }>;
}

/** A blob is named by the time at which it begins to be written, and can be read so much later. */
export const VISIBLE_MS = 1_000;

/** The predictions of a chain, as a journal (journal.ts) by the hours in which requests came. */
export function createRequestLog(store: Store, { now = Date.now }: { now?: () => number } = {}): RequestLog {
  const writer = new GroupWriter(store, now);
  return {
    async append(entries) {
      entries.forEach(assertReadable);
      await writer.append(entries.map((entry) => ({ folder: hourFolder(requestJournal(entry.chain), entry.at), line: (logged) => entryLine(entry, logged) })));
    },

    async* read(query) {
      const { chain } = query;
      const workspace = await openWorkspace(store);
      try {
        const lines = await requestTable(store, workspace, query, now());
        const asked = conditions({ ...query, ...(query.arms && { arms: [...query.arms, 'abandoned'] }) });
        yield* withoutUnseen(readEntries(workspace, { chain, table: `(SELECT * FROM ${lines} WHERE ${asked})`, order: REQUEST_FORM.order.join(', ') }), query.arms);
      } finally {
        await workspace.close();
      }
    },

    unanswered: ({ chain, since, release, limit }) => withWorkspace(store, async (workspace) => {
      const lines = await requestTable(store, workspace, { chain, since }, now());
      const answered = `SELECT request FROM ${lines} WHERE "release" = ${release}`;
      const chosen = `SELECT request, "release", arm, min(logged) AS logged FROM ${lines} WHERE ${conditions({ since, arms: ['live'] })} AND "row" IS NOT NULL ` +
        `AND request NOT IN (${answered}) GROUP BY request, "release", arm ORDER BY min("at"), request LIMIT ${limit}`;
      const table = `(SELECT lines.* FROM ${lines} AS lines SEMI JOIN (${chosen}) AS chosen USING (request, "release", arm, logged))`;
      const entries: LoggedEntry[] = [];
      for await (const some of readEntries(workspace, { chain, table, order: REQUEST_FORM.order.join(', ') })) entries.push(...some);
      return entries;
    }),

    count: ({ chain, since, release }) => withWorkspace(store, async (workspace) => {
      const lines = await requestTable(store, workspace, { chain, since }, now());
      const mine = (arm: LogArm): string => `count(DISTINCT request) FILTER (arm = '${arm}' AND "release" = ${release})`;
      const row = await workspace.db.row<{ live: string; shadow: string; last: string | null }>(
        `SELECT ${mine('live')} AS live, ${mine('shadow')} AS shadow, epoch_ms(max("at") FILTER (arm = 'live')) AS last FROM ${lines} WHERE ${conditions({ since })}`);
      return { live: Number(row.live), shadow: Number(row.shadow), ...(row.last !== null && { lastRequestAt: new Date(Number(row.last)).toISOString() }) };
    }),

    compact: ({ chain, before }) => compactToParquet(store, { journal: requestJournal(chain), form: REQUEST_FORM, before: Date.parse(before) }),
  };
}

/**
 * A worker may die with an answer logged, and its release be given up: the answer that the caller got is another's. What was given up
 * comes right before what was live of the same request and release.
 */
async function* withoutUnseen(batches: AsyncIterable<LoggedEntry[]>, arms: readonly LogArm[] | undefined): AsyncGenerator<LoggedEntry[]> {
  let abandoned: LoggedEntry | undefined;
  for await (const entries of batches) {
    const seen = entries.filter((entry) => {
      if (entry.arm === 'abandoned') abandoned = entry;
      if (arms && !arms.includes(entry.arm)) return false;
      return entry.arm !== 'live' || entry.request !== abandoned?.request || entry.release !== abandoned.release;
    });
    if (seen.length > 0) yield seen;
  }
}

/** SQL of the lines about the days of a query. */
export const requestTable = (store: Store, workspace: Workspace, query: Pick<LogQuery, 'chain' | 'since' | 'until'>, now: number): Promise<string> =>
  journalTable(store, workspace, { journal: requestJournal(query.chain), form: REQUEST_FORM, days: daysIn(query, now) });

/** Clocks differ: a request may come from tomorrow. */
const daysIn = ({ since, until }: Pick<LogQuery, 'since' | 'until'>, now: number): Days =>
  ({ since: dayOf(new Date(since).toISOString()), until: dayOf(new Date(until ?? now + 86_400_000).toISOString()) });

/** A query as SQL over the columns of REQUEST_FORM. */
export function conditions({ since, until, releases, arms }: Omit<LogQuery, 'chain'>): string {
  return [
    `"at" >= ${timestamp(Date.parse(since))}`,
    ...(until === undefined ? [] : [`"at" < ${timestamp(Date.parse(until))}`]),
    ...(releases ? [`"release" IN (${releases.map(Number).join(', ') || 'NULL'})`] : []),
    ...(arms ? [`arm IN (${arms.map(literal).join(', ') || 'NULL'})`] : []),
  ].join(' AND ');
}

export const timestamp = (ms: number): string => `make_timestamp(${Math.round(ms)} * 1000)`;
