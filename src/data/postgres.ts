import { Socket } from 'node:net';
import { Client } from 'pg';
import { ShoalError, type ErrorCode } from '../domain/errors';
import { nearest } from '../domain/nearest';
import type { DatabaseSource } from '../domain/spec';

type Environment = Record<string, string | undefined>;

export interface DatabaseOptions {
  /** Stops what is running, here and in the database. */
  signal?: AbortSignal;
  /** Where the address is; the process's own when absent. */
  env?: Environment;
}

const CONNECT_WITHIN_MS = 10_000;

/** How values are written, whatever the server's, the database's or the role's settings are. */
const SETTINGS = [
  "SET LOCAL datestyle = 'ISO, YMD'", "SET LOCAL intervalstyle = 'iso_8601'", "SET LOCAL timezone = 'UTC'", "SET LOCAL bytea_output = 'hex'",
  'SET LOCAL extra_float_digits = 3',
].join('; ');

/**
 * A connection to the database of a source, for `work` inside one transaction that sees one state of the database and can write nothing.
 *
 * Throws SOURCE_UNREADABLE (no address, no such database, not allowed), SOURCE_UNAVAILABLE (can't be reached now), SOURCE_MISSING (no such
 * table), SQL_REFUSED (a query that is wrong, or writes). No error holds the address's password.
 */
export async function withPostgres<T>(source: DatabaseSource, options: DatabaseOptions, work: (client: Client) => Promise<T>): Promise<T> {
  const { signal, env = process.env } = options;
  signal?.throwIfAborted();
  const socket = new Socket();
  const client = clientOf(source, env, socket);
  let pid: number | undefined;
  const stop = () => { void cancel(clientOf(source, env), pid).finally(() => socket.destroy()); };
  signal?.addEventListener('abort', stop);
  try {
    await client.connect();
    await client.query('BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY');
    await client.query(SETTINGS);
    pid = (await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows[0]?.pid;
    return await work(client);
  } catch (cause) {
    signal?.throwIfAborted();
    throw await databaseError(cause, { source, env, place: `database ${client.database} at ${client.host}:${client.port} (${source.postgres})` });
  } finally {
    signal?.removeEventListener('abort', stop);
    await client.end().catch(() => undefined);
    socket.destroy();
  }
}

function clientOf({ name, postgres }: DatabaseSource, env: Environment, socket?: Socket): Client {
  const address = env[postgres];
  const unusable = (what: string, remedy: string) => new ShoalError('SOURCE_UNREADABLE', `Source ${name}: ${what}.`, { remedy, details: { source: name, variable: postgres } });
  if (address === undefined || address === '') {
    throw unusable(`the environment variable ${postgres} is not set where it is read`, 'Set it for the workers that train, to an address such as postgresql://user:password@host:5432/database, and start them again.');
  }
  // With an @ behind the host, a password was cut at its slash. What the parser says of an address may hold its password: it is not passed on.
  if (/^postgres(ql)?:\/\/[^/?]*(\/[^@?]*)?(\?.*)?$/i.test(address)) {
    try {
      const client = new Client({ connectionString: address, connectionTimeoutMillis: CONNECT_WITHIN_MS, keepAlive: true, application_name: 'shoal', ...(socket && { stream: () => socket }) });
      // A lost connection fails the query that waits for it; without a listener it would end the process, too.
      return client.on('error', () => undefined);
    } catch { /* said below */ }
  }
  throw unusable(`${postgres} does not hold the address of a database`, 'It is written postgresql://user:password@host:5432/database; characters of the password other than letters and digits as %XX.');
}

/** By another connection: the one that waits for a query listens to nothing else. */
async function cancel(other: Client, pid: number | undefined): Promise<void> {
  if (pid === undefined) return;
  try {
    await other.connect();
    await other.query('SELECT pg_cancel_backend($1)', [pid]);
  } catch {
    // Its connection is closed next, and it ends when it notices.
  } finally {
    await other.end().catch(() => undefined);
  }
}

interface Failed { source: DatabaseSource; env: Environment; place: string }

/** Classes of https://www.postgresql.org/docs/current/errcodes-appendix.html that trying again can help against. */
const PASSING = /^(08|40|53|55P03|57P0|58)/;
const NOT_ALLOWED = /^(28|42501)/;
/** Node's, of TLS. */
const NOT_TRUSTED = /^(ERR_TLS_|CERT_|DEPTH_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_)/;

async function databaseError(cause: unknown, failed: Failed): Promise<unknown> {
  const { source, place } = failed;
  const said = cause instanceof Error ? cause.message : String(cause);
  const code = codeOf(cause);
  const fail = (kind: ErrorCode, what: string, remedy: string) =>
    new ShoalError(kind, `Source ${source.name}: ${what}`, { remedy, details: { source: source.name, ...(code !== undefined && { code }) }, cause });
  if (cause instanceof ShoalError) return cause;
  if (code === undefined) return lost(cause) ? fail('SOURCE_UNAVAILABLE', `${place} can't be reached: ${said}.`, 'It is tried again.') : cause;
  if (NOT_TRUSTED.test(code)) return fail('SOURCE_UNREADABLE', `the certificate of ${place} is not trusted: ${said}.`, 'Name its authority in the address: ?sslmode=verify-full&sslrootcert=/path/of/ca.pem.');
  if (/^E[A-Z]/.test(code)) return fail('SOURCE_UNAVAILABLE', `${place} can't be reached: ${said || code}.`, 'It is tried again; look whether it runs, and whether host and port are right.');
  if (PASSING.test(code)) return fail('SOURCE_UNAVAILABLE', `${place} could not answer: ${said}.`, 'It is tried again.');
  if (NOT_ALLOWED.test(code)) return fail('SOURCE_UNREADABLE', `${place} refuses: ${said}.`, 'Give the role the right to read (GRANT SELECT), or correct the address.');
  if (code === '3D000') return fail('SOURCE_UNREADABLE', `${place} does not exist.`, `Correct ${source.postgres}.`);
  if (code === '57014') return fail('SOURCE_UNREADABLE', `${place} ended the query: ${said}.`, 'Raise the role\'s statement_timeout, or ask for less.');
  if (source.query === undefined && (code === '42P01' || code === '3F000')) return missingTable(failed);
  return fail('SQL_REFUSED', `${source.query === undefined ? `table ${source.table}` : 'its `query`'} fails in ${place}: ${said}${lineOf(cause, source.query)}.`, 'Write one SELECT, in PostgreSQL\'s dialect; it runs in a transaction that can only read.');
}

/** By shape: errors may come from another realm. */
function codeOf(cause: unknown): string | undefined {
  if (typeof cause !== 'object' || cause === null) return undefined;
  // Several addresses of one host were tried.
  if ('errors' in cause && Array.isArray(cause.errors) && cause.errors.length > 0) return codeOf(cause.errors[0]);
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined;
}

const lost = (cause: unknown): boolean => cause instanceof Error && /connection|timeout|terminat|closed|SSL/i.test(cause.message);

/** Where in a person's query it goes wrong, of what was wrapped around it. */
function lineOf(cause: unknown, query: string | undefined): string {
  const position = typeof cause === 'object' && cause !== null && 'position' in cause ? Number(cause.position) : NaN;
  if (query === undefined || !Number.isFinite(position)) return '';
  const at = position - QUERY_FROM.length;
  return at < 1 || at > query.length ? '' : ` (line ${query.slice(0, at - 1).split('\n').length})`;
}

async function missingTable({ source, env, place }: Failed): Promise<ShoalError> {
  const tables = await tablesOf(source, env).catch((): string[] => []);
  const wanted = source.table!;
  const near = nearest(wanted, tables) ?? tables.find((table) => table.split('.').at(-1)?.toLowerCase() === wanted.split('.').at(-1)?.toLowerCase());
  return new ShoalError('SOURCE_MISSING', `Source ${source.name}: there is no table ${wanted} in ${place}.`, {
    remedy: near !== undefined ? `Did you mean ${near}?` : tables.length > 0 ? `Its tables are ${tables.slice(0, 20).join(', ')}${tables.length > 20 ? ' ...' : ''}.` : 'It has no table that this role can see.',
    details: { source: source.name, table: wanted, nearest: near },
  });
}

async function tablesOf(source: DatabaseSource, env: Environment): Promise<string[]> {
  return withPostgres({ ...source, table: undefined, query: '' }, { env }, async (client) => {
    const { rows } = await client.query<{ name: string }>(
      'SELECT n.nspname || \'.\' || c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace ' +
      'WHERE c.relkind IN (\'r\', \'v\', \'m\', \'f\', \'p\') AND n.nspname NOT LIKE \'pg\\_%\' AND n.nspname <> \'information_schema\' ORDER BY name LIMIT 1000');
    return rows.map(({ name }) => name);
  });
}

/** What stands before a person's query where its columns are asked for. */
export const QUERY_FROM = 'SELECT * FROM (\n';
