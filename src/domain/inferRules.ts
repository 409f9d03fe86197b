import type { ColumnFacts } from './checkRules';
import { isColumnRule, type ColumnRule, type DataRule, type TableRule } from './dataRules';

/** With fewer values a range or a list of values says little. */
const ENOUGH = 30;
/** The most values of a column that counts as a closed list: as many as a profile holds. */
const CLOSED_LIST = 20;
/** How many spans of its middle 98% away a number is no outlier any more but another unit, or broken. */
const FAR = 10;

/**
 * Rules that a good snapshot keeps, with room: what goes a little beyond warns, and only clear breakage blocks (a column that vanished,
 * changed its type, lost half of its values; one row in 20 far outside of all that was seen, or one in 5 with a value that never was).
 */
export function inferRules(columns: readonly ColumnFacts[], table: { duplicateRows: number; rows: number }): DataRule[] {
  return [...columns.flatMap(ofColumn), ...ofTable(table)];
}

/** The rules, and those of columns that they do not know yet: a model that was given another input. */
export function extendRules(rules: readonly DataRule[], columns: readonly ColumnFacts[]): DataRule[] {
  const known = new Set(rules.flatMap((rule) => (isColumnRule(rule) ? [rule.column] : [])));
  return [...rules, ...columns.filter(({ name }) => !known.has(name)).flatMap(ofColumn)];
}

/** What is wrong with data whatever they are; a target may well have a class that is rare. */
export function builtInRules(columns: readonly ColumnFacts[], targets: readonly string[] = []): DataRule[] {
  const ofEach = columns.flatMap((facts): ColumnRule[] => {
    const rule = (check: 'varies' | 'finite' | 'future' | 'mixed'): ColumnRule => ({ check, column: facts.name, level: 'warn' });
    const checks = targets.includes(facts.name) ? [] : [rule('varies')];
    if (facts.type === 'number') checks.push(rule('finite'));
    if (facts.type === 'date') checks.push(rule('future'));
    if (facts.type === 'category' || facts.type === 'text') checks.push(rule('mixed'));
    return checks;
  });
  return [...ofEach, { check: 'duplicateKeys', max: 0, level: 'warn' }];
}

function ofColumn(facts: ColumnFacts): ColumnRule[] {
  const { name: column, type } = facts;
  const missing = facts.rows === 0 ? 0 : facts.missing / facts.rows;
  const rules: ColumnRule[] = [{ check: 'present', column, level: 'block' }];
  // An empty column has no type.
  if (missing === 1) return rules;
  rules.push({ check: 'type', column, type, level: 'block' });
  rules.push({ check: 'missing', column, max: Math.min(1, missing + Math.max(0.05, missing / 2)), level: 'warn' });
  rules.push({ check: 'missing', column, max: 1 - (1 - missing) / 2, level: 'block' });
  if (facts.rows - facts.missing < ENOUGH) return rules;
  if (type === 'number') rules.push(...ofNumbers(facts));
  if (type === 'date') rules.push(...ofDates(facts));
  if ((type === 'category' || type === 'boolean') && facts.distinct <= CLOSED_LIST) {
    const values = (facts.top ?? []).map(({ value }) => value).sort();
    rules.push({ check: 'values', column, values, level: 'warn' }, { check: 'values', column, values, tolerate: 0.2, level: 'block' });
  }
  return rules;
}

function ofNumbers({ name: column, min, max, quantiles }: ColumnFacts): ColumnRule[] {
  if (typeof min !== 'number' || typeof max !== 'number' || min === max) return [];
  const span = max - min;
  // What was never negative most likely can't be.
  const lower = (bound: number): number => (min >= 0 ? Math.max(0, bound) : bound);
  const [low, high] = [quantiles?.['0.01'] ?? min, quantiles?.['0.99'] ?? max];
  const middle = high > low ? high - low : span;
  const near: ColumnRule = { check: 'range', column, min: lower(min - span / 2), max: max + span / 2, level: 'warn' };
  const far: ColumnRule = { check: 'range', column, min: low - FAR * middle, max: high + FAR * middle, tolerate: 0.05, level: 'block' };
  // No rule where its room would be more than a double holds.
  return [near, far].filter((rule) => Number.isFinite(rule.min) && Number.isFinite(rule.max));
}

/** Time goes on, so there is no upper end; that dates lie in the future is built in. */
function ofDates({ name: column, min, max }: ColumnFacts): ColumnRule[] {
  const [first, last] = [Date.parse(`${String(min).slice(0, 10)}T00:00Z`), Date.parse(`${String(max).slice(0, 10)}T00:00Z`)];
  if (!(last > first)) return [];
  const earliest = new Date(first - (last - first) / 2);
  return earliest.getUTCFullYear() > 0 ? [{ check: 'range', column, min: earliest.toISOString().slice(0, 10), level: 'warn' }] : [];
}

function ofTable({ duplicateRows, rows }: { duplicateRows: number; rows: number }): TableRule[] {
  const share = rows === 0 ? 0 : duplicateRows / rows;
  return [
    { check: 'rowChange', fall: 0.2, growth: 2, level: 'warn' },
    { check: 'rowChange', fall: 0.5, level: 'block' },
    { check: 'duplicateKeys', max: Math.min(1, share + 0.05), level: 'block' },
  ];
}
