import { knownAfterwards, outcomeRank, slug } from './columnNames';
import { ShoalError } from './errors';
import { nearest, oneOf } from './nearest';
import type { Frequency, Task } from './spec';
import type { ColumnType } from './table';

/** A project as it is proposed for a data file, each choice with its reason. */

/** A column as it was found. */
export interface SurveyedColumn {
  name: string;
  type: ColumnType;
  missing: number;
  distinct: number;
  /** Of numbers. */
  min?: number;
  max?: number;
  whole?: boolean;
  quantiles?: Record<string, number>;
  notFinite?: number;
  /** Rows of each of its most frequent values, the most frequent first. */
  counts?: number[];
}
export interface Survey { rows: number; columns: SurveyedColumn[]; /** Columns that name a row; none where none do. */ key: string[] }

export type Role = 'target' | 'key' | 'input' | 'time' | 'series' | 'left out' | 'known later';
export interface ColumnDecision { column: string; type: ColumnType; role: Role; reason: string }

export interface TargetDecision { target: string; task: Exclude<Task, 'embedding'>; scale: 'linear' | 'log10'; reasons: string[] }

export const MIN_ROWS = 60;
const MAX_CLASSES = 100;
const MIN_CLASS_ROWS = 5;
/** So many different values make a number a quantity. */
const MANY = 10;
/** A target's 95th percentile is so many times its 5th: then its orders of magnitude count. */
const ORDERS = 30;
/** Of two columns, one that is missing more often is not what a project is about. */
const SPARSE = 0.4;
const MOSTLY_EMPTY = 0.95;
const MOSTLY_DIFFERENT = 0.9;

const present = (column: SurveyedColumn, rows: number): number => rows - column.missing;

/** Why a column can't be predicted, by which task it can otherwise. */
export function taskOf(column: SurveyedColumn, rows: number): { task: 'regression' | 'classification' } | { problem: string } {
  const known = present(column, rows);
  if (known === 0) return { problem: 'it is empty' };
  if (column.distinct < 2) return { problem: 'it has one value only' };
  if (known < MIN_ROWS) return { problem: `only ${known} rows have a value; a model wants at least ${MIN_ROWS}` };
  switch (column.type) {
    case 'number':
      if (column.notFinite) return { problem: `${column.notFinite} of its values are NaN or infinite` };
      return { task: column.distinct === 2 ? 'classification' : 'regression' };
    case 'boolean': return { task: 'classification' };
    case 'category': {
      if (column.distinct > Math.min(MAX_CLASSES, known / MIN_CLASS_ROWS)) return { problem: `its ${column.distinct} values are too many classes for ${known} rows` };
      if ((column.counts ?? []).filter((n) => n >= MIN_CLASS_ROWS).length < 2) return { problem: `fewer than two of its values have ${MIN_CLASS_ROWS} rows` };
      return { task: 'classification' };
    }
    default: return { problem: `it holds ${{ text: 'free text', date: 'dates', vector: 'vectors' }[column.type]}` };
  }
}

/** Columns that can be predicted, the likeliest first, each with why. */
export function targetCandidates({ rows, columns, key }: Survey): { column: string; task: 'regression' | 'classification'; reason: string }[] {
  const usable = columns.flatMap((column, place) => {
    const of = taskOf(column, rows);
    return 'task' in of && !key.includes(column.name) ? [{ column: column.name, task: of.task, rank: outcomeRank(column.name), place, gaps: column.missing > SPARSE * rows, quantity: column.type === 'number' && column.distinct > MANY }] : [];
  });
  return usable
    .sort((a, b) => Number(a.gaps) - Number(b.gaps) || b.rank - a.rank || Number(b.quantity) - Number(a.quantity) || b.place - a.place)
    .map(({ column, task, rank, quantity }) => ({ column, task, reason: rank > 0 ? 'its name sounds like what one wants to predict' : quantity ? 'it is the last column that holds a quantity' : 'it is the last column that can be predicted' }));
}

/** @throws ShoalError COLUMN_MISSING, CONFIG when there is nothing to predict or the column named can't be */
export function decideTarget(survey: Survey, asked: { target?: string; task?: TargetDecision['task'] }): TargetDecision {
  const { rows, columns } = survey;
  const names = columns.map(({ name }) => name);
  const [likeliest] = targetCandidates(survey);
  const name = asked.target ?? likeliest?.column;
  if (name === undefined) {
    const why = columns.slice(0, 6).map((column) => `${column.name}: ${describe(column, survey)}`).join('; ');
    throw new ShoalError('CONFIG', `No column can be predicted (${why}).`, { remedy: 'Bring a column with a number or a category that differs from row to row, and at least 60 rows.' });
  }
  const column = columns.find((c) => c.name === name);
  if (!column) {
    const near = nearest(name, names);
    throw new ShoalError('COLUMN_MISSING', `The data have no column "${name}".`, { remedy: near ? `Did you mean "${near}"?` : `The columns are ${names.join(', ')}.`, details: { column: name, columns: names } });
  }
  const found = taskOf(column, rows);
  if ('problem' in found) throw new ShoalError('CONFIG', `"${name}" can't be predicted: ${found.problem}.`, { remedy: alternatives(survey, name) });
  const task = asked.task ?? found.task;
  if (task !== 'classification' && column.type !== 'number') throw new ShoalError('CONFIG', `"${name}" can't be the target of a ${task}: it holds no numbers.`, { remedy: 'Leave out --task, or name another column.' });
  if (task === 'classification' && column.type === 'number' && column.distinct > MAX_CLASSES) {
    throw new ShoalError('CONFIG', `"${name}" can't be the target of a classification: it has ${column.distinct} different values.`, { remedy: 'Leave out --task: it is a quantity.' });
  }
  const { scale, reason } = task === 'classification' ? { scale: 'linear' as const, reason: undefined } : scaleOf(column);
  return {
    target: name, task, scale,
    reasons: [
      asked.target === undefined ? `${name}: ${likeliest!.reason}` : `${name}: you named it`,
      asked.task ? `${task}: you asked for it` : task === 'classification' ? `${task}: it has ${column.distinct} different values` : `${task}: it holds numbers`,
      ...(reason ? [reason] : []),
    ],
  };
}

const describe = (column: SurveyedColumn, { rows, key }: Survey): string => {
  const found = taskOf(column, rows);
  return 'problem' in found ? found.problem : key.includes(column.name) ? 'it names the row' : 'usable';
};

function alternatives(survey: Survey, but: string): string {
  const others = targetCandidates(survey).filter(({ column }) => column !== but).slice(0, 5).map(({ column }) => `"${column}"`);
  return others.length > 0 ? `These can: ${oneOf(others).replace(' or ', ' and ')}.` : 'No other column can either.';
}

function scaleOf({ min, quantiles }: SurveyedColumn): { scale: 'linear' | 'log10'; reason?: string } {
  const [low, high] = [quantiles?.['0.05'] ?? NaN, quantiles?.['0.95'] ?? NaN];
  if (!(high > 0)) return { scale: 'linear' };
  const ratio = low > 0 ? `${Math.round(high / low)} times` : 'many times';
  if (low > 0 && high / low < ORDERS) return { scale: 'linear' };
  if (min! > 0) return { scale: 'log10', reason: `log10: the largest 5% of it are at least ${ratio} the smallest 5%` };
  const upper = quantiles?.['0.5'] ?? 0;
  return upper > 0 && high / upper >= 5
    ? { scale: 'linear', reason: `linear: it spans orders of magnitude, and log10 would need all values above 0 (the least is ${min})` }
    : { scale: 'linear' };
}

/** What alone says nearly all of the target. */
export interface Leak { column: string; measure: 'R2' | 'AUC'; value: number; copy: boolean }

/** What each column is for; leaks are what was measured of the columns that would otherwise be inputs. */
export function decideColumns({ rows, columns, key }: Survey, target: string, leaks: readonly Leak[]): ColumnDecision[] {
  return columns.map((column): ColumnDecision => {
    const decide = (role: Role, reason: string): ColumnDecision => ({ column: column.name, type: column.type, role, reason });
    const known = present(column, rows);
    if (column.name === target) return decide('target', 'what is predicted');
    const isKey = key.includes(column.name);
    if (isKey && key.length === 1 && column.type !== 'date') return decide('key', 'it names a row: every value is another');
    if (known === 0) return decide('left out', 'it is empty');
    if (column.distinct < 2) return decide('left out', 'it has one value only');
    if (column.missing / rows > MOSTLY_EMPTY) return decide('left out', `${Math.round((100 * column.missing) / rows)}% of it is missing`);
    if (column.notFinite) return decide('left out', `${column.notFinite} of its values are NaN or infinite`);
    const later = knownAfterwards(column, target);
    if (later) return decide('known later', later);
    const leak = leaks.find((found) => found.column === column.name);
    if (leak) return decide('left out', leak.copy ? 'it is a copy of the target' : `it alone nearly says the target (${leak.measure} ${leak.value.toFixed(3)})`);
    if (column.type === 'category' && column.distinct > 20 && column.distinct > MOSTLY_DIFFERENT * known) return decide('left out', 'nearly every row has a value of its own');
    const gaps = column.missing > 0 ? `, ${Math.max(1, Math.round((100 * column.missing) / rows))}% missing` : '';
    return decide('input', `${column.type}${isKey ? ', part of the key' : ''}${gaps}`);
  });
}

/** A first model that feeds the second. */
export interface FeedingModel { name: string; target: string; inputs: string[]; reason: string }

const GAPS = 0.03;
const MAX_FEEDING_CLASSES = 30;
const WORTH_R2 = 0.02;
const WORTH_AUC = 0.55;

/**
 * A classification that fills the gaps of a category is likely to help where text can tell the category, the category has gaps, and it says something
 * of the target. Where none is missing, what is known already is put in twice.
 */
export function decideFeeding(survey: Survey, decisions: readonly ColumnDecision[], powers: readonly Leak[], target: string): { feeding?: FeedingModel; reason: string } {
  const inputs = decisions.filter(({ role }) => role === 'input');
  const texts = inputs.filter(({ type }) => type === 'text');
  if (texts.length === 0) return { reason: 'One model: there is no text to learn a category or an embedding from.' };
  const candidates = inputs.flatMap(({ column: name, type }) => {
    const column = survey.columns.find((c) => c.name === name)!;
    const power = powers.find((p) => p.column === name);
    const usable = type === 'category' && column.distinct >= 3 && column.distinct <= MAX_FEEDING_CLASSES && (column.counts ?? []).filter((n) => n >= 20).length >= 3;
    if (!usable || column.missing / survey.rows < GAPS || !power || power.value < (power.measure === 'R2' ? WORTH_R2 : WORTH_AUC)) return [];
    return [{ name, power, missing: column.missing / survey.rows }];
  }).sort((a, b) => b.power.value - a.power.value);
  const [best] = candidates;
  if (!best) return { reason: `One model that reads ${oneOf(texts.map(({ column }) => column)).replace(' or ', ' and ')} itself: no category is both often missing and telling, so another model would say nothing new.` };
  const taken = new Set([slug(target)]);
  const name = taken.has(slug(best.name)) ? `${slug(best.name)}-class` : slug(best.name);
  return {
    feeding: {
      name, target: best.name, inputs: inputs.map(({ column }) => column).filter((column) => column !== best.name),
      reason: `${best.name} is missing in ${Math.round(100 * best.missing)}% of the rows and says something of ${target} (${best.power.measure} ${best.power.value.toFixed(2)}); the other columns can tell it`,
    },
    reason: `A chain of two: ${best.name} is missing in ${Math.round(100 * best.missing)}% of the rows and says something of ${target} (${best.power.measure} ${best.power.value.toFixed(2)}).`,
  };
}

export interface ForecastChoice { time: string; frequency: Frequency; horizon: number; series?: string; reason: string }

/** Where the rows are, as it is written into temporal.yaml. */
export type ProposedPlace = { paths: string[] } | { postgres: string; table: string };

export interface Proposal {
  name: string;
  place: ProposedPlace;
  survey: { rows: number; key: string[] };
  decision: TargetDecision;
  columns: ColumnDecision[];
  model: string;
  feeding?: FeedingModel;
  forecast?: ForecastChoice;
  notes: string[];
}
