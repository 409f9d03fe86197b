import { ShoalError } from '../domain/errors';
import { compile, type Expression } from '../domain/expression';
import type { Row, StageAnswer } from '../domain/prediction';
import { rowsToTable, toColumn, type RowColumn } from '../domain/rows';
import type { Column, ColumnType, Table } from '../domain/table';
import type { Release } from '../domain/version';
import { contexts, type Sources } from './gather';
import { fromAnswer, toAnswer, type StageOutcome } from './outcome';
import type { Runner } from './runner';
import { runStage } from './stage';
import { columnsOf, planStages, type Plan } from './stagePlan';

/** Is there while a stage runs. */
export type StageWatch = <T>(of: { chain: string; release: number; stage: string; version: string; rows: number }, work: () => Promise<T>) => Promise<T>;

export interface StageDeps { models: Runner; signal?: AbortSignal; watch?: StageWatch }

export interface RowsRequest {
  release: Release;
  /** The stages to run now; those they need are among them, or in `earlier`. */
  stages: readonly string[];
  rows: readonly Row[];
  earlier: Readonly<Record<string, StageAnswer>>;
  /** For CSV rows: numbers and dates are read from strings. */
  lenient?: boolean;
}

/**
 * Runs stages for request rows, each as soon as those it needs are done.
 *
 * @throws ShoalError of `rowsToTable` when the rows do not fit what any stage of the chain reads; STAGE_FAILED when a stage fails
 * that has no fallback
 */
export async function runStages(request: RowsRequest, deps: StageDeps): Promise<Record<string, StageAnswer>> {
  const { release, stages, rows, earlier, lenient } = request;
  const plan = await planStages(release, deps.models);
  const { columns, mentioned } = columnsOf(plan, release);
  const input = rowsToTable(rows, columns, { lenient, alsoRead: mentioned });
  const before = new Map(Object.entries(earlier).map(([stage, answer]) => [stage, fromAnswer(stage, answer, plan.get(stage)!.manifest)]));
  const outcomes = await runPlanned({ release, plan, stages, given: {} }, { input, rows, outcomes: before }, deps);
  return Object.fromEntries([...outcomes].map(([stage, outcome]) => [stage, toAnswer(outcome)]));
}

export interface TableRequest {
  release: Release;
  /** All of them when absent. */
  stages?: readonly string[];
  /** The columns of `chainColumns`, by their names in the rows. */
  input: Table;
  /** The rows as they came, for expressions; made from `input` when absent. */
  rows?: readonly Row[];
  earlier?: Readonly<Record<string, StageOutcome>>;
  /** By stage, outputs that stand for running its model. A row that is missing throughout counts as one that the model refused. */
  given?: Readonly<Record<string, Table>>;
}

/** Runs stages on a table, for batches of any size: nothing becomes JSON. */
export async function runStagesOnTable(request: TableRequest, deps: StageDeps): Promise<Record<string, StageOutcome>> {
  const { release, input, rows, given = {} } = request;
  const plan = await planStages(release, deps.models);
  const outcomes = new Map(Object.entries(request.earlier ?? {}));
  return Object.fromEntries(await runPlanned({ release, plan, stages: request.stages ?? [...plan.keys()], given }, { input, rows, outcomes }, deps));
}

/** The columns that a chain's models read from its rows, and the names of all that its expressions mention. */
export async function chainColumns(
  release: Release,
  models: Pick<Runner, 'manifest'>,
): Promise<{ columns: RowColumn[]; mentioned: string[] }> {
  return columnsOf(await planStages(release, models), release);
}

async function runPlanned(
  work: { release: Release; plan: Plan; stages: readonly string[]; given: Readonly<Record<string, Table>> },
  sources: Sources,
  deps: StageDeps,
): Promise<Map<string, StageOutcome>> {
  // One failure ends the others, and so does the caller.
  const stop = new AbortController();
  const pass = (): void => stop.abort(deps.signal?.reason);
  deps.signal?.throwIfAborted();
  deps.signal?.addEventListener('abort', pass);
  const outcomes = new Map(sources.outcomes);
  const running = new Map<string, Promise<StageOutcome>>();
  const wanted = new Set(work.stages);
  for (const [name, stage] of work.plan) {
    if (!wanted.has(name)) continue;
    running.set(name, (async () => {
      await Promise.all(stage.needs.flatMap((other) => running.get(other) ?? []));
      stop.signal.throwIfAborted();
      // It sees those it needs, and not whichever else happen to be done.
      const seen = new Map(stage.needs.flatMap((other) => (outcomes.has(other) ? [[other, outcomes.get(other)!]] : [])));
      const run = { stage, plan: work.plan, given: work.given[name], sources: { ...sources, outcomes: seen } };
      const ask = () => runStage(run, { models: deps.models, signal: stop.signal });
      const { chain, number } = work.release;
      const outcome = await (deps.watch ? deps.watch({ chain, release: number, stage: name, version: stage.ref.id, rows: sources.input.rows }, ask) : ask());
      outcomes.set(name, outcome);
      return outcome;
    })());
  }
  try {
    return new Map(await Promise.all(Array.from(running, async ([name, outcome]) => [name, await outcome] as const)));
  } catch (error) {
    stop.abort(error);
    throw error;
  } finally {
    deps.signal?.removeEventListener('abort', pass);
  }
}

/** The chain's outputs, one object a row. @throws ShoalError EXPRESSION */
export function chainOutputs(
  release: Release,
  rows: readonly Row[],
  answers: Readonly<Record<string, StageAnswer>>,
): Record<string, unknown>[] {
  const outputs = Object.entries(release.spec.output).map(([name, text]) => [name, compile(text)] as const);
  const references = outputs.flatMap(([, expression]) => expression.references).filter(({ root }) => root === 'stages');
  const named = new Set(references.map(({ path: [stage] }) => stage));
  const read = Object.keys(answers).filter((stage) => named.has(stage) || named.has(undefined));
  return rows.map((input, row) => {
    const stages = Object.fromEntries(read.map((stage) => [
      stage, Object.fromEntries(Object.entries(answers[stage]!.outputs).map(([output, values]) => [output, values[row] ?? null])),
    ]));
    return Object.fromEntries(outputs.map(([name, expression]) => [name, expression.evaluate({ input, stages })]));
  });
}

/** The chain's outputs for a table, as columns of the type of their values. @throws ShoalError EXPRESSION */
export function tableOutputs(release: Release, input: Table, outcomes: Readonly<Record<string, StageOutcome>>): Table {
  const sources = { input, outcomes: new Map(Object.entries(outcomes)) };
  const columns = Object.entries(release.spec.output).map(([name, text]): [string, Column] => {
    const expression = compile(text);
    const column = namedColumn(expression, outcomes);
    if (column) return [name, column];
    const contextAt = contexts(sources, [expression]);
    const values = Array.from({ length: input.rows }, (_, row) => expression.evaluate(contextAt(row)));
    const type = typeOf(values.find((value) => value !== null));
    return [name, toColumn(values, { type }, (row, expected) => {
      const what = `gives ${JSON.stringify(values[row])} for row ${row}, and ${expected} for others`;
      throw new ShoalError('EXPRESSION', `The chain's output ${name}, \`${text}\`, ${what}.`, {
        details: { chain: release.chain, output: name, expression: text, row },
      });
    })];
  });
  return { rows: input.rows, columns: Object.fromEntries(columns) };
}

/** The column that an expression only names, as most do. */
function namedColumn({ text, references: [reference] }: Expression, outcomes: Readonly<Record<string, StageOutcome>>): Column | undefined {
  if (reference?.root !== 'stages' || text.trim() !== ['stages', ...reference.path].join('.')) return undefined;
  const [stage, output] = reference.path;
  return outcomes[stage!]?.outputs.columns[output!];
}

function typeOf(value: unknown): ColumnType {
  if (typeof value === 'string') return 'category';
  if (typeof value === 'boolean') return 'boolean';
  return Array.isArray(value) ? 'vector' : 'number';
}
