import type { SourceFile } from '../domain/recordNames';
import { isDatabase, type SourceSpec } from '../domain/spec';
import { hashFile } from '../store/disk';
import { withDuckDB } from './duckdb';
import { resolveFiles } from './files';

/** Functions whose result is not decided by the data. */
const CHANGING = new RegExp(
  '\\b(now|today|age|current_(date|time|timestamp)|local(time|timestamp)|get_current_\\w+|transaction_timestamp|' +
  'random|setseed|uuid|gen_random_uuid|nextval)\\b', 'i');

/**
 * What decides a source's snapshot: its definition and the content of its files. Undefined of a database, and when its SQL asks for
 * the time or for chance: then only reading it tells.
 */
export async function sourceIdentity(source: SourceSpec): Promise<{ source: unknown; files: SourceFile[] } | undefined> {
  if (isDatabase(source) || (source.sql !== undefined && CHANGING.test(source.sql))) return undefined;
  // Rules say what the rows must be like, not what they are.
  const { rules: _rules, knownLater: _knownLater, ...read } = source;
  const files = await withDuckDB({ threads: 1 }, (db) => resolveFiles(source, db));
  return { source: read, files: await Promise.all(files.map(async (file) => ({ file, sha256: (await hashFile(file)).sha256 }))) };
}
