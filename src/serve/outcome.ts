import type { StageAnswer, StageStatus } from '../domain/prediction';
import { unfinished } from '../domain/finite';
import { cellsOf, toColumn } from '../domain/rows';
import { isNumeric, isString, takeRows, type Column, type ColumnType, type Table } from '../domain/table';
import { ShoalError } from '../domain/errors';
import type { Manifest } from '../domain/version';
import type { Answers } from './runner';
import { outputTypes, widthOf } from './stagePlan';

/** What one stage said, typed: what a StageAnswer is before it is JSON. */
export interface StageOutcome {
  version: string;
  /** One row a row of the request; missing where the stage was skipped with no fallback. */
  outputs: Table;
  status: StageStatus[];
  /** By row: why its model did not answer it. */
  reasons: ReadonlyMap<number, string>;
}

/** What it said to some of the rows. */
export const takeOutcome = ({ version, outputs, status }: StageOutcome, rows: readonly number[]): StageOutcome => ({
  version, outputs: takeRows(outputs, rows), status: rows.map((row) => status[row]!), reasons: new Map(),
});

export function toAnswer({ version, outputs, status, reasons }: StageOutcome): StageAnswer {
  const columns = Object.entries(outputs.columns).map(([name, column]) => [name, cellsOf(column, outputs.rows)]);
  return { version, outputs: Object.fromEntries(columns), status, ...(reasons.size > 0 && { fallbackReason: summary(reasons) }) };
}

const MAX_REASONS = 3;

/** The distinct reasons, the commonest first, with their counts when there are several. */
function summary(reasons: ReadonlyMap<number, string>): string {
  const counts = new Map<string, number>();
  for (const reason of reasons.values()) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const ordered = [...counts].sort((a, b) => b[1] - a[1]);
  if (ordered.length === 1) return ordered[0]![0];
  const listed = ordered.slice(0, MAX_REASONS).map(([reason, count]) => `${reason} (${count} ${count === 1 ? 'row' : 'rows'})`);
  return listed.join('; ') + (ordered.length > MAX_REASONS ? `; and ${ordered.length - MAX_REASONS} other reasons` : '');
}

/** An answer of another activity, typed again. Its reasons stay with that answer. */
export function fromAnswer(stage: string, answer: StageAnswer, manifest: Manifest): StageOutcome {
  const columns = outputTypes(manifest).map(([name, type]): [string, Column] => {
    const values = answer.outputs[name] ?? new Array<null>(answer.status.length).fill(null);
    const width = values.find((value) => Array.isArray(value))?.length ?? widthOf(manifest);
    return [name, toColumn(values, { type, width }, (row, expected) => {
      const { version } = answer;
      throw new ShoalError('STAGE_FAILED', `Stage ${stage}, version ${version}: ${name} is not ${expected} for row ${row}.`, {
        details: { stage, version, row, output: name },
      });
    })];
  });
  const outputs = { rows: answer.status.length, columns: Object.fromEntries(columns) };
  return { version: answer.version, outputs, status: answer.status, reasons: new Map() };
}

/** Answers to some of the rows. */
export interface Part { rows: ArrayLike<number>; table: Table }

export interface Shape {
  rows: number;
  types: [name: string, type: ColumnType][];
  /** Of vectors, when no part has one. */
  width: number | undefined;
}

/**
 * Parts put together as one table; rows in no part are missing, and so are outputs that a part lacks.
 *
 * @throws TypeError when the vectors of the parts differ in width
 */
export function assemble(parts: readonly Part[], { rows, types, width }: Shape): Table {
  const columns = types.map(([name, type]): [string, Column] => {
    const present = parts.flatMap(({ rows: at, table }) => {
      const column = table.columns[name];
      return column && at.length > 0 ? [{ rows: at, column }] : [];
    });
    return [name, assembleColumn(present, { rows, name, type, width })];
  });
  return { rows, columns: Object.fromEntries(columns) };
}

type Present = { rows: ArrayLike<number>; column: Column }[];

function assembleColumn(present: Present, of: { rows: number; name: string; type: ColumnType; width: number | undefined }): Column {
  const { rows, name, type } = of;
  const [only] = present;
  if (only && present.length === 1 && only.rows.length === rows) return only.column; // rows are in order, so it is all of them
  if (type === 'vector') {
    const width = (only?.column.type === 'vector' ? only.column.width : undefined) ?? of.width ?? 0;
    const values = new Float32Array(rows * width).fill(NaN);
    for (const part of present) {
      if (part.column.type !== 'vector') throw new TypeError(`${name} must be a vector`);
      const { column, rows: at } = part;
      if (column.width !== width) throw new TypeError(`${name} has ${column.width} numbers for some rows and ${width} for others`);
      for (let i = 0; i < at.length; i++) values.set(column.values.subarray(i * width, (i + 1) * width), at[i]! * width);
    }
    return { type, width, values };
  }
  if (type === 'category' || type === 'text') {
    const values = new Array<string | null>(rows).fill(null);
    for (const { rows: at, column } of present) {
      if (isString(column)) for (let i = 0; i < at.length; i++) values[at[i]!] = column.values[i]!;
    }
    return { type, values };
  }
  const values = new Float64Array(rows).fill(NaN);
  for (const { rows: at, column } of present) {
    if (isNumeric(column)) for (let i = 0; i < at.length; i++) values[at[i]!] = column.values[i]!;
  }
  return { type, values };
}

/** A model's answers to some rows: those that can be used, and by row why the others can't. */
export interface Sorted {
  answered: Part;
  /** For the model's own reasons. */
  refused: ReadonlyMap<number, string>;
  failures: ReadonlyMap<number, string>;
}

export function sortOut(answers: Answers, asked: readonly number[], outputs: readonly string[]): Sorted {
  const refused = new Map([...answers.refused].map(([i, reason]) => [asked[i]!, reason]));
  const failures = new Map<number, string>();
  for (const i of unfinishedRows(answers, outputs)) {
    if (!answers.refused.has(i)) failures.set(asked[i]!, 'its output is not a finite number');
  }
  const usable = range(asked.length).filter((i) => !answers.refused.has(i) && !failures.has(asked[i]!));
  return { answered: { rows: usable.map((i) => asked[i]!), table: someRows(answers, usable) }, refused, failures };
}

/** The rows of a table in which an output is NaN, infinite or null. */
export function unfinishedRows(table: Table, outputs: readonly string[]): number[] {
  const columns = outputs.map((name) => table.columns[name]!);
  return range(table.rows).filter((row) => columns.some((column) => unfinished(column, row)));
}

/** 0 to n - 1. (Many times as fast as Array.from with a function.) */
export function range(n: number): number[] {
  const all = new Array<number>(n);
  for (let i = 0; i < n; i++) all[i] = i;
  return all;
}

/** The given rows; the table itself when those are all. */
export const someRows = (table: Table, rows: readonly number[]): Table => (rows.length === table.rows ? table : takeRows(table, rows));
