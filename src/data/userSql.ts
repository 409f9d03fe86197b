import { ShoalError } from '../domain/errors';
import { nearest } from '../domain/nearest';
import type { SourceSpec } from '../domain/spec';
import { ident, literal, messageOf, type Engine } from './duckdb';

export interface UserSql { source: SourceSpec; sql: string; from: string; to: string }

/**
 * Makes the table `to` of a user's SELECT over the table `from`.
 *
 * Two walls. The text is parsed by DuckDB itself and must be one SELECT that names no table but `from` (and its own WITH), no table
 * function that reads, and nothing that answers differently each time; so a refusal comes with its reason. And the engine was
 * locked down before (see ingest.ts), so what a parser might miss has no files and no settings to reach.
 *
 * Rows are given to the SELECT in one order, and one thread runs it, so that `first`, `row_number` and sums of doubles are the same
 * for the same data. Of the clock, dates and times may be asked; the snapshot then depends on the day.
 */
export async function runUserSql(db: Engine, { source, sql, from, to }: UserSql): Promise<void> {
  const columns = (await db.columnsOf(ident(from))).map((column) => column.name);
  const refusals = new Refusals(source, sql, columns);
  await assertSelect(db, { sql, from, refusals });
  const ordered = `${from} in order`;
  await db.run(`CREATE TABLE ${ident(ordered)} AS SELECT * FROM ${ident(from)} ORDER BY ALL`);
  await db.run(`DROP TABLE ${ident(from)}`);
  await db.run(`ALTER TABLE ${ident(ordered)} RENAME TO ${ident(from)}`);
  try {
    (await db.connection.prepare(sql)).destroySync();
    await db.run(`CREATE TABLE ${ident(to)} AS\n${sql}`);
  } catch (cause) {
    throw refusals.fromEngine(cause);
  }
  await db.run(`DROP TABLE ${ident(from)}`);
}

const TABLE_KINDS = new Set(['BASE_TABLE', 'SUBQUERY', 'JOIN', 'TABLE_FUNCTION', 'EMPTY', 'EXPRESSION_LIST', 'PIVOT']);
const TABLE_FUNCTIONS = new Set(['unnest', 'range', 'generate_series', 'json_each', 'json_tree']);
/** They tell of the machine or the session, not of the data. */
const FOREIGN_FUNCTIONS = new Set([
  'getenv', 'getvariable', 'current_setting', 'current_database', 'current_schema', 'current_schemas', 'current_user', 'current_role', 'user',
  'session_user', 'current_catalog', 'in_search_path', 'txid_current', 'version', 'pg_typeof', 'getdatabase', 'add_parquet_key', 'which_secret',
  'write_log', 'error', 'sleep_ms',
]);

type Node = { [key: string]: unknown };

async function assertSelect(db: Engine, { sql, from, refusals }: { sql: string; from: string; refusals: Refusals }): Promise<void> {
  const { tree } = await db.row<{ tree: string }>(`SELECT json_serialize_sql(${literal(sql)}) AS tree`);
  const parsed = JSON.parse(tree) as { error: boolean; error_type?: string; error_message?: string; position?: string; statements?: Node[] };
  if (parsed.error) {
    if (parsed.error_type === 'not implemented') throw refusals.refuse('it is not a SELECT');
    throw refusals.refuse(parsed.error_message ?? 'it is not SQL', parsed.position === undefined ? undefined : Number(parsed.position));
  }
  const statements = parsed.statements ?? [];
  if (statements.length !== 1) throw refusals.refuse(`it has ${statements.length} statements, not one`);
  const volatile = await db.rows<{ name: string }>(`SELECT DISTINCT function_name AS name FROM duckdb_functions() WHERE stability = 'VOLATILE'`);
  const check = new TreeCheck({ from, refusals, volatile: new Set(volatile.map((row) => row.name)), withNames: new Set() });
  check.collectWith(statements);
  check.visit(statements);
}

class TreeCheck {
  constructor(private readonly rules: { from: string; refusals: Refusals; volatile: Set<string>; withNames: Set<string> }) {}

  /** Names that WITH gives, wherever it stands. */
  collectWith(node: unknown): void {
    eachNode(node, (n) => {
      const map = (n.cte_map as { map?: { key: string }[] } | undefined)?.map ?? [];
      for (const { key } of map) this.rules.withNames.add(key.toLowerCase());
    });
  }

  visit(root: unknown): void {
    const { from, refusals, volatile, withNames } = this.rules;
    eachNode(root, (node) => {
      const at = position(node);
      if (node.sample != null) throw refusals.refuse('a SAMPLE takes other rows each time; use WHERE hash(...) % 10 = 0', at);
      if (node.class === 'PARAMETER') throw refusals.refuse('it has a parameter (? or $1), for which there is no value', at);
      if (node.from_table !== undefined) this.table(node.from_table as Node);
      for (const side of ['left', 'right', 'source']) if (isTable(node[side])) this.table(node[side] as Node);
      if (node.type === 'BASE_TABLE') {
        const name = String(node.table_name).toLowerCase();
        const own = withNames.has(name) && !node.schema_name && !node.catalog_name;
        const given = name === from && ['', 'main'].includes(String(node.schema_name).toLowerCase()) && !node.catalog_name;
        if (!own && !given) throw refusals.refuse(`it reads '${String(node.table_name)}', and only the table \`${from}\` is there`, at);
      }
      if (typeof node.function_name === 'string') {
        const name = node.function_name.toLowerCase();
        if (volatile.has(name)) throw refusals.refuse(`${name}() answers differently each time, and the same data must give the same rows`, at);
        if (FOREIGN_FUNCTIONS.has(name) || /^(read_|pg_|duckdb_|pragma_|has_)/.test(name)) throw refusals.refuse(`${name}() is not allowed here`, at);
      }
    });
  }

  private table(node: Node): void {
    const { refusals } = this.rules;
    if (!TABLE_KINDS.has(String(node.type))) throw refusals.refuse('only SELECT is allowed (no SHOW, DESCRIBE or SUMMARIZE)', position(node));
    if (node.type !== 'TABLE_FUNCTION') return;
    const name = String((node.function as Node | undefined)?.function_name).toLowerCase();
    if (!TABLE_FUNCTIONS.has(name)) throw refusals.refuse(`it reads from ${name}(), and only the table \`${this.rules.from}\` is there`, position(node));
  }
}

const isTable = (value: unknown): boolean => typeof value === 'object' && value !== null && 'sample' in value && 'type' in value && 'alias' in value;

function eachNode(value: unknown, visit: (node: Node) => void): void {
  if (Array.isArray(value)) for (const item of value) eachNode(item, visit);
  else if (typeof value === 'object' && value !== null) {
    visit(value as Node);
    for (const item of Object.values(value)) eachNode(item, visit);
  }
}

/** DuckDB writes 2^64 - 1 for "nowhere". */
const position = (node: Node): number | undefined =>
  typeof node.query_location === 'number' && node.query_location < 2 ** 53 ? node.query_location : undefined;

class Refusals {
  constructor(private readonly source: SourceSpec, private readonly sql: string, private readonly columns: string[]) {}

  refuse(reason: string, offset?: number): ShoalError {
    const place = offset === undefined ? undefined : this.place(offset);
    const where = place ? ` (line ${place.line}, column ${place.column} of the SQL)` : '';
    return new ShoalError('SQL_REFUSED', `The \`sql\` of source ${this.source.name} is refused${where}: ${reason}.`, {
      remedy: 'Write one SELECT over the table `source`.',
      details: { source: this.source.name, ...place },
    });
  }

  fromEngine(cause: unknown): unknown {
    const message = messageOf(cause);
    if (message === undefined) return cause;
    const [what = ''] = message.split(/\n+(?:LINE|Candidate|Did you mean)/);
    const column = /Referenced column "(.+?)" (?:not found|was not found)/.exec(message)?.[1] ?? /does not have a column named "(.+?)"/.exec(message)?.[1];
    const place = this.placeIn(message);
    const where = place ? ` (line ${place.line}, column ${place.column})` : '';
    const details = { source: this.source.name, ...place };
    if (column !== undefined) {
      const near = nearest(column, this.columns);
      return new ShoalError('COLUMN_MISSING', `The \`sql\` of source ${this.source.name}${where} names a column '${column}' that is not there.`, {
        remedy: near === undefined ? `The columns are ${this.columns.join(', ')}.` : `Did you mean "${near}"?`,
        details: { ...details, column, nearest: near, columns: this.columns },
        cause,
      });
    }
    const hint = /Did you mean (".+?")/.exec(message)?.[1];
    return new ShoalError('SQL_REFUSED', `The \`sql\` of source ${this.source.name}${where} fails: ${what.trim().replace(/[.!]?$/, '.')}`, {
      remedy: hint === undefined ? 'Correct the SQL; it is in DuckDB\'s dialect.' : `Did you mean ${hint}?`, details, cause });
  }

  /** From DuckDB's excerpt `LINE n: ...` and the caret below it. */
  private placeIn(message: string): { line: number; column: number } | undefined {
    const match = /LINE (\d+): (.*)\n( *)\^/.exec(message);
    if (!match) return undefined;
    const [excerptLine, excerpt, indent] = [Number(match[1]), match[2]!, match[3]!];
    const caret = indent.length - `LINE ${excerptLine}: `.length;
    const core = excerpt.replace(/^\.\.\./, '').replace(/\.\.\.$/, '');
    const lines = this.sql.split('\n');
    const line = [excerptLine - 1, excerptLine - 2].find((i) => lines[i]?.includes(core));
    if (line === undefined) return undefined;
    const column = lines[line]!.indexOf(core) + caret - (excerpt.startsWith('...') ? 3 : 0) + 1;
    return { line: line + 1, column };
  }

  private place(offset: number): { line: number; column: number } {
    const before = Buffer.from(this.sql).subarray(0, offset).toString('utf8').split('\n');
    return { line: before.length, column: before.at(-1)!.length + 1 };
  }
}
