import type { Row } from '../domain/prediction';
import type { MonitorSpec } from '../domain/monitor';
import type { Store } from '../store/store';
import { withWorkspace, type Workspace } from './journalTable';
import { outcomeTable } from './outcomes';
import { conditions, requestTable, timestamp, VISIBLE_MS } from './requestLog';

/** A request may be logged so much later than it came. */
const SETTLE_MS = 5_000;
/** Of a window's rows, so many are looked at: a sample by chance, the same each time. */
export const SAMPLED_ROWS = 10_000;

export interface LiveQuery {
  chain: string;
  release: number;
  window: MonitorSpec['window'];
  /** How many windows, the newest complete ones. */
  windows: number;
  /** What was not there by then does not count, ISO. */
  until: string;
}

/** Milliseconds; `to` is not included. */
export interface Span { from: number; to: number; rows: number; outcomes: number }
export interface LiveRow { request: string; key: string; input: Row; output: Record<string, unknown>; truth: number | string | null }
export interface LiveWindows {
  /** The newest last. */
  spans: Span[];
  /** A sample of a window's rows. */
  read(window: number): Promise<LiveRow[]>;
  /** A sample of what each release that answered users between two times said. */
  releases(of: { from: number; to: number }): Promise<Map<number, LiveRow[]>>;
  /** By key, what came of them, by the outcomes of another chain. */
  outcomesOf(chain: string, keys: readonly string[]): Promise<Map<string, number | string>>;
}

/**
 * The live answers of a chain by windows, joined with their outcomes, in DuckDB: in memory there is one window's sample at a time. Of windows
 * of requests the first begins with the first request that the release answered; windows of time lie on multiples of their length.
 */
export function withLiveWindows<T>(store: Store, query: LiveQuery, work: (live: LiveWindows) => Promise<T>): Promise<T> {
  return withWorkspace(store, async (workspace) => {
    const { db } = workspace;
    const { release } = query;
    await spread(store, workspace, query);
    const spans = (await db.rows<{ w: string; from: string; to: string; rows: string; outcomes: string }>(
      `SELECT w, any_value(span_from)::VARCHAR AS "from", any_value(span_to)::VARCHAR AS "to", count("row")::VARCHAR AS "rows",
         count("row") FILTER (known)::VARCHAR AS outcomes
       FROM spans LEFT JOIN (SELECT * FROM answered WHERE "release" = ${release}) USING (w) GROUP BY w ORDER BY w`,
    )).map((s) => ({ w: Number(s.w), from: Number(s.from), to: Number(s.to), rows: Number(s.rows), outcomes: Number(s.outcomes) }));
    const read = async (where: string): Promise<(LiveRow & { release: number })[]> => (await db.rows<Read>(
      `SELECT "release", request, "key", "input", "output", "value", label FROM answered WHERE ${where}
       QUALIFY row_number() OVER (PARTITION BY "release" ORDER BY hash("key"), request, "row") <= ${SAMPLED_ROWS} ORDER BY "at", request, "row"`,
    )).map((r) => ({
      release: r.release, request: r.request, key: r.key, input: JSON.parse(r.input) as Row, output: JSON.parse(r.output) as Record<string, unknown>, truth: r.value ?? r.label,
    }));
    return work({
      spans,
      read: (window) => read(`"release" = ${release} AND w = ${spans[window]!.w}`),
      releases: async ({ from, to }) => {
        const found = new Map<number, LiveRow[]>();
        for (const row of await read(`"at" >= ${timestamp(from)} AND "at" < ${timestamp(to)}`)) found.set(row.release, [...(found.get(row.release) ?? []), row]);
        return found;
      },
      outcomesOf: async (chain, keys) => {
        const wanted = new Set(keys);
        const rows = await db.rows<{ key: string; value: number | null; label: string | null }>(`SELECT "key", "value", label FROM ${await known(store, workspace, chain, query.until)}`);
        return new Map(rows.flatMap(({ key, value, label }) => (wanted.has(key) ? [[key, (value ?? label)!]] : [])));
      },
    });
  });
}

interface Read { release: number; request: string; key: string; input: string; output: string; value: number | null; label: string | null }

const known = (store: Store, workspace: Workspace, chain: string, until: string): Promise<string> =>
  outcomeTable(store, workspace, { chain, until: new Date(Date.parse(until) - VISIBLE_MS).toISOString() });

/** Makes the tables `spans` (w, span_from, span_to) and `answered`: one line a row that was answered live. */
async function spread(store: Store, workspace: Workspace, query: LiveQuery): Promise<void> {
  const { db } = workspace;
  const { chain, release, window, windows, until } = query;
  const end = Date.parse(until) - SETTLE_MS;
  const ofTime = 'ms' in window ? window.ms : undefined;
  const last = ofTime && Math.floor(end / ofTime);
  const since = new Date(ofTime ? Math.max(0, (last! - windows) * ofTime) : 0).toISOString();
  const lines = await requestTable(store, workspace, { chain, since, until }, Date.parse(until));
  const asked = `${conditions({ since, until: new Date(end).toISOString() })} AND logged < ${timestamp(Date.parse(until))}`;
  if (ofTime) {
    await db.run(`CREATE TEMP TABLE spans AS SELECT w, w * ${ofTime}::BIGINT AS span_from, (w + 1) * ${ofTime}::BIGINT AS span_to
      FROM (SELECT unnest(range(${Math.max(0, last! - windows)}, ${last!})) AS w)`);
  } else {
    const size = (window as { requests: number }).requests;
    await db.run(`CREATE TEMP TABLE numbered AS SELECT request, "at", (row_number() OVER (ORDER BY "at", request) - 1) // ${size} AS w
      FROM (SELECT request, min("at") AS "at" FROM ${lines} WHERE ${asked} AND arm = 'live' AND "release" = ${release} GROUP BY request)`);
    await db.run(`CREATE TEMP TABLE spans AS SELECT w, epoch_ms(min("at")) AS span_from, epoch_ms(max("at")) + 1 AS span_to
      FROM numbered GROUP BY w HAVING count(*) = ${size} ORDER BY w DESC LIMIT ${windows}`);
  }
  const w = ofTime ? `epoch_ms(its."at") // ${ofTime}` : `(SELECT numbered.w FROM numbered WHERE numbered.request = its.request)`;
  const outcomes = await known(store, workspace, chain, until);
  const first = Number((await db.row<{ first: string | null }>('SELECT min(span_from)::VARCHAR AS first FROM spans')).first ?? end);
  await db.run(`CREATE TEMP TABLE answered AS
    SELECT its.request, its."row", its."key", its."at", its."release", its."input", its."output", ${w} AS w, known."value", known.label, known."key" IS NOT NULL AS known
    FROM (
      SELECT * FROM ${lines} WHERE ${asked} AND "at" >= ${timestamp(first)} AND arm = 'live' AND "row" IS NOT NULL AND "output" IS NOT NULL
      QUALIFY row_number() OVER (PARTITION BY request, "release", "row" ORDER BY logged) = 1
    ) AS its
    ANTI JOIN (SELECT request, "release" FROM ${lines} WHERE ${asked} AND arm = 'abandoned') AS given_up USING (request, "release")
    LEFT JOIN ${outcomes} AS known USING ("key")`);
}
