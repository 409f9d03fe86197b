import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { ShoalError } from '../domain/errors';
import { isKeyName, slug } from '../domain/columnNames';
import type { Survey, SurveyedColumn } from '../domain/proposal';
import { isDatabase, placesOf, type FileSource, type SourceSpec } from '../domain/spec';
import type { Snapshot } from '../domain/version';
import { openStore } from '../store/fileStore';
import type { Store } from '../store/store';
import { ident, pathLiteral, withDuckDB } from './duckdb';
import { resolveFiles } from './files';
import { ingestSource } from './ingest';
import type { ColumnProfile, Profile } from './profile';
import { readFiles } from './readFiles';
import { postgresColumns } from './readPostgres';
import { formatOf } from './rows';

export interface Surveyed extends Survey { source: SourceSpec; snapshot: Snapshot; store: Store }

/** Data files, by paths and globs, as a source. */
export const filesSource = (paths: string[]): FileSource => ({ name: nameOf(paths), paths: paths.map((path) => resolve(path)), format: formatOf(paths[0]!), key: [] });

/** Reads a source as a project would, in a store of its own that is gone afterwards. Throws what `ingestSource` throws. */
export async function withSurvey<T>(source: SourceSpec, work: (surveyed: Surveyed) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-init-'));
  try {
    const store = await openStore({ path: join(folder, 'store') });
    const snapshot = await ingestSource(source, { store });
    const profile = await store.readJson<Profile>(snapshot.profile);
    if (profile.columns.length < 2) {
      throw new ShoalError('CONFIG', `${placesOf(source).join(', ')} has ${profile.columns.length === 0 ? 'no columns' : `one column only, "${profile.columns[0]!.name}"`}: there is nothing to predict it from.`, {
        remedy: 'Bring a file with a column to predict and others to predict it from; if it has several, look at what separates them.' });
    }
    const order = await columnOrder(source, profile.columns.map(({ name }) => name));
    const columns = profile.columns.map(surveyed).sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name));
    const key = await findKey(await store.localFile(snapshot.data), columns, profile.rows);
    return await work({ rows: profile.rows, columns, key, source, snapshot, store });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Of the project and the source: the file's, without its ending and what is a pattern. */
export const nameOf = (paths: readonly string[]): string => slug(basename(paths[0]!).replace(/(\.[a-z]+)?(\.gz)?$/i, '').replace(/[*?[\]]/g, ' '));

function surveyed(column: ColumnProfile): SurveyedColumn {
  const { name, type, missing, distinct, min, max, quantiles, nan = 0, infinite = 0, sourceType, top } = column;
  return {
    name, type, missing, distinct,
    ...(type === 'number' && typeof min === 'number' && typeof max === 'number' && { min, max }),
    whole: /INT/.test(sourceType),
    quantiles,
    notFinite: nan + infinite,
    counts: top?.map(({ count }) => count),
  };
}

/** A snapshot's columns are sorted by name; the source's own order tells which comes last. */
async function columnOrder(source: SourceSpec, names: string[]): Promise<string[]> {
  if (isDatabase(source)) return (await postgresColumns(source)).map(({ name }) => name);
  return withDuckDB({}, async (db) => {
    await readFiles(db, { ...source, files: await resolveFiles(source, db) }, 'source');
    return (await db.columnsOf('source')).map(({ name }) => name);
  }).catch(() => names);
}

const MAX_KEY_COLUMNS = 3;
const MAX_TRIED = 60;

/** The fewest columns that together name every row: one that is called a key before others. */
async function findKey(file: string, columns: SurveyedColumn[], rows: number): Promise<string[]> {
  const whole = columns.filter(({ missing, type, whole: isWhole }) => missing === 0 && (type === 'category' || type === 'text' || type === 'date' || (type === 'number' && isWhole)));
  const rank = ({ name, type }: SurveyedColumn): number => (isKeyName(name) ? 0 : type === 'category' ? 1 : type === 'text' ? 2 : type === 'date' ? 3 : 4);
  // A number that is called nothing of the kind is a measure, though all its values may differ.
  const single = whole.filter((column) => column.distinct === rows && (rank(column) < 4)).sort((a, b) => rank(a) - rank(b));
  if (single.length > 0) return [single[0]!.name];
  // Years and the like take part in a key; quantities do not.
  const parts = whole.filter((column) => column.distinct > 1 && (rank(column) < 4 || /year|month|week|day|hour/i.test(column.name))).sort((a, b) => rank(a) - rank(b)).slice(0, 8);
  const tried = [2, MAX_KEY_COLUMNS].flatMap((size) => combinations(parts, size)).filter((some) => some.reduce((product, { distinct }) => product * distinct, 1) >= rows).slice(0, MAX_TRIED);
  if (tried.length === 0) return [];
  return withDuckDB({}, async (db) => {
    for (const some of tried) {
      const { n } = await db.row<{ n: string }>(`SELECT count(*) AS n FROM (SELECT DISTINCT ${some.map(({ name }) => ident(name)).join(', ')} FROM read_parquet(${pathLiteral(file)}))`);
      if (Number(n) === rows) return some.map(({ name }) => name);
    }
    return [];
  });
}

function combinations<T>(items: readonly T[], size: number): T[][] {
  if (size === 0) return [[]];
  return items.flatMap((item, i) => combinations(items.slice(i + 1), size - 1).map((rest) => [item, ...rest]));
}
