import { isCancellation, log as workflowLog, metricMeter, proxyActivities, proxyLocalActivities, setCurrentDetails, setHandler, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import type { ControlActivities, ServingActivities } from '../activities';
import type { Held } from '../activities/predict';
import type { Asked } from '../activities/predictionEntry';
import { MAX_INLINE_ROWS, mergeProvenance, type ChainAnswer, type ChainRequest, type Row, type StageAnswers, type StageProvenance } from '../domain/prediction';
import { keysOf } from '../domain/requestKeys';
import { routeTo } from '../domain/routing';
import { planSegments, type Segment } from '../domain/segments';
import { versionIds, type ArtifactRef, type Release, type Routing } from '../domain/version';
import { reasonOf, refusable, refuse } from './failures';
import { provenanceDetails } from './details';
import { describeChain, type ChainProgress } from './messages';
import { SHOAL_CHAIN } from './searchAttributes';

const PARTS_AT_ONCE = 4;
const MARGIN_MS = 10_000;
const MAX_REASON = 1_000;

const control = proxyLocalActivities<ControlActivities>({
  startToCloseTimeout: '10 seconds', scheduleToCloseTimeout: '2 minutes', retry: { initialInterval: '100 milliseconds', maximumInterval: '5 seconds' },
});

/**
 * The parent that composes the models into a prediction: pins a release, runs its stages as a graph (those that the same workers serve in
 * one activity, independent ones at once), and answers with the outputs and how each stage came to them. While a candidate is tried, a share
 * of the requests goes to it, by a stable hash of their key; what it can't answer, the current release does.
 */
export async function chain(request: ChainRequest): Promise<ChainAnswer> {
  requireForm(request);
  upsertSearchAttributes([{ key: SHOAL_CHAIN, value: request.chain }]);
  if ('rows' in request) {
    if (!Array.isArray(request.rows) || request.rows.length === 0) {
      throw refuse('REQUEST_EMPTY', `The request to chain "${request.chain}" has no rows. Send at least one: {"chain": "${request.chain}", "rows": [{...}]}.`);
    }
    if (request.rows.length > MAX_INLINE_ROWS) {
      throw refuse('REQUEST_TOO_LARGE', `The request has ${request.rows.length} rows; inline it can have ${MAX_INLINE_ROWS}. Send a larger data set as a file in the store: {"chain", "input"}.`);
    }
  }
  return counted(request.chain, async () => {
    const routing = await control.resolveRouting({ chain: request.chain });
    const answer = 'rows' in request ? await answerRows(routing, request) : await answerFile(routing.current, request.input);
    setCurrentDetails(provenanceDetails(answer));
    return answer;
  });
}

/** For whoever watches the workers' metrics. The time is that of the workflow: from its start to its last task. */
async function counted(chain: string, answering: () => Promise<ChainAnswer>): Promise<ChainAnswer> {
  const count = (release: string, status: 'answered' | 'failed') => metricMeter.createCounter('shoal_predictions', undefined, 'Requests to chains.').add(1, { chain, release, status });
  try {
    const answer = await answering();
    count(String(answer.release), 'answered');
    metricMeter.createHistogram('shoal_prediction_seconds', 'float', undefined, 'Time from a request to its answer.').record(Math.max(0, Date.now() - workflowInfo().startTime.getTime()) / 1_000, { chain });
    return answer;
  } catch (error) {
    if (!isCancellation(error)) count('', 'failed');
    throw error;
  }
}

/** Programs in other languages send what they like. */
function requireForm(request: Partial<Extract<ChainRequest, { rows: unknown }> & Extract<ChainRequest, { input: unknown }>> | null | undefined): void {
  const said = 'Send {"chain": "name", "rows": [{...}]}, or {"chain": "name", "input": {"uri", "sha256", "bytes"}} with a file in the store.';
  if (typeof request !== 'object' || request === null || typeof request.chain !== 'string') throw refuse('UNKNOWN_CHAIN', `The request names no chain. ${said}`);
  if ('rows' in request || typeof request.input?.uri === 'string') return;
  throw refuse('REQUEST_EMPTY', `The request to chain "${request.chain}" has neither rows nor a file. ${said}`);
}

async function answerRows({ current, candidate, keyColumns }: Routing, { rows, keys: given }: { rows: Row[]; keys?: string[] }): Promise<ChainAnswer> {
  const { workflowId, runId, startTime } = workflowInfo();
  // An id may be used again by a later run; the end of a run's id is its random part.
  const request = `${workflowId}/${runId.slice(-12)}`;
  const keys = refusable(() => keysOf({ rows, request, columns: keyColumns, given }));
  const log = (weight: number): Asked => ({ request, at: startTime.toISOString(), arm: 'live', weight, keys });
  const failed = async (of: Release, logging: Asked, error: unknown) => {
    const entry = { ...logging, chain: of.chain, release: of.number, versions: versionIds(of), rows, failure: reasonOf(error).slice(0, MAX_REASON), seconds: 0, fallbacks: {} };
    try {
      await control.logFailure({ entry });
    } catch (unlogged) {
      // The caller is to hear of the failure itself.
      if (isCancellation(unlogged)) throw unlogged;
      workflowLog.warn('a failure is not logged', { reason: reasonOf(unlogged) });
    }
  };

  const weight = candidate?.weight ?? 0;
  if (candidate && weight > 0 && routeTo(keys[0]!, { weight, salt: `${current.chain}/${candidate.release.number}` }) === 'candidate') {
    const logging = log(weight);
    try {
      return await answerWith(candidate.release, { rows, logging, attempts: 2 });
    } catch (error) {
      if (isCancellation(error)) throw error;
      await failed(candidate.release, { ...logging, arm: 'abandoned' }, error);
    }
  }
  const logging = log(1 - weight);
  try {
    return await answerWith(current, { rows, logging });
  } catch (error) {
    if (!isCancellation(error)) await failed(current, logging, error);
    throw error;
  }
}

async function answerWith(release: Release, { rows, logging, attempts }: { rows: Row[]; logging: Asked; attempts?: number }): Promise<ChainAnswer> {
  const { answers, provenance, outputs } = await runSegments(release, segmentsOf(release), { rows: { inline: rows }, logging, attempts });
  const inline = answers.flatMap((held) => ('inline' in held ? [held.inline] : []));
  if (!('inline' in outputs)) throw refuse('REQUEST_TOO_LARGE', `The answer to ${rows.length} rows does not fit a payload. Send fewer rows, or the data set as a file in the store.`);
  return {
    chain: release.chain,
    release: release.number,
    rows: rows.length,
    keys: logging.keys,
    provenance,
    outputs: outputs.inline,
    stages: inline.length === answers.length ? Object.assign({}, ...inline) as StageAnswers : undefined,
  };
}

/** A data set is answered by the current release as a whole. */
async function answerFile(release: Release, input: ArtifactRef): Promise<ChainAnswer> {
  const segments = segmentsOf(release);
  const { partition, assemble } = serving(segments.at(-1)!.taskQueue, 60 * 60_000, 'data set');
  const { parts, rows } = await partition({ input });
  if (rows === 0) throw refuse('REQUEST_EMPTY', `The data set ${input.uri} has no rows.`);
  const progress: ChainProgress = { parts: parts.length, done: 0 };
  setHandler(describeChain, () => progress);
  const done: { provenance: Record<string, StageProvenance>; outputs: Held<Record<string, unknown>[]> }[] = [];
  let next = 0;
  await Promise.all(Array.from({ length: Math.min(PARTS_AT_ONCE, parts.length) }, async () => {
    while (next < parts.length) {
      const i = next++;
      done[i] = await runSegments(release, segments, { rows: { ref: parts[i]! } });
      progress.done++;
      setCurrentDetails(`${progress.done} of ${parts.length} parts are answered`);
    }
  }));
  return {
    chain: release.chain,
    release: release.number,
    rows,
    provenance: mergeProvenance(done.map((d) => d.provenance)),
    result: await assemble({ parts: done.map((d) => d.outputs) }),
  };
}

/** Each segment starts as soon as those it comes after are done. */
async function runSegments(release: Release, segments: Segment[], { rows, logging, attempts }: { rows: Held<Row[]>; logging?: Asked; attempts?: number }) {
  const running: Promise<Awaited<ReturnType<ServingActivities['runSegment']>>>[] = [];
  segments.forEach((segment, i) => {
    const last = i === segments.length - 1;
    running.push((async () => {
      const earlier = await Promise.all(last ? running.slice(0, i) : ancestors(segments, i).map((j) => running[j]!));
      const { stages } = segment;
      const { runSegment } = serving(segment.taskQueue, segmentTimeout(release, stages), stages.join(', '), attempts);
      const before = last ? earlier.reduce((sum, e) => sum + e.seconds, 0) : 0;
      return runSegment({ release, stages, rows, earlier: earlier.map((e) => e.answers), last, log: last && logging ? { ...logging, seconds: before } : undefined });
    })());
  });
  const outputs = await Promise.all(running);
  return { answers: outputs.map((o) => o.answers), provenance: mergeProvenance(outputs.map((o) => o.provenance)), outputs: outputs.at(-1)!.outputs! };
}

/** All segments that come before one, directly or not: its stages may refer to any of them. */
function ancestors(segments: Segment[], index: number): number[] {
  const found = new Set<number>();
  const visit = (i: number) => segments[i]!.after.forEach((j) => { if (!found.has(j)) { found.add(j); visit(j); } });
  visit(index);
  return [...found].sort((a, b) => a - b);
}

/** The stages time out by themselves, and fall back; the activity's own limit is for a worker that is gone. */
const segmentTimeout = (release: Release, stages: string[]): number =>
  release.spec.stages.filter((s) => stages.includes(s.model)).reduce((sum, s) => sum + s.timeoutMs, MARGIN_MS);

const segmentsOf = (release: Release): Segment[] => planSegments(release.spec, (stage) => release.taskQueues[stage.model]!, release.dependencies);

const serving = (taskQueue: string, timeoutMs: number, summary: string, maximumAttempts = 10) => proxyActivities<ServingActivities>({
  taskQueue,
  startToCloseTimeout: timeoutMs,
  heartbeatTimeout: '10 seconds',
  retry: { initialInterval: '100 milliseconds', maximumInterval: '5 seconds', maximumAttempts },
  summary,
});
