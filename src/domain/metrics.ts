import type { Resampling, Scorer } from './bootstrap';
import { ShoalError } from './errors';
import { isNumeric, type Column, type StringColumn, type Table, type VectorColumn } from './table';

/** A predictor's metrics on the rows that are judged, by name. */
export type Scorers = Record<string, Scorer>;

/** Predictors scored on the same units. */
export interface Scoring<Who extends string = string> {
  resampling: Resampling;
  /** How many rows (cells, queries) the units hold. */
  rows: number;
  scorers: Partial<Record<Who, Scorers>>;
}

/** sum(weights * values) / sum(weights) */
export function weightedMean(values: Float64Array): Scorer {
  return (weights) => {
    let sum = 0;
    let total = 0;
    for (let i = 0; i < values.length; i++) {
      sum += weights[i]! * values[i]!;
      total += weights[i]!;
    }
    return sum / total;
  };
}

/** sum(weights * sums) / sum(weights * counts): the mean over all that the units hold. */
export function pooledMean(sums: Float64Array, counts: Float64Array): Scorer {
  return (weights) => {
    let sum = 0;
    let count = 0;
    for (let i = 0; i < sums.length; i++) {
      sum += weights[i]! * sums[i]!;
      count += weights[i]! * counts[i]!;
    }
    return sum / count;
  };
}

export const rootOf = (scorer: Scorer): Scorer => (weights) => Math.sqrt(scorer(weights));

export function numbersOf(table: Table, name: string): Float64Array {
  const column = columnOf(table, name);
  if (!isNumeric(column)) throw wrongType(name, column, 'numbers');
  return column.values;
}

export function stringsOf(table: Table, name: string): StringColumn['values'] {
  const column = columnOf(table, name);
  if (column.type !== 'category' && column.type !== 'text') throw wrongType(name, column, 'strings');
  return column.values;
}

/** A number column is a vector of width 1. */
export function vectorOf(table: Table, name: string): { width: number; values: VectorColumn['values'] | Float64Array } {
  const column = columnOf(table, name);
  if (column.type === 'vector') return column;
  if (!isNumeric(column)) throw wrongType(name, column, 'vectors');
  return { width: 1, values: column.values };
}

/** The classes of a target as strings: a category is itself, a boolean 'true' or 'false', a number its decimal digits. */
export function labelsOf(column: Column): (string | null)[] {
  switch (column.type) {
    case 'category':
    case 'text': return column.values;
    case 'boolean': return Array.from(column.values, (v) => (Number.isNaN(v) ? null : v === 1 ? 'true' : 'false'));
    case 'number':
    case 'date': return Array.from(column.values, (v) => (Number.isNaN(v) ? null : String(v)));
    case 'vector': throw wrongType('the target', column, 'classes');
  }
}

function columnOf(table: Table, name: string): Column {
  const column = table.columns[name];
  if (!column) {
    const others = Object.keys(table.columns).join(', ') || 'none';
    throw new ShoalError('COLUMN_MISSING', `There is no output ${name} to judge; there are ${others}.`, { details: { column: name } });
  }
  return column;
}

function wrongType(name: string, { type }: Column, expected: string): ShoalError {
  return new ShoalError('COLUMN_TYPE', `Output ${name} holds ${type} values where ${expected} are judged.`, {
    details: { column: name, type, expected },
  });
}
