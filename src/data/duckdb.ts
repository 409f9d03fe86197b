import { availableParallelism, totalmem } from 'node:os';
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { ShoalError } from '../domain/errors';

export interface EngineOptions {
  /** Where DuckDB spills what does not fit in memory. */
  scratch?: string;
  /** A DuckDB size such as `2GB`; a quarter of the machine's memory when absent. */
  memoryLimit?: string;
  threads?: number;
  /** Stops what is running. */
  signal?: AbortSignal;
}

/** A DuckDB of its own, in memory, in UTC, that never installs or loads extensions. `close` it. */
export async function openDuckDB(options: EngineOptions): Promise<Engine> {
  options.signal?.throwIfAborted();
  const instance = await DuckDBInstance.create(':memory:', {
    threads: String(options.threads ?? Math.min(4, availableParallelism())),
    memory_limit: options.memoryLimit ?? `${Math.max(512, Math.floor(totalmem() / 4 / 2 ** 20))}MB`,
    temp_directory: options.scratch ?? '',
    autoload_known_extensions: 'false',
    autoinstall_known_extensions: 'false',
  });
  const connection = await instance.connect();
  const interrupt = () => connection.interrupt();
  options.signal?.addEventListener('abort', interrupt);
  const db = new Engine(connection, () => {
    options.signal?.removeEventListener('abort', interrupt);
    connection.closeSync();
    instance.closeSync();
  });
  await db.run(`SET TimeZone = 'UTC'`);
  return db;
}

/** Opens a DuckDB for `work`, and closes it however that ends. */
export async function withDuckDB<T>(options: EngineOptions, work: (db: Engine) => Promise<T>): Promise<T> {
  const db = await openDuckDB(options);
  try {
    return await work(db);
  } catch (error) {
    options.signal?.throwIfAborted();
    throw error;
  } finally {
    db.close();
  }
}

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** A connection, with the few ways of asking that are used here. */
export class Engine {
  constructor(readonly connection: DuckDBConnection, readonly close: () => void) {}

  async run(sql: string): Promise<void> {
    await this.connection.run(sql).catch(rethrow);
  }

  /** Result rows as objects; 64-bit integers, decimals and dates come as text. For small results. */
  async rows<R = Record<string, Json>>(sql: string): Promise<R[]> {
    const reader = await this.connection.runAndReadAll(sql).catch(rethrow);
    return reader.getRowObjectsJson() as R[];
  }

  async row<R = Record<string, Json>>(sql: string): Promise<R> {
    const [row] = await this.rows<R>(sql);
    if (row === undefined) throw new Error(`No row from: ${sql}`);
    return row;
  }

  /** Name and DuckDB type of each column of a table or a query in brackets. */
  async columnsOf(table: string): Promise<DuckColumn[]> {
    const rows = await this.rows<{ column_name: string; column_type: string }>(`DESCRIBE SELECT * FROM ${table}`);
    return rows.map((row) => ({ name: row.column_name, type: row.column_type }));
  }
}

export interface DuckColumn { name: string; type: string }

function rethrow(cause: unknown): never {
  if (/No space left on device|Disk quota exceeded|max_temp_directory_size/i.test(messageOf(cause) ?? '')) {
    throw new ShoalError('STORE_FULL', 'The disk of the store has no room for data in the making.', { remedy: 'Free some space.', cause });
  }
  throw cause;
}

/** The message of an error that is not ours yet. By shape: the engine's errors may come from another realm. */
export function messageOf(cause: unknown): string | undefined {
  if (cause instanceof ShoalError || typeof cause !== 'object' || cause === null || !('message' in cause)) return undefined;
  return String(cause.message);
}

/** A name as SQL, whatever is in it. */
export const ident = (name: string): string => `"${name.replace(/"/g, '""')}"`;
/** A text as SQL, whatever is in it. */
export const literal = (text: string): string => `'${text.replace(/'/g, "''")}'`;

/** A path that DuckDB takes as it is, although it may hold characters of globs. */
export const pathLiteral = (path: string): string => literal(path.replace(/[*?[]/g, (c) => `[${c}]`));
