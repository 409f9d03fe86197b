import type { Row } from '../domain/prediction';
import { rowsToTable } from '../domain/rows';
import type { ServableSpec, StageSpec } from '../domain/spec';
import type { Table } from '../domain/table';
import type { Release, ServabilityMeasures } from '../domain/version';
import { latencyOf } from './latency';
import type { Runner } from './runner';
import { chainColumns, chainOutputs, runStages, runStagesOnTable } from './stages';

export interface TrialDeps {
  models: Runner;
  /** Milliseconds of a clock that only goes forward. */
  now(): number;
  /** The most memory this process has held so far. */
  peakMb(): number;
  onProgress(phase: 'loading' | 'answering', measured: ServabilityMeasures): Promise<void>;
}

/** Rows at once where not their time is of interest: so few that the process is heard of between them. */
const AT_ONCE = 20;
const WARM_UP = 5;
/** Whether a model answers is asked here, not how fast: its stage's own time is for requests, which have its fallback. */
const PATIENT_MS = 60_000;

/**
 * Serves a release as a worker would: loads its versions, answers rows one by one. Stops early when a limit is exceeded already.
 *
 * @throws ShoalError that says why it can't be served
 */
export async function tryRelease(trial: { release: Release; rows: readonly Row[]; limits: ServableSpec }, deps: TrialDeps): Promise<ServabilityMeasures> {
  const { release, rows, limits } = trial;
  const { models, now, peakMb, onProgress } = deps;
  const measured: ServabilityMeasures = {};
  const spent = (): boolean => (measured.loadSeconds ?? 0) > limits.loadSeconds || (measured.peakMb ?? 0) > limits.memoryMb;

  await onProgress('loading', measured);
  const started = now();
  await models.warm(Object.values(release.versions));
  Object.assign(measured, { loadSeconds: (now() - started) / 1000, peakMb: peakMb() });
  await onProgress('answering', measured);
  if (spent()) return measured;

  for (let from = 0; from < rows.length && !spent(); from += AT_ONCE) {
    await proveStages(release, rows.slice(from, from + AT_ONCE), models);
    measured.peakMb = peakMb();
    await onProgress('answering', measured);
  }

  const stages = release.spec.stages.map(({ model }) => model);
  const taken: number[] = [];
  for (let i = 0; i < WARM_UP + rows.length && !spent(); i++) {
    const row = [rows[i % rows.length]!];
    const asked = now();
    chainOutputs(release, row, await runStages({ release, stages, rows: row, earlier: {} }, { models }));
    if (i >= WARM_UP) taken.push(now() - asked);
    const { p50, p95 } = latencyOf(taken);
    Object.assign(measured, { peakMb: peakMb() }, taken.length > 0 && { rows: taken.length, p50Ms: p50, p95Ms: p95 });
    await onProgress('answering', measured);
  }
  return measured;
}

/**
 * Every model by itself, and what stands in for it: in the chain the one would hide that the other fails.
 *
 * @throws ShoalError STAGE_FAILED, with the stage and its version
 */
async function proveStages(release: Release, rows: readonly Row[], models: Runner): Promise<void> {
  const { columns, mentioned } = await chainColumns(release, models);
  const input = rowsToTable(rows, columns, { alsoRead: [...mentioned, ...rows.flatMap(Object.keys)] });
  const earlier = await runStagesOnTable({ release, input, rows }, { models });
  const alone = (stage: StageSpec, given?: Table) => {
    const stages = release.spec.stages.map((other) => (other.model === stage.model ? stage : other));
    const changed = { ...release, spec: { ...release.spec, stages } };
    return runStagesOnTable({ release: changed, stages: [stage.model], input, rows, earlier, given: given && { [stage.model]: given } }, { models });
  };
  for (const stage of release.spec.stages) {
    if (stage.fallback === undefined) continue;
    await alone({ ...stage, fallback: undefined, timeoutMs: PATIENT_MS });
    // A model that says nothing: all rows are the fallback's.
    await alone({ ...stage, when: undefined }, { rows: input.rows, columns: {} });
  }
}
