import { ShoalError } from '../domain/errors';
import type { Expression } from '../domain/expression';
import type { Row } from '../domain/prediction';
import { cellOf, toColumn } from '../domain/rows';
import { takeColumn, type Column, type Table } from '../domain/table';
import type { StageOutcome } from './outcome';
import { columnName, type PlannedInput, type PlannedStage, type PlannedVersion } from './stagePlan';

/** What stages read: the request, and what the stages before said. */
export interface Sources {
  /** By column, or by `columnName`. */
  input: Table;
  /** The rows as they came; made from `input` when absent. */
  rows?: readonly Row[];
  outcomes: ReadonlyMap<string, StageOutcome>;
}

/** Rows of a version's own table, with the columns that the stage's `with` sets. */
export function gather(version: PlannedVersion, stage: PlannedStage, sources: Sources, rows: readonly number[]): Table {
  const columns = version.inputs.map((input): [string, Column] => {
    const expression = 'column' in input.from ? stage.with.get(input.from.column) : undefined;
    if (expression) return [input.name, computed(expression, { input, stage, sources, rows })];
    const column = 'column' in input.from
      ? requested(sources.input, input, input.from.column)
      : upstream(input, { stage, version, sources });
    return [input.name, rows.length === sources.input.rows ? column : takeColumn(column, rows)];
  });
  return { rows: rows.length, columns: Object.fromEntries(columns) };
}

function requested(table: Table, { type }: PlannedInput, column: string): Column {
  const found = table.columns[columnName(column, type)] ?? table.columns[column];
  if (found) return found;
  throw new ShoalError('COLUMN_MISSING', `The table has no column ${column}.`, { details: { column } });
}

function upstream({ from, name, width }: PlannedInput, of: { stage: PlannedStage; version: PlannedVersion; sources: Sources }): Column {
  const { stage: above, output } = from as { stage: string; output: string };
  const outcome = of.sources.outcomes.get(above);
  const column = outcome?.outputs.columns[output];
  const { model, id } = of.version.ref;
  const stage = of.stage.spec.model;
  if (!outcome || !column) {
    throw new ShoalError('STAGE_FAILED', `Stage ${stage}: ${model} reads ${output} of ${above}, which has not been run.`, {
      details: { stage, model, upstream: above, output },
    });
  }
  if (column.type === 'vector' && width !== undefined && column.width !== width) {
    const taken = `${model} (version ${id}) takes ${width} numbers as ${name}`;
    const given = `${output} of stage ${above} (version ${outcome.version})`;
    throw new ShoalError('COLUMN_TYPE', `Stage ${stage}: ${taken}, and ${given} has ${column.width}.`, {
      remedy: `Train ${model} against that version of ${above}, or make the fallback of ${above} as wide as its model's output.`,
      details: { stage, input: name, expected: width, upstream: above, output, found: column.width },
    });
  }
  return column;
}

interface Computation { input: PlannedInput; stage: PlannedStage; sources: Sources; rows: readonly number[] }

function computed(expression: Expression, { input: { type, width, from }, stage: { spec }, sources, rows }: Computation): Column {
  const contextAt = contexts(sources, [expression]);
  const values = rows.map((row) => expression.evaluate(contextAt(row)));
  return toColumn(values, { type, width }, (i, expected) => {
    const { column } = from as { column: string };
    const found = JSON.stringify(values[i])?.slice(0, 40);
    const { text } = expression;
    const what = `the expression for ${column}, \`${text}\`, gives ${found} for row ${rows[i]}, where ${expected} is needed`;
    throw new ShoalError('EXPRESSION', `Stage ${spec.model}: ${what}.`, {
      details: { stage: spec.model, column, expression: text, row: rows[i], expected, found },
    });
  });
}

/** The rows for which an expression holds. */
export function rowsWhere(expression: Expression, sources: Sources): { held: number[]; others: number[] } {
  const contextAt = contexts(sources, [expression]);
  const [held, others]: [number[], number[]] = [[], []];
  for (let row = 0; row < sources.input.rows; row++) (expression.test(contextAt(row)) ? held : others).push(row);
  return { held, others };
}

export interface RowContext { input: Row; stages: Record<string, Row> }

/** By row, what expressions see of it: only what they read is made. */
export function contexts(sources: Sources, expressions: readonly Expression[]): (row: number) => RowContext {
  const references = expressions.flatMap((expression) => expression.references);
  const stages = [...sources.outcomes].flatMap(([name, { outputs }]) => {
    const read = references.filter(({ root, path: [stage] }) => root === 'stages' && (stage === undefined || stage === name));
    if (read.length === 0) return [];
    const all = read.some(({ path }) => path.length < 2);
    return [[name, all ? outputs.columns : pick(outputs.columns, read.map(({ path }) => path[1]!))] as const];
  });
  const inputAt = rowReader(sources, references.flatMap(({ root, path: [name] }) => (root === 'input' ? [name] : [])));
  return (row) => {
    const said: Record<string, Row> = {};
    for (const [name, columns] of stages) said[name] = cells(columns, row);
    return { input: inputAt(row), stages: said };
  };
}

const pick = (columns: Record<string, Column>, names: readonly string[]): Record<string, Column> =>
  Object.fromEntries(names.flatMap((name) => (columns[name] ? [[name, columns[name]]] : [])));

function cells(columns: Record<string, Column>, row: number): Row {
  const out: Row = {};
  for (const name in columns) out[name] = cellOf(columns[name]!, row);
  return out;
}

function rowReader({ input, rows }: Sources, names: (string | undefined)[]): (row: number) => Row {
  if (rows) return (row) => rows[row]!;
  const columns = names.includes(undefined) ? input.columns : pick(input.columns, names as string[]);
  return (row) => cells(columns, row);
}
