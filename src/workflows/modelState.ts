import { upstreamOf } from '../domain/spec';
import type { VersionRef } from '../domain/version';
import type { MadeVersion, ModelDefinition, ModelView, RunAnswer, RunRecord, RunRequest, Settled, UpstreamAnswer } from './messages';

const KEPT_RUNS = 20;
const KEPT_BATCHES = 20;

/** Plain JSON, so that it can be carried through continue-as-new. */
export interface ModelStateData {
  definition: ModelDefinition;
  runs: number;
  running?: { run: number; request: RunRequest; batches: string[]; startedAt: string; workflowId: string; /** Its upstream versions have been handed to it. */ upstreamGiven: boolean };
  waiting?: { request: RunRequest; batches: string[] };
  latest?: MadeVersion;
  champion?: VersionRef;
  upstream: Record<string, Settled>;
  records: RunRecord[];
  settled: string[];
}

/** What a model's workflow knows, and what follows from each message. Knows nothing of Temporal. */
export class ModelState {
  constructor(readonly data: ModelStateData) {}

  static fresh(definition: ModelDefinition): ModelState {
    return new ModelState({ definition, runs: 0, upstream: {}, records: [], settled: [] });
  }

  /** A burst of requests makes the run under way and at most one more. */
  ask(request: RunRequest, definition: ModelDefinition): RunAnswer {
    this.data.definition = definition;
    const { running, waiting } = this.data;
    if (waiting) {
      this.data.waiting = { request: { ...request, alongside: [...new Set([...waiting.request.alongside, ...request.alongside])] }, batches: [...waiting.batches, request.batch] };
      return { run: this.data.runs + 1, status: 'merged' };
    }
    this.data.waiting = { request, batches: [request.batch] };
    return { run: this.data.runs + 1, status: running ? 'queued' : 'started' };
  }

  /** An upstream model's run has ended. A new version calls for a run of ours, unless one that will take it is on its way. */
  upstreamSettled(settled: Settled, newBatch: () => string): void {
    const { upstream, running, waiting, definition } = this.data;
    const before = upstream[settled.model]?.version?.id;
    upstream[settled.model] = settled;
    if (!settled.version || settled.version.id === before || waiting || (running && !running.upstreamGiven)) return;
    this.ask({
      trigger: 'upstream', reason: `${settled.model} has a new version, ${settled.version.id}`, by: settled.model, batch: newBatch(), alongside: [],
    }, definition);
  }

  begin(startedAt: string, workflowId: (run: number) => string): NonNullable<ModelStateData['running']> {
    const { request, batches } = this.data.waiting!;
    delete this.data.waiting;
    const run = ++this.data.runs;
    this.data.running = { run, request, batches, startedAt, workflowId: workflowId(run), upstreamGiven: false };
    return this.data.running;
  }

  /** The upstream versions for the run under way, once every upstream model asked alongside has settled; undefined while waiting. */
  upstreamAnswer(): UpstreamAnswer | undefined {
    const { running, upstream, definition } = this.data;
    const versions: Record<string, VersionRef> = {};
    for (const name of upstreamOf(definition.model)) {
      const settled = upstream[name];
      const asked = running?.request.alongside.includes(name) ?? false;
      if (!settled || (asked && !running!.batches.some((batch) => settled.batches.includes(batch)))) return undefined;
      if (!settled.version) return { refusal: `The upstream model "${name}" has no version: ${settled.refusal ?? 'it has not run'}` };
      versions[name] = settled.version;
    }
    return { versions };
  }

  end(outcome: Pick<RunRecord, 'status' | 'reason' | 'made'>, endedAt: string): Settled {
    const { run, request, batches, startedAt } = this.data.running!;
    delete this.data.running;
    if (outcome.made && (outcome.status === 'made' || outcome.status === 'unchanged')) this.data.latest = outcome.made;
    this.data.records = [{ run, request, startedAt, endedAt, ...outcome }, ...this.data.records].slice(0, KEPT_RUNS);
    this.data.settled = [...batches, ...this.data.settled].slice(0, KEPT_BATCHES);
    return this.announcement(outcome.status === 'refused' || outcome.status === 'failed' ? outcome.reason : undefined);
  }

  announcement(refusal?: string): Settled {
    const { definition, latest, settled } = this.data;
    return { model: definition.model.name, batches: settled, version: latest?.version, upstream: latest?.upstream ?? {}, refusal };
  }

  view(): ModelView {
    const { definition, running, waiting, latest, champion, records, settled } = this.data;
    return {
      model: definition.model.name,
      task: definition.model.task,
      running: running && { run: running.run, request: running.request, startedAt: running.startedAt, workflowId: running.workflowId },
      waiting: waiting?.request,
      latest,
      champion,
      runs: records,
      settled,
    };
  }
}
