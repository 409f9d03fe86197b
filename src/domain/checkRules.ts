import { isColumnRule, type ColumnRule, type DataFinding, type Example, type RuleInForce, type TableRule } from './dataRules';
import { figure, percent } from './headline';
import { nearest } from './nearest';
import type { ColumnType } from './table';

/** What a snapshot's profile says of a column. Dates are ISO text; `top` are its most frequent values. */
export interface ColumnFacts {
  name: string;
  type: ColumnType;
  rows: number;
  missing: number;
  distinct: number;
  top?: { value: string; count: number }[];
  min?: number | string | null;
  max?: number | string | null;
  quantiles?: Record<string, number>;
}

/** Rows that violate a rule, as counted in the data. `kind`: of `mixed`, what the few are. */
export interface Violations { rows: number; examples: Example[]; kind?: 'numbers' | 'texts' }

export interface DataFacts {
  columns: ColumnFacts[];
  rows: number;
  duplicateRows: number;
  /** Rows are named by key columns, not by their whole content. */
  keyed: boolean;
  /** What the number of rows is compared with. */
  before?: { rows: number; what: string };
  /** ISO. */
  now: string;
}

/** A constant has one value; nearly one, by caret's nearZeroVar (Kuhn, 2008): 19 times as frequent as the next, and few different values. */
const FREQUENCY_RATIO = 95 / 5;
const DISTINCT_SHARE = 0.1;
/** Beyond it a column holds both kinds by nature. */
const MIXED_SHARE = 0.1;
/** Codes such as 3 and 3A: numbers among texts say nothing where there are few different values. */
const CODES = 30;

/** What is wrong with the data, one finding a rule and column; where a stricter rule of a kind is violated, too, the one that blocks. */
export function checkRules(rules: readonly RuleInForce[], facts: DataFacts, violations: ReadonlyMap<RuleInForce, Violations>): DataFinding[] {
  const byName = new Map(facts.columns.map((column) => [column.name, column]));
  const found = new Map<string, DataFinding>();
  for (const rule of rules) {
    const finding = isColumnRule(rule)
      ? checkColumn(rule, byName.get(rule.column), { facts, violations: violations.get(rule) })
      : checkTable(rule, facts, violations.get(rule));
    if (!finding) continue;
    const place = `${finding.rule} ${finding.column ?? ''}`;
    if (found.get(place)?.level !== 'block') found.set(place, finding);
  }
  return [...found.values()];
}

type Told = Pick<DataFinding, 'message'> & Partial<Pick<DataFinding, 'rule' | 'rows' | 'examples' | 'expected' | 'found'>>;

const finding = (rule: RuleInForce, told: Told): DataFinding =>
  ({ rule: rule.check, level: rule.level as DataFinding['level'], origin: rule.origin, ...(isColumnRule(rule) && { column: rule.column }), ...told });

interface Known { facts: DataFacts; violations: Violations | undefined }

function checkColumn(rule: ColumnRule & RuleInForce, column: ColumnFacts | undefined, known: Known): DataFinding | undefined {
  if (!column) {
    if (rule.origin !== 'declared' && rule.check !== 'present') return undefined;
    const near = nearest(rule.column, known.facts.columns.map(({ name }) => name));
    const asks = rule.origin === 'declared' ? ', which a rule asks for' : '';
    return finding(rule, { rule: 'present', message: `There is no column ${rule.column}${asks}${near ? `; did you mean ${near}?` : '.'}`, found: near });
  }
  const told = columnTold(rule, column, known);
  return told && finding(rule, told);
}

function columnTold(rule: ColumnRule & RuleInForce, column: ColumnFacts, { facts, violations }: Known): Told | undefined {
  const { name } = column;
  const present = column.rows - column.missing;
  const unfit = NEEDS[rule.check];
  if (unfit && present > 0 && !unfit.includes(column.type)) {
    if (rule.origin !== 'declared') return undefined;
    const expected = unfit.map((type) => HELD[type]).join(' or ');
    return { message: `${name} holds ${HELD[column.type]}, so its rule \`${rule.check}\` can't be checked.`, expected, found: HELD[column.type] };
  }
  const counted = violations && violations.rows > 0 && violations.rows > (rule.tolerate ?? 0) * column.rows ? violations : undefined;
  const rows = counted && { rows: counted.rows, examples: counted.examples };
  const inRows = counted && `in ${ofRows(counted.rows, column.rows)}${tolerated(rule)}`;
  switch (rule.check) {
    case 'present':
      return undefined;
    case 'type':
      if (present === 0 || family(rule.type) === family(column.type)) return undefined;
      return { message: `${name} holds ${HELD[column.type]}; it should hold ${HELD[rule.type]}.`, expected: HELD[rule.type], found: HELD[column.type] };
    case 'missing': {
      const share = column.rows === 0 ? 0 : column.missing / column.rows;
      if (share <= rule.max) return undefined;
      return {
        message: `${name} is missing in ${ofRows(column.missing, column.rows)}; at most ${percent(rule.max)} may be.`,
        rows: column.missing, examples: violations?.examples, expected: `at most ${percent(rule.max)}`, found: percent(share),
      };
    }
    case 'range':
      return rows && {
        message: `${name} is not ${bounds(rule)} ${inRows}; it goes from ${shown(column.min)} to ${shown(column.max)}.`,
        ...rows, expected: bounds(rule), found: `${shown(column.min)} to ${shown(column.max)}`,
      };
    case 'values':
      return rows && {
        message: `${name} has values that are not allowed ${inRows}: ${examplesOf(rows.examples)}.`,
        ...rows, expected: `one of ${listed(rule.values)}`, found: examplesOf(rows.examples),
      };
    case 'unique': {
      const repeated = present - column.distinct;
      if (repeated <= (rule.tolerate ?? 0) * column.rows) return undefined;
      return {
        message: `${name} repeats an earlier value in ${ofRows(repeated, column.rows)}${tolerated(rule)}.`, rows: repeated, examples: violations?.examples,
      };
    }
    case 'fresh':
      return stale(rule, column, facts.now);
    case 'future':
      return rows && {
        message: `${name} lies after today (${facts.now.slice(0, 10)}) ${inRows}, up to ${shown(column.max)}.`,
        ...rows, expected: `at most ${facts.now.slice(0, 10)}`, found: `up to ${shown(column.max)}`,
      };
    case 'mixed':
      return rows && mixed(column, counted!, present);
    case 'varies':
      return constant(column, present);
    case 'finite':
      return rows && { message: `${name} is NaN or infinite ${inRows}.`, ...rows };
  }
}

/** The types that a check can be made of. */
const NEEDS: Partial<Record<ColumnRule['check'], ColumnType[]>> = {
  range: ['number', 'date'], fresh: ['date'], future: ['date'], mixed: ['category', 'text'], finite: ['number', 'vector'],
};

function stale({ maxAgeMs }: ColumnRule & { check: 'fresh' }, column: ColumnFacts, now: string): Told | undefined {
  const newest = Date.parse(isoInstant(String(column.max)));
  const age = Date.parse(now) - newest;
  // Of nothing at all, the newest is older than any age.
  if (age <= maxAgeMs) return undefined;
  const found = column.max == null ? 'no date at all' : `${shown(column.max)}, ${inDays(age)} ago`;
  return { message: `The newest ${column.name} is ${found}; it may be ${inDays(maxAgeMs)} old.`, expected: `within ${inDays(maxAgeMs)}`, found };
}

function mixed(column: ColumnFacts, { rows, examples, kind }: Violations, present: number): Told | undefined {
  if (rows > MIXED_SHARE * present || (kind === 'numbers' && column.distinct <= CODES)) return undefined;
  const told = kind === 'numbers' ? `${rows} of them numbers` : `but not in ${ofRows(rows, column.rows)}`;
  const first = kind === 'numbers' ? `${column.name} holds texts, ${told}` : `${column.name} holds numbers, ${told}`;
  return { message: `${first}: ${examplesOf(examples)}.`, rows, examples, expected: kind === 'numbers' ? 'text' : 'a number', found: examplesOf(examples) };
}

function constant(column: ColumnFacts, present: number): Told | undefined {
  const [first, second] = column.top ?? [];
  if (!first || present === 0) return undefined;
  const value = JSON.stringify(first.value.slice(0, 40));
  if (!second) return { message: `${column.name} is constant: ${value} in all ${figureOf(present)} rows that have it.`, found: value };
  if (first.count / second.count <= FREQUENCY_RATIO || column.distinct / column.rows > DISTINCT_SHARE) return undefined;
  const share = percent(first.count / present);
  return { message: `${column.name} is nearly constant: ${value} in ${share} of the ${figureOf(present)} rows that have it.`, found: value };
}

function checkTable(rule: TableRule & RuleInForce, facts: DataFacts, violations: Violations | undefined): DataFinding | undefined {
  const { rows } = facts;
  switch (rule.check) {
    case 'rows':
      if (rows >= (rule.min ?? 0) && rows <= (rule.max ?? Infinity)) return undefined;
      return finding(rule, { message: `There are ${figureOf(rows)} rows; there must be ${bounds(rule)}.`, expected: bounds(rule), found: String(rows) });
    case 'rowChange': {
      if (!facts.before || facts.before.rows === 0) return undefined;
      const change = rows / facts.before.rows - 1;
      const lost = rule.fall !== undefined && -change > rule.fall;
      if (!lost && !(rule.growth !== undefined && change > rule.growth)) return undefined;
      const allowed = lost ? `may lose ${percent(rule.fall!)}` : `may gain ${percent(rule.growth!)}`;
      return finding(rule, {
        message: `There are ${figureOf(rows)} rows, ${percent(Math.abs(change))} ${lost ? 'fewer' : 'more'} than the ${figureOf(facts.before.rows)} `
          + `of ${facts.before.what}; they ${allowed}.`,
        expected: allowed, found: `${figureOf(facts.before.rows)} -> ${figureOf(rows)}`,
      });
    }
    case 'duplicateKeys': {
      if (facts.duplicateRows <= rule.max * rows) return undefined;
      const what = facts.keyed ? 'share a key with an earlier row' : 'are the same as an earlier row';
      return finding(rule, {
        message: `${ofRows(facts.duplicateRows, rows)} ${what}${rule.max > 0 ? `; at most ${percent(rule.max)} may` : ''}.`,
        rows: facts.duplicateRows, examples: violations?.examples,
      });
    }
  }
}

/** Category or text is a matter of how many values there are: not a change of type. */
const family = (type: ColumnType): string => (type === 'text' ? 'category' : type);
const HELD: Record<ColumnType, string> = { number: 'numbers', category: 'text', text: 'text', boolean: 'true and false', date: 'dates', vector: 'vectors' };

function bounds({ min, max }: { min?: number | string; max?: number | string }): string {
  const ends = [min !== undefined && `at least ${shown(min)}`, max !== undefined && `at most ${shown(max)}`];
  return ends.filter(Boolean).join(' and ');
}

const tolerated = (rule: ColumnRule): string => (rule.tolerate ? ` (${percent(rule.tolerate)} may be)` : '');
const figureOf = (count: number): string => count.toLocaleString('en-US');
const ofRows = (some: number, all: number): string => `${figureOf(some)} of ${figureOf(all)} rows`;
function shown(value: number | string | null | undefined): string {
  if (typeof value === 'number') return Number.isInteger(value) && Math.abs(value) < 1e9 ? figureOf(value) : figure(value);
  return String(value ?? 'nothing').replace(/ 00:00:00$/, '');
}
const listed = (values: readonly string[]): string => `${values.slice(0, 8).join(', ')}${values.length > 8 ? ` and ${values.length - 8} more` : ''}`;
const examplesOf = (examples: readonly Example[] = []): string => [...new Set(examples.map(({ value }) => JSON.stringify(value)))].join(', ');
const inDays = (ms: number): string => {
  const hours = ms / 3_600_000;
  return hours < 48 ? `${Number(hours.toPrecision(2))} hours` : `${figureOf(Math.round(hours / 24))} days`;
};
/** DuckDB writes times with a space; without a zone they are UTC. */
const isoInstant = (text: string): string => (text.includes(' ') ? `${text.replace(' ', 'T')}Z` : `${text}T00:00Z`);
