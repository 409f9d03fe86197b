import { ShoalError } from '../domain/errors';
import type { StageStatus } from '../domain/prediction';
import type { Table } from '../domain/table';
import { answerInstead, type FallbackAnswer } from './fallback';
import { gather, rowsWhere, type Sources } from './gather';
import { assemble, range, someRows, unfinishedRows, type Part, type StageOutcome } from './outcome';
import { outputTypes, widthOf, type Plan, type PlannedStage, type PlannedVersion } from './stagePlan';
import type { Runner } from './stages';

export interface StageRun { stage: PlannedStage; plan: Plan; /** Outputs that stand for running the model. */ given?: Table; sources: Sources }
export interface RunDeps { models: Runner; signal: AbortSignal }

/**
 * One stage for all rows. Its model answers those for which `when` holds; the fallback answers the others, those the model refused
 * or answered with something that is not finite, and all of them when it failed or took too long.
 *
 * @throws ShoalError STAGE_FAILED when there is no fallback for a failure, or it fails too
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
  const { manifest, ref } = stage;
  return { version: ref.id, outputs: putTogether(run, parts, { rows: sources.input.rows, types: outputTypes(manifest), width: widthOf(manifest) }), status, reasons };
}

interface Tried {
  answered: Part;
  /** Rows for which `when` is false. */
  unasked: number[];
  /** By row, why there is no answer: the model's own reason, or a failure. */
  refused: ReadonlyMap<number, string>;
  failures: ReadonlyMap<number, string>;
  cause?: unknown;
}

async function tryModel({ stage, given, sources }: StageRun, deps: RunDeps): Promise<Tried> {
  let asked = range(sources.input.rows);
  let unasked: number[] = [];
  try {
    if (stage.when) ({ held: asked, others: unasked } = rowsWhere(stage.when, sources));
    if (asked.length === 0) return { answered: { rows: [], table: { rows: 0, columns: {} } }, unasked, refused: new Map(), failures: new Map() };
    if (given) return { ...sortOut(takeGiven(someRows(given, asked)), asked, []), unasked };
    const answers = await ask(stage, gather(stage, stage, sources, asked), { ...deps, timeoutMs: stage.spec.timeoutMs });
    return { ...sortOut(answers, asked, outputNames(stage)), unasked };
  } catch (cause) {
    if (deps.signal.aborted) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    return { answered: { rows: [], table: { rows: 0, columns: {} } }, unasked, refused: new Map(), failures: new Map(asked.map((row) => [row, reason])), cause };
  }
}

type Answers = Awaited<ReturnType<Runner['run']>>;

/** Runs a version within its time. Loading it does not count: that happens once, and says nothing about the model. */
export async function ask(version: PlannedVersion, table: Table, deps: RunDeps & { timeoutMs: number }): Promise<Answers> {
  const { models, signal, timeoutMs } = deps;
  await models.warm([version.ref]);
  signal.throwIfAborted();
  const stop = new AbortController();
  const pass = (): void => stop.abort(signal.reason);
  signal.addEventListener('abort', pass);
  const timer = setTimeout(() => stop.abort(new ShoalError('STAGE_FAILED', `timed out after ${timeoutMs} ms`)), timeoutMs);
  try {
    const stopped = new Promise<never>((_, reject) => stop.signal.addEventListener('abort', () => reject(stop.signal.reason as Error)));
    return await Promise.race([models.run(version.ref, table, { signal: stop.signal }), stopped]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', pass);
  }
}

/** Given outputs as a model's answers: a row without any was refused. */
function takeGiven(table: Table): Answers {
  const missing = Object.keys(table.columns).map((name) => new Set(unfinishedRows(table, [name])));
  const refused = range(table.rows).filter((row) => missing.every((rows) => rows.has(row)));
  return { ...table, refused: new Map(refused.map((row) => [row, 'no output is given for this row'])) };
}

/** Splits answers to the rows `asked` into those that can be used and those that can't. */
export function sortOut(answers: Answers, asked: readonly number[], outputs: readonly string[]): Pick<Tried, 'answered' | 'refused' | 'failures'> {
  const refused = new Map([...answers.refused].map(([i, reason]) => [asked[i]!, reason]));
  const failures = new Map<number, string>();
  for (const i of unfinishedRows(answers, outputs)) {
    if (!answers.refused.has(i)) failures.set(asked[i]!, 'its output is not a finite number');
  }
  const usable = range(asked.length).filter((i) => !answers.refused.has(i) && !failures.has(asked[i]!));
  return { answered: { rows: usable.map((i) => asked[i]!), table: someRows(answers, usable) }, refused, failures };
}

export const outputNames = ({ manifest }: PlannedVersion): string[] => outputTypes(manifest).map(([name]) => name);

async function fallBack(run: StageRun, deps: RunDeps, of: { rows: number[]; tried: Tried }): Promise<FallbackAnswer> {
  try {
    return await answerInstead(run, deps, of.rows);
  } catch (cause) {
    if (deps.signal.aborted) throw cause;
    throw stageFailed(run, { ...of.tried, fallback: cause });
  }
}

function putTogether(run: StageRun, parts: Part[], shape: Parameters<typeof assemble>[1]): Table {
  try {
    return assemble(parts, shape);
  } catch (cause) {
    throw stageFailed(run, { failures: new Map(), fallback: cause });
  }
}

function stageFailed({ stage, plan }: StageRun, of: { failures: ReadonlyMap<number, string>; cause?: unknown; fallback?: unknown }): ShoalError {
  const { model, fallback } = stage.spec;
  const [first] = of.failures;
  const why = first && `${first[1]}${of.cause === undefined ? ` (row ${first[0]}${of.failures.size > 1 ? ` and ${of.failures.size - 1} others` : ''})` : ''}`;
  const fallbackWhy = of.fallback instanceof Error ? of.fallback.message : undefined;
  const takers = [...plan.values()].filter((other) => other.inputs.some(({ from }) => 'stage' in from && from.stage === model)).map((s) => s.spec.model);
  const said = [why, fallbackWhy && `its fallback failed: ${fallbackWhy}`].filter(Boolean).join('; ');
  return new ShoalError('STAGE_FAILED', `Stage ${model}, version ${stage.ref.id}: ${said}.`, {
    remedy: fallback === undefined ? `A \`fallback\` for the stage would answer instead.` : `Correct the stage's \`fallback\`${takers.length > 0 ? `, which ${takers.join(' and ')} read` : ''}.`,
    details: { stage: model, version: stage.ref.id, reason: why, fallback: fallbackWhy, rows: of.failures.size },
    cause: of.cause ?? of.fallback,
  });
}
