import { ShoalError } from '../domain/errors';
import type { StageStatus } from '../domain/prediction';
import type { Table } from '../domain/table';
import { answerInstead, type FallbackAnswer } from './fallback';
import { gather, rowsWhere, type Sources } from './gather';
import { assemble, range, someRows, sortOut, unfinishedRows, type Part, type Sorted, type StageOutcome } from './outcome';
import { ask, type Answers, type RunDeps } from './runner';
import { outputNames, outputTypes, widthOf, type Plan, type PlannedStage } from './stagePlan';

export interface StageRun {
  stage: PlannedStage;
  plan: Plan;
  /** Outputs that stand for running the model. */
  given?: Table;
  sources: Sources;
}

/**
 * One stage for all rows. Its model answers those for which `when` holds; the fallback answers the others, those the model refused
 * or answered with something that is not finite, and all of them when it failed or took too long.
 *
 * @throws ShoalError when there is no fallback for a failure, or it fails too: STAGE_FAILED, or the code of what failed it
 */
export async function runStage(run: StageRun, deps: RunDeps): Promise<StageOutcome> {
  const { stage, sources } = run;
  const tried = await tryModel(run, deps);
  if (stage.spec.fallback === undefined && tried.failures.size > 0) throw stageFailed(run, tried);

  const parts: Part[] = [tried.answered];
  const status = new Array<StageStatus>(sources.input.rows).fill('skipped');
  for (const row of Array.from(tried.answered.rows)) status[row] = 'model';
  const reasons = new Map([...tried.refused, ...tried.failures]);

  const left = [...tried.unasked, ...tried.refused.keys(), ...tried.failures.keys()].sort((a, b) => a - b);
  if (stage.spec.fallback !== undefined && left.length > 0) {
    for (const row of tried.unasked) reasons.set(row, 'its condition is false');
    const instead = await fallBack(run, deps, { rows: left, tried });
    for (const row of Array.from(instead.part.rows)) status[row] = 'fallback';
    for (const [row, reason] of reasons) reasons.set(row, instead.note(row, reason));
    parts.push(instead.part);
  }
  return { version: stage.ref.id, outputs: putTogether(run, parts), status, reasons };
}

interface Tried extends Sorted {
  /** Rows for which `when` is false. */
  unasked: number[];
  /** Of failures for all rows. */
  cause?: unknown;
}

const NOTHING: Part = { rows: [], table: { rows: 0, columns: {} } };

async function tryModel({ stage, given, sources }: StageRun, deps: RunDeps): Promise<Tried> {
  let asked = range(sources.input.rows);
  let unasked: number[] = [];
  try {
    if (stage.when) ({ held: asked, others: unasked } = rowsWhere(stage.when, sources));
    if (asked.length === 0) return { answered: NOTHING, unasked, refused: new Map(), failures: new Map() };
    if (given) return { ...sortOut(takeGiven(someRows(given, asked)), asked, []), unasked };
    const answers = await ask(stage.ref, gather(stage, stage, sources, asked), { ...deps, timeoutMs: stage.spec.timeoutMs });
    return { ...sortOut(answers, asked, outputNames(stage)), unasked };
  } catch (cause) {
    if (deps.signal.aborted) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    return { answered: NOTHING, unasked, refused: new Map(), failures: new Map(asked.map((row) => [row, reason])), cause };
  }
}

/** Given outputs as a model's answers: a row without any was refused. */
function takeGiven(table: Table): Answers {
  const missing = Object.keys(table.columns).map((name) => new Set(unfinishedRows(table, [name])));
  const refused = range(table.rows).filter((row) => missing.every((rows) => rows.has(row)));
  return { ...table, refused: new Map(refused.map((row) => [row, 'no output is given for this row'])) };
}

async function fallBack(run: StageRun, deps: RunDeps, of: { rows: number[]; tried: Tried }): Promise<FallbackAnswer> {
  try {
    return await answerInstead(run, deps, of.rows);
  } catch (cause) {
    if (deps.signal.aborted) throw cause;
    throw stageFailed(run, { ...of.tried, fallback: cause });
  }
}

function putTogether(run: StageRun, parts: Part[]): Table {
  const { sources: { input }, stage: { manifest } } = run;
  try {
    return assemble(parts, { rows: input.rows, types: outputTypes(manifest), width: widthOf(manifest) });
  } catch (cause) {
    throw stageFailed(run, { failures: new Map(), fallback: cause });
  }
}

/** Failures by row, or of all rows for one `cause`; and what came of the fallback. */
interface Failure { failures: ReadonlyMap<number, string>; cause?: unknown; fallback?: unknown }

function stageFailed({ stage, plan }: StageRun, of: Failure): ShoalError {
  const { model, fallback } = stage.spec;
  const why = failureOf(of);
  const fallbackWhy = of.fallback instanceof Error ? `its fallback failed: ${of.fallback.message}` : undefined;
  const readers = [...plan.values()].filter(({ inputs }) => inputs.some(({ from }) => 'stage' in from && from.stage === model));
  const names = readers.map((reader) => reader.spec.model).join(' and ');
  const said = [why, fallbackWhy].filter(Boolean).join('; ');
  const code = of.cause instanceof ShoalError ? of.cause.code : 'STAGE_FAILED';
  return new ShoalError(code, `Stage ${model}, version ${stage.ref.id}: ${said}.`, {
    remedy: fallback === undefined
      ? 'A `fallback` for the stage would answer instead.'
      : `Correct the stage's \`fallback\`${names === '' ? '' : `, which ${names} read`}.`,
    details: { stage: model, version: stage.ref.id, reason: why, fallback: fallbackWhy, rows: of.failures.size },
    cause: of.cause ?? of.fallback,
  });
}

/** The first failure, and which rows it is about when not all. */
function failureOf({ failures, cause }: Failure): string | undefined {
  const [first] = failures;
  if (!first || cause !== undefined) return first?.[1];
  return `${first[1]} (row ${first[0]}${failures.size > 1 ? ` and ${failures.size - 1} others` : ''})`;
}
