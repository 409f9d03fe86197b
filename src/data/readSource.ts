import { isDatabase, type SourceSpec } from '../domain/spec';
import type { Engine } from './duckdb';
import { resolveFiles } from './files';
import { readFiles } from './readFiles';
import { readPostgres } from './readPostgres';

/** Makes `table` of a source's rows, as they are before its `sql`. */
export async function readSource(db: Engine, source: SourceSpec, options: { table: string; scratch: string; signal?: AbortSignal }): Promise<void> {
  if (isDatabase(source)) return readPostgres(db, source, options);
  return readFiles(db, { ...source, files: await resolveFiles(source, db) }, options.table);
}
