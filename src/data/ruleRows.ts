import { isColumnRule, type ColumnRule, type Example, type RuleInForce } from '../domain/dataRules';
import type { Violations } from '../domain/checkRules';
import { DUPLICATE_MARK, KEY_COLUMN, KEY_SEPARATOR, type Snapshot } from '../domain/version';
import type { Store } from '../store/store';
import { ident, literal, pathLiteral, withDuckDB, type Engine } from './duckdb';
import { keyText, storedType, type StoredType } from './types';

const EXAMPLES = 5;
const LONGEST = 80;

interface Sought { rule: RuleInForce; /** SQL that is true of the rows at fault. */ where: string; value: string; order: string; kind?: Violations['kind'] }

/** The rows that violate each rule: how many, and the first of them, the most extreme of a range. Rules that the profile decides need none. */
export async function violationsOf(store: Store, snapshot: Snapshot, rules: readonly RuleInForce[], now: string): Promise<Map<RuleInForce, Violations>> {
  const file = await store.localFile(snapshot.data);
  return withDuckDB({}, async (db) => {
    const from = `read_parquet(${pathLiteral(file)}, file_row_number = true)`;
    const types = new Map((await db.columnsOf(from)).map((column) => [column.name, storedType(column.type)]));
    const sought = await mixedRows(db, from, rules.filter((rule) => rule.check === 'mixed' && types.get((rule as ColumnRule).column) === 'VARCHAR'));
    for (const rule of rules) {
      const type = isColumnRule(rule) ? types.get(rule.column) : 'VARCHAR';
      if (type !== undefined) sought.push(...rowsAtFault(rule, { from, type, now }));
    }
    const counts = await countAll(db, from, sought);
    const found = new Map<RuleInForce, Violations>();
    for (const [i, one] of sought.entries()) {
      const rows = counts[i]!;
      found.set(one.rule, { rows, examples: rows === 0 ? [] : await examplesOf(db, from, one), ...(one.kind && { kind: one.kind }) });
    }
    return found;
  });
}

/** In one pass over the data. */
async function countAll(db: Engine, from: string, sought: Sought[]): Promise<number[]> {
  if (sought.length === 0) return [];
  const row = await db.row<Record<string, string>>(`SELECT ${sought.map(({ where }, i) => `count(*) FILTER (${where}) AS n${i}`).join(', ')} FROM ${from}`);
  return sought.map((_, i) => Number(row[`n${i}`]));
}

async function examplesOf(db: Engine, from: string, { where, value, order }: Sought): Promise<Example[]> {
  const rows = await db.rows<{ key: string; value: string | null }>(
    `SELECT ${KEY_COLUMN} AS key, ${value} AS value FROM ${from} WHERE ${where} ORDER BY ${order} LIMIT ${EXAMPLES}`);
  return rows.map((row) => ({ key: readable(row.key), value: (row.value ?? '').slice(0, LONGEST) }));
}

/** A key as people write it. */
const readable = (key: string): string => key.split(DUPLICATE_MARK, 1)[0]!.split(KEY_SEPARATOR).join(', ').slice(0, LONGEST);

interface Place { from: string; type: StoredType; now: string }

function rowsAtFault(rule: RuleInForce, place: Place): Sought[] {
  if (!isColumnRule(rule)) {
    return rule.check === 'duplicateKeys' ? [sought(rule, `contains(${KEY_COLUMN}, ${literal(DUPLICATE_MARK)})`, { value: `''` })] : [];
  }
  const name = ident(rule.column);
  const { type } = place;
  switch (rule.check) {
    case 'missing':
      return [sought(rule, `${name} IS NULL`, { value: `''` })];
    case 'range': {
      const where = outside(rule, name, type);
      return where === '' ? [] : [sought(rule, where, { order: `${name} ${rule.max === undefined ? 'ASC' : 'DESC'}, file_row_number` })];
    }
    case 'values': {
      if (type === 'FLOAT[]') return [];
      const value = keyText(rule.column, type);
      return [sought(rule, `${name} IS NOT NULL AND ${value} NOT IN (${rule.values.map(literal).join(', ')})`, { value })];
    }
    case 'unique': {
      const repeated = `SELECT ${name} FROM ${place.from} WHERE ${name} IS NOT NULL GROUP BY ${name} HAVING count(*) > 1`;
      return [sought(rule, `${name} IN (${repeated})`, { order: `${name}, file_row_number` })];
    }
    case 'future':
      return isTime(type) ? [sought(rule, `${name} > TIMESTAMP ${literal(place.now.replace('Z', ''))}`, { order: `${name} DESC, file_row_number` })] : [];
    case 'finite':
      if (type === 'FLOAT[]') return [sought(rule, `list_bool_or(list_transform(${name}, lambda x: NOT isfinite(x)))`)];
      return type === 'DOUBLE' ? [sought(rule, `NOT isfinite(${name})`)] : [];
    default:
      return [];
  }
}

function sought(rule: RuleInForce, where: string, { value, order = 'file_row_number' }: { value?: string; order?: string } = {}): Sought {
  return { rule, where, value: value ?? `CAST(${ident((rule as ColumnRule).column)} AS VARCHAR)`, order };
}

const isTime = (type: StoredType): boolean => type === 'DATE' || type === 'TIMESTAMP';

/** Nothing where the rule's ends are not of the column's type. */
function outside({ min, max }: { min?: number | string; max?: number | string }, name: string, type: StoredType): string {
  const conditions: string[] = [];
  for (const [end, sign] of [[min, '<'], [max, '>']] as const) {
    if (end === undefined) continue;
    if (typeof end === 'number' && (type === 'BIGINT' || type === 'DOUBLE')) conditions.push(`${name} ${sign} CAST(${literal(String(end))} AS DOUBLE)`);
    if (typeof end === 'string' && isTime(type)) {
      const instant = literal(end.replace('T', ' ').replace('Z', ''));
      conditions.push(end.length > 10 ? `${name} ${sign} TIMESTAMP ${instant}` : `CAST(${name} AS DATE) ${sign} DATE ${instant}`);
    }
  }
  if (conditions.length === 0) return '';
  const either = `(${conditions.join(' OR ')})`;
  return type === 'DOUBLE' ? `isfinite(${name}) AND ${either}` : either;
}

const NUMBER = '[-+]?[0-9]+([.,][0-9]+)?';

/** Of each column the kind that it has fewer of. */
async function mixedRows(db: Engine, from: string, rules: RuleInForce[]): Promise<Sought[]> {
  if (rules.length === 0) return [];
  const names = rules.map((rule) => ident((rule as ColumnRule).column));
  const isNumber = (name: string) => `regexp_full_match(trim(${name}), ${literal(NUMBER)})`;
  const counts = await db.row<Record<string, string>>(
    `SELECT ${names.map((name, i) => `count(*) FILTER (${isNumber(name)}) AS numbers${i}, count(${name}) AS present${i}`).join(', ')} FROM ${from}`);
  return rules.map((rule, i) => {
    const few = Number(counts[`numbers${i}`]) * 2 <= Number(counts[`present${i}`]) ? 'numbers' : 'texts';
    return { ...sought(rule, few === 'numbers' ? isNumber(names[i]!) : `NOT ${isNumber(names[i]!)}`), kind: few };
  });
}
