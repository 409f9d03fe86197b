import { randomUUID } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ArtifactRef } from '../domain/version';
import type { Store } from '../store/store';
import { literal, openDuckDB, pathLiteral, type Engine } from './duckdb';
import { compactJournal, readJournal, type Days } from './journal';

/** How the JSON lines of a journal become a table. */
export interface LineForm {
  /** DuckDB types of the lines' fields. */
  fields: Record<string, string>;
  /** SQL of the table's columns. `from` has the fields as columns. */
  select(from: string): string;
  /** DuckDB types of the table's columns. */
  columns: Record<string, string>;
  /** In Parquet, by columns that tell lines apart: so equal lines are equal bytes. */
  order: string[];
}

/** A DuckDB and a folder for its files. */
export interface Workspace { db: Engine; scratch: string }

export async function openWorkspace(store: Store): Promise<Workspace & { close(): Promise<void> }> {
  const scratch = await store.scratch();
  const remove = (): Promise<void> => rm(scratch, { recursive: true, force: true });
  try {
    const db = await openDuckDB({ scratch });
    return { db, scratch, close: () => { db.close(); return remove(); } };
  } catch (error) {
    await remove();
    throw error;
  }
}

export async function withWorkspace<T>(store: Store, work: (workspace: Workspace) => Promise<T>): Promise<T> {
  const workspace = await openWorkspace(store);
  try {
    return await work(workspace);
  } finally {
    await workspace.close();
  }
}

/** SQL of the table of all lines about these days (all without). A line may be there twice. */
export async function journalTable(store: Store, { scratch }: Workspace, of: { journal: string; form: LineForm; days?: Days }): Promise<string> {
  const { journal, form, days } = of;
  const { objects, fresh } = await readJournal(store, journal, days);
  const files = await Promise.all(objects.map((ref) => store.localFile(ref)));
  const parts = [
    ...(files.length > 0 ? [`SELECT ${namesOf(form)} FROM read_parquet([${files.map(pathLiteral).join(', ')}], union_by_name = true)`] : []),
    ...(fresh.length > 0 ? [await linesAsTable(form, fresh, scratch)] : []),
  ];
  return `(${parts.length > 0 ? parts.join(' UNION ALL ') : noLines(form)})`;
}

/** See `compactJournal`. */
export function compactToParquet(store: Store, of: { journal: string; form: LineForm; before: number }): Promise<{ objects: number; blobs: number }> {
  const { journal, form, before } = of;
  return compactJournal(store, { journal, before, toParquet: (lines) => putParquet(store, form, lines) });
}

async function putParquet(store: Store, form: LineForm, lines: readonly Buffer[]): Promise<ArtifactRef> {
  return withWorkspace(store, async ({ db, scratch }) => {
    const file = join(scratch, 'lines.parquet');
    // One, so that equal lines are equal bytes.
    await db.run('SET threads = 1');
    const rows = `SELECT * FROM (${await linesAsTable(form, lines, scratch)}) ORDER BY ${form.order.join(', ')}`;
    await db.run(`COPY (${rows}) TO ${literal(file)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880)`);
    return store.putFile(file, 'parquet');
  });
}

const namesOf = (form: LineForm): string => Object.keys(form.columns).join(', ');

const noLines = (form: LineForm): string =>
  `SELECT ${Object.entries(form.columns).map(([name, type]) => `CAST(NULL AS ${type}) AS ${name}`).join(', ')} WHERE false`;

async function linesAsTable(form: LineForm, lines: readonly Buffer[], scratch: string): Promise<string> {
  const file = join(scratch, `${randomUUID()}.jsonl`);
  await writeFile(file, lines);
  const fields = Object.entries(form.fields).map(([name, type]) => `${literal(name)}: ${literal(type)}`).join(', ');
  const options = `format = 'newline_delimited', maximum_object_size = ${lines.reduce((longest, some) => Math.max(longest, longestLine(some)), 0) + 1}, columns = {${fields}}`;
  return `SELECT ${namesOf(form)} FROM (${form.select(`read_json(${pathLiteral(file)}, ${options})`)})`;
}

/** DuckDB's own limit for a line. */
const USUAL_BYTES = 16 * 2 ** 20;

function longestLine(lines: Buffer): number {
  let longest = USUAL_BYTES;
  if (lines.length <= USUAL_BYTES) return longest;
  for (let start = 0, end = 0; start < lines.length; start = end + 1) {
    end = lines.indexOf('\n', start);
    if (end === -1) end = lines.length;
    longest = Math.max(longest, end - start);
  }
  return longest;
}
