import { z } from 'zod';
import { LEVELS, type ColumnCheck, type DataRule, type TableCheck } from '../domain/dataRules';
import { toDays } from '../domain/rows';
import type { Problem } from './problems';
import { COLUMN_TYPES, column, expectations } from './schemaModel';

/** Rules that data must keep, as people write them: one entry a column (or the table) with any number of conditions. */

const share = z.number().min(0).max(1);
const end = z.union([z.number(), z.string().min(1)]);
const level = z.enum(LEVELS).default('block')
  .describe('What a violation does: `block` ends the run, `warn` is noted, `off` switches off what is built in or inferred of the kind.');

const age = z.string().regex(/^\d+(\.\d+)?(m|h|d|w)$/);
expectations.add(age, { expects: 'a number and its unit, such as 12h, 30d or 4w' });

export const columnRule = z.strictObject({
  column: column.describe('A column of the source, after its `sql`.'),
  type: z.enum([...COLUMN_TYPES, 'vector']).optional().describe('What it must hold.'),
  missing: share.optional().describe('The largest share of rows without a value.'),
  min: end.optional().describe('The least number, or the earliest date (2010-01-31).'),
  max: end.optional().describe('The largest number, or the latest date.'),
  values: z.array(z.union([z.string(), z.number(), z.boolean()])).min(1).optional().describe('The values it may have, besides none.'),
  unique: z.boolean().optional().describe('No value comes twice.'),
  maxAge: age.optional().describe('How old the newest date may be: a number and `m`, `h`, `d` or `w`.'),
  future: z.boolean().optional().describe('Whether dates after today are right; when absent they are warned of.'),
  mixed: z.boolean().optional().describe('Whether a few numbers among texts (or texts among numbers) are right; when absent they are warned of.'),
  constant: z.boolean().optional().describe('Whether it may have (nearly) one value; when absent that is warned of in an input.'),
  finite: z.boolean().optional().describe('Whether NaN and infinities are wrong; when absent they are warned of, and refused where a model reads them.'),
  tolerate: share.optional().describe('The share of rows that may have values out of range, not allowed or repeated.'),
  level,
}).describe('What a column must be like.');

export const tableRule = z.strictObject({
  // So that an entry with a column is never taken for one of these.
  column: z.never().optional().describe('An entry with a column is about that column.'),
  minRows: z.int().min(0).optional().describe('The fewest rows.'),
  maxRows: z.int().min(1).optional().describe('The most rows.'),
  maxFall: share.optional().describe('The largest share of the rows that may be gone since the champion\'s snapshot.'),
  maxGrowth: z.number().min(0).optional().describe('The most rows that may be new since the champion\'s snapshot, as a share of those there were.'),
  duplicateKeys: share.optional().describe('The largest share of rows whose key another row has, too.'),
  level,
}).describe('What the rows as a whole must be like.');

export const rules = z.array(z.union([columnRule, tableRule])).optional()
  .describe('What the rows must be like before anything is trained on them, beside what is built in and inferred.');
export const knownLater = z.array(column).optional()
  .describe('Columns whose values are not known yet when a prediction is asked for: no model may read them.');

export type RuleDocument = z.output<typeof columnRule> | z.output<typeof tableRule>;

const MS: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** One rule a condition. `at` is the entry's place in the document. */
export function resolveRule(rule: RuleDocument, at: readonly (string | number)[]): { rules: DataRule[]; problems: Problem[] } {
  const problems: Problem[] = [];
  const resolved = isOfColumn(rule) ? columnRules(rule, at, problems) : tableChecks(rule).map((check): DataRule => ({ ...check, level: rule.level }));
  if (resolved.length === 0 && problems.length === 0) {
    const expected = isOfColumn(rule) ? 'a condition, such as `max` or `values`' : '`column`, or a condition on the rows such as `minRows`';
    problems.push({ path: at, message: 'a rule that asks for nothing', expected });
  }
  return { rules: resolved, problems };
}

const isOfColumn = (rule: RuleDocument): rule is z.output<typeof columnRule> => rule.column !== undefined;

function columnRules(rule: z.output<typeof columnRule>, at: readonly (string | number)[], problems: Problem[]): DataRule[] {
  const { column: name, level: written, tolerate } = rule;
  const wanted: { check: ColumnCheck; allowed?: boolean }[] = [];
  if (rule.type !== undefined) wanted.push({ check: { check: 'type', type: rule.type } });
  if (rule.missing !== undefined) wanted.push({ check: { check: 'missing', max: rule.missing } });
  if (rule.min !== undefined || rule.max !== undefined) {
    problems.push(...endProblems(rule, at));
    wanted.push({ check: { check: 'range', ...(rule.min !== undefined && { min: rule.min }), ...(rule.max !== undefined && { max: rule.max }) } });
  }
  if (rule.values !== undefined) wanted.push({ check: { check: 'values', values: rule.values.map(String) } });
  if (rule.unique !== undefined) wanted.push({ check: { check: 'unique' }, allowed: !rule.unique });
  if (rule.maxAge !== undefined) wanted.push({ check: { check: 'fresh', maxAgeMs: Number.parseFloat(rule.maxAge) * MS[rule.maxAge.at(-1)!]! } });
  if (rule.future !== undefined) wanted.push({ check: { check: 'future' }, allowed: rule.future });
  if (rule.mixed !== undefined) wanted.push({ check: { check: 'mixed' }, allowed: rule.mixed });
  if (rule.constant !== undefined) wanted.push({ check: { check: 'varies' }, allowed: rule.constant });
  if (rule.finite !== undefined) wanted.push({ check: { check: 'finite' }, allowed: !rule.finite });
  return wanted.map(({ check, allowed }) => ({ ...check, column: name, level: allowed ? 'off' : written, ...(tolerate !== undefined && { tolerate }) }));
}

function endProblems({ min, max }: { min?: number | string; max?: number | string }, at: readonly (string | number)[]): Problem[] {
  const problems: Problem[] = [];
  for (const [key, value] of [['min', min], ['max', max]] as const) {
    if (typeof value !== 'string') continue;
    const wrong = toDays(value) === undefined ? 'neither a number nor a date' : /^\d{4}(-\d{2})?$/.test(value) ? 'not a whole date' : undefined;
    if (wrong) problems.push({ path: [...at, key], message: wrong, expected: 'such as 3.5 or 2010-01-31', found: `\`${value}\`` });
  }
  if (problems.length > 0 || min === undefined || max === undefined) return problems;
  if (typeof min !== typeof max) return [{ path: at, message: 'one end is a number, the other a date' }];
  const [low, high] = [min, max].map((value) => (typeof value === 'string' ? toDays(value)! : value)) as [number, number];
  return low > high ? [{ path: at, message: `nothing is at least ${min} and at most ${max}` }] : [];
}

function tableChecks({ minRows, maxRows, maxFall, maxGrowth, duplicateKeys }: z.output<typeof tableRule>): TableCheck[] {
  const checks: TableCheck[] = [];
  if (minRows !== undefined || maxRows !== undefined) {
    checks.push({ check: 'rows', ...(minRows !== undefined && { min: minRows }), ...(maxRows !== undefined && { max: maxRows }) });
  }
  if (maxFall !== undefined || maxGrowth !== undefined) {
    checks.push({ check: 'rowChange', ...(maxFall !== undefined && { fall: maxFall }), ...(maxGrowth !== undefined && { growth: maxGrowth }) });
  }
  if (duplicateKeys !== undefined) checks.push({ check: 'duplicateKeys', max: duplicateKeys });
  return checks;
}
