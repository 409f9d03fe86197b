import type { DatabaseSource, FileSource } from '../domain/spec';
import { tableNameParts } from '../domain/tableNames';
import { isVariableName } from './environment';
import type { Path, Problem } from './problems';
import type { SourceDocument } from './schema';

/** Where a source's rows are: in files, or in a database. */
export type Place = Pick<FileSource, 'paths' | 'format'> | Pick<DatabaseSource, 'postgres' | 'table' | 'query'>;

export function resolvePlace(name: string, source: SourceDocument, absolute: (path: string) => string): { place: Place; problems: Problem[] } {
  const at: Path = ['sources', name];
  if (source.postgres !== undefined) return { place: databasePlace(source), problems: databaseProblems(source, at) };
  if (source.path === undefined) {
    const remedy = 'Give `path`, a file or a glob; or `postgres`, an environment variable with the address of a database, and `table`.';
    return { place: { paths: [], format: 'csv' }, problems: [{ path: at, message: 'it is not said where its rows are', remedy }] };
  }
  const paths = [source.path].flat();
  const { format, problems } = fileFormat(source, paths, at);
  for (const key of ['table', 'query'] as const) {
    if (source[key] !== undefined) problems.push({ path: [...at, key], at: 'key', message: `\`${key}\` is of a database, and this source has a \`path\``, remedy: 'Leave one of them out.' });
  }
  return { place: { paths: paths.map(absolute), format }, problems };
}

const databasePlace = ({ postgres, table, query }: SourceDocument): Place =>
  ({ postgres: postgres!, ...(table !== undefined && { table }), ...(query !== undefined && { query }) });

function databaseProblems(source: SourceDocument, at: Path): Problem[] {
  const problems: Problem[] = [];
  if (!isVariableName(source.postgres!)) {
    problems.push({ path: [...at, 'postgres'], message: 'it is not the name of an environment variable', remedy: 'Put the address into a variable of the workers that train, such as WAREHOUSE, and write its name here: an address holds a password.' });
  }
  for (const key of ['path', 'format'] as const) {
    if (source[key] !== undefined) problems.push({ path: [...at, key], at: 'key', message: `\`${key}\` is of files, and this source is in a database`, remedy: 'Leave one of them out.' });
  }
  if (source.table === undefined && source.query === undefined) problems.push({ path: at, message: 'it is not said which rows of the database', remedy: 'Give `table`, or a `query`.' });
  if (source.table !== undefined && source.query !== undefined) problems.push({ path: [...at, 'query'], at: 'key', message: 'both `table` and `query` are given', remedy: 'Leave one of them out.' });
  if (source.table !== undefined && !tableNameParts(source.table)) {
    problems.push({ path: [...at, 'table'], message: 'it is not the name of a table', expected: '`table` or `schema.table`, with quotes around a part that has a dot itself' });
  }
  return problems;
}

function fileFormat(source: SourceDocument, paths: string[], at: Path): { format: FileSource['format']; problems: Problem[] } {
  const problems: Problem[] = [];
  paths.forEach((path, index) => {
    if (/^[a-z][a-z0-9+.-]+:\/\//i.test(path)) {
      problems.push({ path: [...at, 'path', ...(Array.isArray(source.path) ? [index] : [])], message: `\`${path}\` is not on this machine`, remedy: 'Give the path of a file, or a glob.' });
    }
  });
  const formats = [...new Set(paths.map(formatOf))];
  const format = source.format ?? formats[0];
  if (!format) {
    problems.push({ path: [...at, 'path'], message: `the extension of \`${paths[0]}\` says no format`, remedy: 'Give `format`.' });
  } else if (!source.format && formats.length > 1) {
    problems.push({ path: [...at, 'path'], message: 'the files differ in format', found: formats.map((f) => f ?? 'none').join(', '), remedy: 'Give one format a source.' });
  }
  return { format: format ?? 'csv', problems };
}

const EXTENSIONS: Record<string, FileSource['format']> = { csv: 'csv', tsv: 'tsv', json: 'json', jsonl: 'jsonl', ndjson: 'jsonl', parquet: 'parquet' };

/** By the extension, compressed or not. */
const formatOf = (path: string): FileSource['format'] | undefined => {
  const extension = /\.([a-z]+)(\.gz|\.zst)?$/i.exec(path)?.[1]?.toLowerCase();
  return extension !== undefined && Object.hasOwn(EXTENSIONS, extension) ? EXTENSIONS[extension] : undefined;
};
