/** What DuckDB's `json_serialize_sql` answers. */
export interface SerializedSql { error: boolean; error_type?: string; error_message?: string; position?: string; statements?: unknown[] }

/** Why a text is refused, and where in it (bytes from its start) when that is known. */
export interface Objection { reason: string; offset?: number }

type Node = Record<string, unknown>;

const TABLE_KINDS = new Set(['BASE_TABLE', 'SUBQUERY', 'JOIN', 'TABLE_FUNCTION', 'EMPTY', 'EXPRESSION_LIST', 'PIVOT']);
const TABLE_FUNCTIONS = new Set(['unnest', 'range', 'generate_series', 'json_each', 'json_tree']);
/** They tell of the machine or the session, not of the data. */
const FOREIGN_FUNCTIONS = new Set([
  'getenv', 'getvariable', 'current_setting', 'current_database', 'current_schema', 'current_schemas', 'current_user', 'current_role',
  'user', 'session_user', 'current_catalog', 'in_search_path', 'txid_current', 'version',
]);
const FOREIGN_PREFIX = /^(read_|pg_|duckdb_|pragma_|has_)/;

/**
 * The first thing in a parsed text that is more than one SELECT over the table `from`: another statement, another table, a function
 * that reads files or tells of the machine, or one (`volatile`, or a sample) that answers differently each time.
 */
export function objectionTo(parsed: SerializedSql, rules: { from: string; volatile: ReadonlySet<string> }): Objection | undefined {
  if (parsed.error) {
    if (parsed.error_type === 'not implemented') return { reason: 'it is not a SELECT' };
    return { reason: parsed.error_message ?? 'it is not SQL', ...(parsed.position !== undefined && { offset: Number(parsed.position) }) };
  }
  const statements = parsed.statements ?? [];
  if (statements.length !== 1) return { reason: `it has ${statements.length} statements, not one` };
  const nodes = [...nodesOf(statements)];
  const withNames = new Set(nodes.flatMap((node) => (isWith(node.cte_map) ? node.cte_map.map.map(({ key }) => key.toLowerCase()) : [])));
  for (const node of nodes) {
    const reason = objectionToNode(node, { ...rules, withNames });
    if (reason !== undefined) return { reason, ...offsetOf(node) };
  }
  return undefined;
}

interface Rules { from: string; volatile: ReadonlySet<string>; withNames: ReadonlySet<string> }

function objectionToNode(node: Node, rules: Rules): string | undefined {
  if (node.class === 'PARAMETER') return 'it has a parameter (? or $1), for which there is no value';
  if (node.sample != null) return 'a sample takes other rows each time (WHERE hash(...) % 10 = 0 takes the same ones)';
  if (isTable(node)) return objectionToTable(node, rules);
  if (typeof node.function_name === 'string') return objectionToFunction(node.function_name.toLowerCase(), rules);
  return undefined;
}

function objectionToTable(node: Node, { from, withNames }: Rules): string | undefined {
  const kind = String(node.type);
  if (!TABLE_KINDS.has(kind)) return 'it is not a SELECT';
  if (kind === 'TABLE_FUNCTION') {
    const name = String((node.function as Node | undefined)?.function_name).toLowerCase();
    return TABLE_FUNCTIONS.has(name) ? undefined : `it reads from ${name}(), and only the table \`${from}\` is there`;
  }
  if (kind !== 'BASE_TABLE') return undefined;
  const [catalog, schema, name] = [node.catalog_name, node.schema_name, node.table_name].map((part) => String(part ?? '').toLowerCase());
  if (catalog === '' && schema === '' && withNames.has(name!)) return undefined;
  if (catalog === '' && (schema === '' || schema === 'main') && name === from) return undefined;
  return `it reads '${String(node.table_name)}', and only the table \`${from}\` is there`;
}

function objectionToFunction(name: string, { volatile }: Rules): string | undefined {
  if (FOREIGN_FUNCTIONS.has(name) || FOREIGN_PREFIX.test(name)) return `${name}() tells of the machine, not of the data`;
  if (volatile.has(name)) return `${name}() answers differently each time, and the same data must give the same rows`;
  return undefined;
}

const isTable = (node: Node): boolean => 'type' in node && 'alias' in node && 'sample' in node;

const isWith = (value: unknown): value is { map: { key: string }[] } =>
  typeof value === 'object' && value !== null && 'map' in value && Array.isArray(value.map);

function* nodesOf(value: unknown): Generator<Node> {
  if (Array.isArray(value)) for (const item of value) yield* nodesOf(item);
  else if (typeof value === 'object' && value !== null) {
    yield value as Node;
    for (const item of Object.values(value)) yield* nodesOf(item);
  }
}

/** DuckDB writes 2^64 - 1 for "nowhere". */
function offsetOf(node: Node): { offset?: number } {
  const at = node.query_location;
  return typeof at === 'number' && at < 2 ** 53 ? { offset: at } : {};
}
