import { proxyActivities, proxyLocalActivities, setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import type { ControlActivities, ServingActivities } from '../activities';
import type { Held } from '../activities/predict';
import { MAX_INLINE_ROWS, mergeProvenance, type ChainAnswer, type ChainRequest, type Row, type StageAnswers, type StageProvenance } from '../domain/prediction';
import { planSegments, type Segment } from '../domain/segments';
import type { ArtifactRef, Release } from '../domain/version';
import { refuse } from './failures';
import { provenanceDetails } from './details';
import { SHOAL_CHAIN } from './searchAttributes';

const PARTS_AT_ONCE = 4;
const MARGIN_MS = 10_000;

const { resolveRelease } = proxyLocalActivities<ControlActivities>({ startToCloseTimeout: '10 seconds', retry: { maximumAttempts: 3 } });

/**
 * The parent that composes the models into a prediction: pins the chain's current release, runs its stages as a graph (those that
 * the same workers serve in one activity, independent ones at once), and answers with the outputs and how each stage came to them.
 */
export async function chain(request: ChainRequest): Promise<ChainAnswer> {
  upsertSearchAttributes([{ key: SHOAL_CHAIN, value: request.chain }]);
  if ('rows' in request) {
    if (!Array.isArray(request.rows) || request.rows.length === 0) {
      throw refuse('REQUEST_EMPTY', `The request to chain "${request.chain}" has no rows. Send at least one: {"chain": "${request.chain}", "rows": [{...}]}.`);
    }
    if (request.rows.length > MAX_INLINE_ROWS) {
      throw refuse('REQUEST_TOO_LARGE', `The request has ${request.rows.length} rows; inline it can have ${MAX_INLINE_ROWS}. Send a larger data set as a file in the store: {"chain", "input"}.`);
    }
  }
  const release = await resolveRelease({ chain: request.chain });
  const segments = planSegments(release.spec, (stage) => release.taskQueues[stage.model]!, release.dependencies);

  const answer = 'rows' in request ? await answerRows(release, segments, request.rows) : await answerFile(release, segments, request.input);
  setCurrentDetails(provenanceDetails(answer));
  return answer;
}

async function answerRows(release: Release, segments: Segment[], rows: Row[]): Promise<ChainAnswer> {
  const { answers, provenance, outputs } = await runSegments(release, segments, { inline: rows });
  const inline = answers.flatMap((held) => ('inline' in held ? [held.inline] : []));
  if (!('inline' in outputs)) throw refuse('REQUEST_TOO_LARGE', `The answer to ${rows.length} rows does not fit a payload. Send fewer rows, or the data set as a file in the store.`);
  return {
    chain: release.chain,
    release: release.number,
    rows: rows.length,
    provenance,
    outputs: outputs.inline,
    stages: inline.length === answers.length ? Object.assign({}, ...inline) as StageAnswers : undefined,
  };
}

async function answerFile(release: Release, segments: Segment[], input: ArtifactRef): Promise<ChainAnswer> {
  const { partition, assemble } = serving(segments.at(-1)!.taskQueue, 60 * 60_000, 'data set');
  const { parts, rows } = await partition({ input });
  if (rows === 0) throw refuse('REQUEST_EMPTY', `The data set ${input.uri} has no rows.`);
  const done: { provenance: Record<string, StageProvenance>; outputs: Held<Record<string, unknown>[]> }[] = [];
  let next = 0;
  await Promise.all(Array.from({ length: Math.min(PARTS_AT_ONCE, parts.length) }, async () => {
    while (next < parts.length) {
      const i = next++;
      done[i] = await runSegments(release, segments, { ref: parts[i]! });
      setCurrentDetails(`${done.filter(Boolean).length} of ${parts.length} parts are answered`);
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
async function runSegments(release: Release, segments: Segment[], rows: Held<Row[]>) {
  const running: Promise<Awaited<ReturnType<ServingActivities['runSegment']>>>[] = [];
  segments.forEach((segment, i) => {
    const last = i === segments.length - 1;
    running.push((async () => {
      const earlier = await Promise.all(last ? running.slice(0, i) : ancestors(segments, i).map((j) => running[j]!));
      const { stages } = segment;
      const { runSegment } = serving(segment.taskQueue, segmentTimeout(release, stages), stages.join(', '));
      return runSegment({ release, stages, rows, earlier: earlier.map((e) => e.answers), last });
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

const serving = (taskQueue: string, timeoutMs: number, summary: string) => proxyActivities<ServingActivities>({
  taskQueue,
  startToCloseTimeout: timeoutMs,
  heartbeatTimeout: '10 seconds',
  retry: { initialInterval: '100 milliseconds', maximumInterval: '5 seconds', maximumAttempts: 10 },
  summary,
});
