import { heldUntil } from '../domain/retrain';
import { upstreamOf } from '../domain/spec';
import type { ArtifactRef, VersionRef } from '../domain/version';
import type { Held, Ignored, MadeVersion, ModelDefinition, ModelView, RunAnswer, RunRecord, RunRequest, Settled, Trigger, UpstreamAnswer } from './messages';

const KEPT_RUNS = 20;
const KEPT_BATCHES = 200;
const TOLD_BATCHES = 20;
const KEPT_ANSWERS = 200;
const KEPT_REJECTED = 50;
const KEPT_STARTS = 100;
const KEPT_IGNORED = 5;

/** What nobody asked for: held back by cool-down and budget. */
const AUTOMATIC: readonly Trigger[] = ['schedule', 'newData', 'drift', 'degradation'];

/** Plain JSON, so that it can be carried through continue-as-new. */
export interface ModelStateData {
  definition: ModelDefinition;
  runs: number;
  running?: { run: number; request: RunRequest; batches: string[]; startedAt: string; workflowId: string; /** Its upstream versions have been handed to it. */ upstreamGiven: boolean };
  waiting?: { request: RunRequest; batches: string[] };
  /** Files that are to become versions: each is a run of its own. */
  files?: { request: RunRequest; batches: string[] }[];
  latest?: MadeVersion;
  champion?: VersionRef;
  /** What is known of the champion: it is the newest again when a chain refuses the versions after it. */
  championMade?: MadeVersion;
  /** By version id: which chain refused it, and why. */
  rejected: Record<string, { chain: string; reason: string }>;
  /** Rules for its data, as the last run that came to a version that passed left them; begun with the first such run's snapshot. */
  rules?: ArtifactRef;
  upstream: Record<string, Settled>;
  records: RunRecord[];
  settled: string[];
  /** By batch, what its request was answered. */
  answers?: Record<string, RunAnswer>;
  /** The models asked in the newest batch. */
  alongside?: string[];
  /** What waits for the cool-down or the budget. */
  held?: Held;
  /** When the last runs that nobody asked for began, ISO. */
  automatic?: string[];
  /** Of the data that last called for a run. */
  calledBy?: string;
  ignored?: Ignored[];
}

/** What a model's workflow knows, and what follows from each message. Knows nothing of Temporal. */
export class ModelState {
  constructor(readonly data: ModelStateData) {}

  static fresh(definition: ModelDefinition): ModelState {
    return new ModelState({ definition, runs: 0, upstream: {}, rejected: {}, records: [], settled: [] });
  }

  /** A burst of requests makes the run under way and at most one more; one that comes twice is answered once. */
  ask(request: RunRequest, definition: ModelDefinition): RunAnswer {
    const known = this.answered(request);
    if (known) return known;
    const answer = this.queue(request, definition);
    this.data.answers = Object.fromEntries([...Object.entries(this.data.answers ?? {}), [request.batch, answer] as const].slice(-KEPT_ANSWERS));
    return answer;
  }

  private answered({ batch }: RunRequest): RunAnswer | undefined {
    const { answers = {} } = this.data;
    return Object.hasOwn(answers, batch) ? answers[batch] : undefined;
  }

  private queue(request: RunRequest, definition: ModelDefinition): RunAnswer {
    this.data.definition = definition;
    const { running, waiting, runs, files = [] } = this.data;
    const status = running || files.length > 0 ? 'queued' : 'started';
    if (request.file) {
      this.data.files = [...files, { request, batches: [request.batch] }];
      return { run: runs + files.length + 1, status };
    }
    const run = runs + files.length + 1;
    const { held } = this.data;
    // One run answers both.
    delete this.data.held;
    const before = waiting ?? (held && { request: held.request, batches: [held.request.batch] });
    if (before) {
      this.data.waiting = { request: merged(before.request, request), batches: [...before.batches, request.batch] };
      return { run, status: waiting ? 'merged' : status };
    }
    this.data.waiting = { request, batches: [request.batch] };
    return { run, status };
  }

  /**
   * As `ask`, for what nobody asked for: it is merged into what waits already, or held back by cool-down and budget. Who waits for the batch is then
   * told at once that there is nothing new: nobody is held up by a run that may begin hours later.
   */
  askByItself(request: RunRequest, now: string): RunAnswer {
    const { definition, waiting, runs, automatic = [], calledBy } = this.data;
    const run = runs + 1;
    if (request.data !== undefined && request.data === calledBy) return { run, status: 'known' };
    const known = this.answered(request);
    if (known) return known;
    this.data.calledBy = request.data ?? calledBy;
    const hold = waiting || !definition.limits ? undefined : heldUntil(automatic, definition.limits, now);
    if (!hold) return this.ask(request, definition);
    const { held } = this.data;
    const { tell: _told, ...alone } = request;
    this.data.held = { request: { ...(held ? merged(held.request, alone) : alone), batch: held?.request.batch ?? `${alone.batch}, held`, alongside: [definition.model.name] }, ...hold };
    this.data.settled = [request.batch, ...this.data.settled].slice(0, KEPT_BATCHES);
    this.data.alongside = request.alongside;
    return { run, status: 'held' };
  }

  /** What was held is asked for now, when its time has come. */
  release(now: string): void {
    const { held, definition } = this.data;
    if (!held || held.until > now) return;
    delete this.data.held;
    this.ask(held.request, definition);
  }

  define(definition: ModelDefinition): boolean {
    const changed = JSON.stringify(definition) !== JSON.stringify(this.data.definition);
    this.data.definition = definition;
    return changed;
  }

  /** An upstream model's run has ended. Whether to follow is for the chains to say. */
  upstreamSettled(settled: Settled): void {
    this.data.upstream[settled.model] = settled;
  }

  promoted(version: VersionRef): void {
    this.data.champion = version;
    const { latest, records } = this.data;
    const made = [latest, ...records.map((r) => r.made)].find((m) => m?.version.id === version.id);
    if (made) this.data.championMade = made;
    delete this.data.rejected[version.id];
  }

  /** A version that passed its own gates made a chain worse: what is in place is the newest again. Returns whether the newest is another now. */
  reject({ chain, version, reason }: { chain: string; version: VersionRef; reason: string }): boolean {
    const { latest, champion, championMade, rejected } = this.data;
    if (version.id === champion?.id) return false;
    this.data.rejected = Object.fromEntries([...Object.entries(rejected), [version.id, { chain, reason }] as const].slice(-KEPT_REJECTED));
    if (latest?.version.id !== version.id || !championMade) return false;
    this.data.latest = championMade;
    return true;
  }

  pardon(chain: string): void {
    this.data.rejected = Object.fromEntries(Object.entries(this.data.rejected).filter(([, by]) => by.chain !== chain));
  }

  /** Something is to be run. */
  get isAsked(): boolean {
    return this.data.waiting !== undefined || (this.data.files?.length ?? 0) > 0;
  }

  begin(startedAt: string, workflowId: (run: number) => string): NonNullable<ModelStateData['running']> {
    const [file, ...files] = this.data.files ?? [];
    const { request, batches } = file ?? this.data.waiting!;
    if (file) this.data.files = files;
    else delete this.data.waiting;
    const run = ++this.data.runs;
    if (AUTOMATIC.includes(request.trigger)) this.data.automatic = [...(this.data.automatic ?? []), startedAt].slice(-KEPT_STARTS);
    this.data.running = { run, request, batches, startedAt, workflowId: workflowId(run), upstreamGiven: false };
    return this.data.running;
  }

  /** The upstream versions for the run under way, once every upstream model asked alongside has settled; undefined while waiting. */
  upstreamAnswer(): UpstreamAnswer | undefined {
    const { running, upstream, definition } = this.data;
    const versions: Record<string, VersionRef> = {};
    for (const name of upstreamOf(definition.model)) {
      const given = running?.request.upstream?.[name];
      if (given) {
        versions[name] = given;
        continue;
      }
      const settled = upstream[name];
      const asked = running?.request.alongside.includes(name) ?? false;
      if (!settled || (asked && !running!.batches.some((batch) => settled.batches.includes(batch)))) return undefined;
      if (!settled.version) return { refusal: `The upstream model "${name}" has no version: ${settled.refusal ?? 'it has not run'}` };
      versions[name] = settled.version;
    }
    return { versions };
  }

  end(ended: Pick<RunRecord, 'status' | 'reason' | 'made'>, endedAt: string): Settled {
    const { run, request, batches, startedAt } = this.data.running!;
    delete this.data.running;
    const rejection = ended.made && request.trigger !== 'cascade' ? this.data.rejected[ended.made.version.id] : undefined;
    const outcome = rejection && ended.status !== 'failed' ? { ...ended, status: 'refused' as const, reason: `${rejection.chain} refused this version before: ${rejection.reason}` } : ended;
    this.data.alongside = request.alongside;
    if (outcome.made && (outcome.status === 'made' || outcome.status === 'unchanged')) {
      this.data.latest = outcome.made;
      this.data.rules = outcome.made.rules ?? this.data.rules;
    }
    this.data.records = [{ run, request, batches, startedAt, endedAt, ...outcome }, ...this.data.records].slice(0, KEPT_RUNS);
    this.data.settled = [...batches, ...this.data.settled].slice(0, KEPT_BATCHES);
    return this.announcement(outcome.status === 'refused' || outcome.status === 'failed' ? outcome.reason : undefined);
  }

  announcement(refusal?: string): Settled {
    const { definition, latest, settled, alongside = [] } = this.data;
    return { model: definition.model.name, batches: settled.slice(0, TOLD_BATCHES), alongside, version: latest?.version, upstream: latest?.upstream ?? {}, seconds: latest?.training.seconds, refusal };
  }

  ignore(ignored: Ignored): void {
    this.data.ignored = [ignored, ...(this.data.ignored ?? [])].slice(0, KEPT_IGNORED);
  }

  /** What of the store it may come back to: of earlier runs the retention says. */
  needs(): { holds: unknown } {
    const { latest, champion, championMade, rules, upstream, running, waiting, files, held } = this.data;
    return { holds: { latest, champion, championMade, rules, upstream, running, waiting, files, held } };
  }

  view(): ModelView {
    const { definition, running, waiting, latest, champion, records, settled } = this.data;
    return {
      model: definition.model.name,
      task: definition.model.task,
      running: running && { run: running.run, request: running.request, batches: running.batches, startedAt: running.startedAt, workflowId: running.workflowId },
      waiting: this.data.files?.[0]?.request ?? waiting?.request,
      held: this.data.held,
      latest,
      champion,
      runs: records,
      settled,
      ignored: this.data.ignored,
    };
  }
}

/** The later request, with what the earlier one was for: one run answers both. */
function merged(earlier: RunRequest, request: RunRequest): RunRequest {
  const tell = [...new Set([...(earlier.tell ?? []), ...(request.tell ?? [])])];
  return {
    ...request,
    alongside: [...new Set([...earlier.alongside, ...request.alongside])],
    upstream: { ...earlier.upstream, ...request.upstream },
    ...(tell.length > 0 && { tell }),
  };
}
