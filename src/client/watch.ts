import { setTimeout as sleep } from 'node:timers/promises';
import { ShoalError } from '../domain/errors';
import { lifecycleWorkflowId, type ModelView, type ReleaseView } from '../workflows/messages';
import { ToldReleases, ToldSteps, type ProgressEvent } from './progress';
import type { Reading } from './reading';
import type { Batch } from './runs';
import type { Session } from './session';

const POLL_MS = 500;
/** Where nothing is under way. */
const IDLE_MS = 2_000;
/** How long the server, or the workers that answer queries, may be away while somebody watches. */
const PATIENCE_MS = 120_000;

/** A batch of runs and what the chains make of them, until that is settled; or what goes on from now on with a model, a chain, or all. */
export type Watched = Batch | { model: string } | { chain: string } | Record<string, never>;

export interface WatchOptions {
  /** Ends the watch, without an error. */
  signal?: AbortSignal;
  /** How long the server may be away. Then the watch ends with the error that says so. */
  patienceMs?: number;
}

/**
 * Looks again and again, and tells what is new. What workflows say of themselves only ever grows (a run's steps, a chain's numbered events), so
 * that nothing is lost or told twice, however long the server was away.
 */
export function watch(parts: { session: Session; reading: Reading }, watched: Watched, { signal, patienceMs = PATIENCE_MS }: WatchOptions): AsyncIterableIterator<ProgressEvent> {
  if ('model' in watched) parts.session.known('model', watched.model);
  if ('chain' in watched) parts.session.known('chain', watched.chain);
  const ending = new AbortController();
  const end = () => ending.abort();
  if (signal?.aborted) end();
  else signal?.addEventListener('abort', end, { once: true });
  const events = follow(new Watch(parts, watched, ending.signal), ending.signal, patienceMs);
  const over = () => signal?.removeEventListener('abort', end);
  return {
    next: async () => {
      try {
        const result = await events.next();
        if (result.done) over();
        return result;
      } catch (error) {
        over();
        throw error;
      }
    },
    /** Also while somebody still waits for the next event: that wait ends, too. */
    return: async () => {
      end();
      over();
      return events.return(undefined);
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

async function* follow(look: Watch, signal: AbortSignal, patienceMs: number): AsyncGenerator<ProgressEvent, undefined> {
  let answeredAt = Date.now();
  while (!signal.aborted) {
    try {
      for (const event of await look.next()) {
        if (signal.aborted) return undefined;
        yield event;
      }
      answeredAt = Date.now();
      if (look.settled) return undefined;
    } catch (error) {
      if (signal.aborted) return undefined;
      if (!(error instanceof ShoalError) || !error.retryable || Date.now() - answeredAt > patienceMs) throw error;
    }
    await sleep(look.busy ? POLL_MS : IDLE_MS, undefined, { signal }).catch(() => undefined);
  }
  return undefined;
}

/** What has been told, and a look at what has not. */
class Watch {
  settled = false;
  /** Something is under way, or was at the last look. */
  busy = true;
  private readonly batch: Batch | undefined;
  private readonly models: string[];
  private readonly chains: string[];
  private readonly runs = new Map<string, Runs>();
  private readonly releases = new Map<string, ToldReleases>();
  /** When the first run of the batch began: what chains did before is not its doing. */
  private since: string | undefined;
  private looked = false;
  /** Events of a look that failed half way. */
  private pending: ProgressEvent[] = [];

  constructor(private readonly parts: { session: Session; reading: Reading }, watched: Watched, private readonly signal: AbortSignal) {
    const { project } = parts.session;
    this.batch = 'id' in watched ? (watched as Batch) : undefined;
    this.models = 'model' in watched ? [watched.model] : 'chain' in watched ? [] : Object.keys(project.models);
    this.chains = 'chain' in watched ? [watched.chain] : 'model' in watched ? [] : Object.keys(project.chains);
  }

  /** Everything that has happened since the last look. What is told counts as told even when the look fails later on. */
  async next(): Promise<ProgressEvent[]> {
    const { reading } = this.parts;
    const waiting = { signal: this.signal };
    // Chains first: when a chain is found idle, the models seen after it have told it all that they say now.
    const chains = (await all(this.chains.map((name) => reading.chain(name, waiting)))).filter((c) => c !== undefined);
    const models = (await all(this.models.map((name) => reading.model(name, waiting)))).filter((m) => m !== undefined);
    this.since ??= this.batch && firstStart(models, this.batch);
    await all(models.map((view) => this.lookAtRuns(view)));
    const at = new Date().toISOString();
    // One that was not there at the first look has all of its history before it.
    const since = this.since ?? (this.looked ? '' : undefined);
    if (!this.batch || this.since !== undefined) for (const view of chains) this.pending.push(...this.toldReleases(view.chain).next(view, { since, at }));
    this.looked = true;
    this.settled = this.batch !== undefined && isSettled({ models, chains }, this.batch);
    this.busy = this.batch !== undefined || models.some((m) => m.running) || chains.some((c) => !c.idle || c.rollout);
    return this.pending.splice(0);
  }

  private toldReleases(chain: string): ToldReleases {
    const known = this.releases.get(chain) ?? new ToldReleases();
    this.releases.set(chain, known);
    return known;
  }

  private async lookAtRuns(view: ModelView): Promise<void> {
    const known = this.runs.get(view.model);
    const runs = known ?? new Runs(view.model, this.batch || this.looked ? 0 : (view.runs[0]?.run ?? 0));
    this.runs.set(view.model, runs);
    const missed = this.batch || !known ? 0 : Math.max(0, (view.runs.at(-1)?.run ?? 1) - 1 - runs.ended);
    if (missed > 0) this.pending.push({ type: 'missed', at: new Date().toISOString(), model: view.model, events: missed });
    for (const record of [...view.runs].reverse()) {
      if (record.run <= runs.ended) continue;
      if (this.isWatched(record)) {
        const progress = await this.parts.reading.steps(lifecycleWorkflowId(view.model, record.run), { signal: this.signal });
        this.pending.push(...runs.begin(record.run, record), ...(progress ? runs.steps(record.run).next(progress.steps, record.endedAt) : []));
        this.pending.push({ type: 'run.ended', at: record.endedAt, model: view.model, run: record.run, record });
      }
      runs.end(record.run);
    }
    const { running } = view;
    if (!running || running.run <= runs.ended || !this.isWatched(running)) return;
    this.pending.push(...runs.begin(running.run, running));
    const progress = await this.parts.reading.lifecycle(running.workflowId, { signal: this.signal });
    if (!progress) return;
    this.pending.push(...runs.steps(running.run).next(progress.steps, running.startedAt), ...runs.news(running.run, progress));
  }

  private isWatched(run: { request: { trigger: string }; batches?: string[]; startedAt: string }): boolean {
    if (!this.batch) return true;
    if (run.batches?.includes(this.batch.id)) return true;
    return run.request.trigger === 'cascade' && this.since !== undefined && run.startedAt >= this.since;
  }
}

/** What has been told of a model's runs. */
class Runs {
  private begun = 0;
  private readonly told = new Map<number, ToldSteps>();
  private lastNews = '';

  /** @param ended runs up to this one are not told */
  constructor(private readonly model: string, public ended: number) {}

  begin(run: number, { startedAt, request }: Pick<NonNullable<ModelView['running']>, 'startedAt' | 'request'>): ProgressEvent[] {
    if (run <= this.begun) return [];
    this.begun = run;
    return [{ type: 'run.began', at: startedAt, model: this.model, run, request }];
  }

  steps(run: number): ToldSteps {
    const known = this.told.get(run) ?? new ToldSteps({ model: this.model, run });
    this.told.set(run, known);
    return known;
  }

  /** Of a training under way, or a step that is tried again. */
  news(run: number, { steps, training, retrying }: NonNullable<Awaited<ReturnType<Reading['lifecycle']>>>): ProgressEvent[] {
    const of = { at: new Date().toISOString(), model: this.model, run };
    const step = steps.find((s) => s.status === 'running')?.name;
    const event: ProgressEvent | undefined = retrying ? { type: 'retrying', ...of, ...(step && { step }), ...retrying } : training ? { type: 'training', ...of, progress: training } : undefined;
    const text = JSON.stringify(retrying ?? training ?? '');
    if (!event || text === this.lastNews) return [];
    this.lastNews = text;
    return [event];
  }

  end(run: number): void {
    this.ended = run;
    this.told.delete(run);
  }
}

/** Waits for all of them also when one fails, so that nothing goes on behind the back of who asked. */
async function all<T>(asked: Promise<T>[]): Promise<T[]> {
  const ended = await Promise.allSettled(asked);
  const failed = ended.find((one) => one.status === 'rejected');
  if (failed) throw failed.reason;
  return ended.map((one) => (one as PromiseFulfilledResult<T>).value);
}

const firstStart = (models: ModelView[], batch: Batch): string | undefined =>
  models.flatMap((m) => [...m.runs, ...(m.running ? [m.running] : [])]).filter((run) => run.batches?.includes(batch.id)).map((run) => run.startedAt).sort()[0];

/** Every run of the batch has ended, and every chain has heard of it, or of what came after it, and has judged what came of them. */
export const isSettled = ({ models, chains }: { models: ModelView[]; chains: ReleaseView[] }, batch: Batch): boolean =>
  batch.models.every((name) => models.some((m) => m.model === name && m.settled.includes(batch.id)))
  && chains.every((c) => c.idle && Object.entries(c.models).every(([name, m]) => {
    if (!batch.models.includes(name)) return true;
    const newest = models.find((view) => view.model === name)?.settled[0];
    return m.batches.includes(batch.id) || (newest !== undefined && m.batches.includes(newest));
  }));
