import type { Client } from '@temporalio/client';
import os from 'node:os';
import { loadProject } from '../config';
import type { Health } from '../domain/health';
import type { ChainAnswer, Row } from '../domain/prediction';
import type { Collection } from '../domain/retention';
import type { ProjectSpec } from '../domain/spec';
import { tracingFrom } from '../observe';
import { openStore } from '../store/fileStore';
import type { Store } from '../store/store';
import { approve, force, modelWorkflowId, newData, pause, propose, refuse, resume, rollback, setWeight, type ModelView, type ReleaseView } from '../workflows/messages';
import { connectClient, findEndpoint, type Endpoint } from './connect';
import { explanationOf, type ExplainQuestion, type Explanation } from './explanation';
import { collectGarbageInput } from './garbage';
import { heldOutRows, type HeldOutRow } from './heldOut';
import type { ImportOptions } from './importedFile';
import { lineageOf, type Lineage, type LineageQuestion } from './lineage';
import { sendCommand, type Word } from './people';
import { Predictions, type PredictOptions, type ScoreOptions } from './predictions';
import type { ProgressEvent } from './progress';
import { Reading, type LifecycleProgress, type ProjectStatus } from './reading';
import { forgiving, Records, type ReleaseSummary, type VersionCard, type VersionSummary } from './records';
import { findReport, readReportServer, type Report, type ReportQuestion } from './reports';
import { Runs, type Batch, type TrainOptions } from './runs';
import { Schedules } from './schedules';
import { cancelled, Session, timedOut, type Waiting } from './session';
import { watch, type Watched, type WatchOptions } from './watch';

const GC_TIMEOUT_MS = 60 * 60_000;

/** The client that programs use. Every error is a ShoalError with a code. docs/programs.md shows each method. */
export class Shoal {
  private readonly runs: Runs;
  private readonly predictions: Predictions;
  private readonly reading: Reading;
  /** What the project does by itself at certain times. */
  readonly schedules: Schedules;

  private constructor(private readonly session: Session) {
    this.runs = new Runs(session);
    this.predictions = new Predictions(session);
    this.reading = new Reading(session);
    this.schedules = new Schedules(session);
  }

  /** Connects to the server of the project in `projectFile` (temporal.yaml). */
  static async connect(options: { projectFile?: string; project?: ProjectSpec; endpoint?: Endpoint; reports?: string } = {}): Promise<Shoal> {
    const file = options.projectFile ?? 'temporal.yaml';
    const project = options.project ?? (await loadProject(file, process.env));
    const endpoint = options.endpoint ?? findEndpoint(project, file);
    const tracing = tracingFrom(process.env, { service: 'shoal-client', warn: (message) => process.emitWarning(message) });
    const client = await connectClient(endpoint, tracing && [tracing.clientInterceptor]);
    let store: Promise<Store> | undefined;
    return new Shoal(new Session(project, endpoint, client, () => (store ??= openStore(project.store)), options.reports ?? readReportServer(file)?.address, tracing));
  }

  async close(): Promise<void> {
    await this.session.tracing?.flush();
    await this.temporal.connection.close();
  }

  get project(): ProjectSpec { return this.session.project; }
  get endpoint(): Endpoint { return this.session.endpoint; }
  get temporal(): Client { return this.session.temporal; }
  /** Where reports are served, where they are. */
  get reports(): string | undefined { return this.session.reports; }

  // Runs

  /**
   * Asks for a run of the models (all of them by default) and of those they take inputs from, and returns without waiting.
   * What has not changed is not made again.
   */
  train(models: string[] = Object.keys(this.project.models), options: TrainOptions = {}): Promise<Batch> {
    return this.runs.ask(models, options);
  }

  /**
   * Asks that a ready ONNX file become a version of the model, by a run like any other: the same checks, the same judge, the same release.
   * Returns without waiting. docs/trainers.md says what such a file takes and gives.
   */
  importVersion(model: string, file: string, options: TrainOptions & ImportOptions = {}): Promise<Batch> {
    return this.runs.importVersion(model, file, options);
  }

  /**
   * Tells what happens to a batch until it is settled, or from now on to a model, a chain or all of them until `signal` or `break` ends it. Goes
   * on where it was when the server was away.
   */
  watch(watched: Watched = {}, options: WatchOptions = {}): AsyncIterableIterator<ProgressEvent> {
    return watch({ session: this.session, reading: this.reading }, watched, options);
  }

  /** Ends when every run of the batch has ended and the chains have judged what came of them. @throws ShoalError TIMED_OUT, CANCELLED */
  async settled(batch: Batch, { onEvent, timeoutMs, signal }: Waiting & { onEvent?(event: ProgressEvent): void } = {}): Promise<ProjectStatus> {
    const late = timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs);
    const ending = [signal, late].filter((s) => s !== undefined);
    for await (const event of this.watch(batch, { signal: AbortSignal.any(ending) })) onEvent?.(event);
    if (signal?.aborted) throw cancelled();
    if (late?.aborted) throw timedOut(timeoutMs!);
    return this.status();
  }

  /** Says that a model's source has new data: a run is made of it, when the model's cool-down and budget allow. */
  newData(model: string, { reason, by = os.userInfo().username, ...waiting }: { reason?: string; by?: string } & Waiting = {}): Promise<void> {
    this.session.known('model', model);
    return this.session.within(waiting, () => this.session.temporal.workflow.getHandle(modelWorkflowId(model)).signal(newData, { reason, by }));
  }

  // Predictions

  /** Predicts rows with the chain's current release. Up to MAX_INLINE_ROWS rows; `score` takes files of any size. */
  async predict(chain: string, rows: Row[], options: PredictOptions = {}): Promise<ChainAnswer> {
    return this.predictions.predict(chain, rows, options);
  }

  /** Predicts a CSV, JSON, JSON lines or Parquet file of any size; the answer's `result` is a Parquet file in the store. */
  score(chain: string, file: string, options: ScoreOptions = {}): Promise<ChainAnswer> {
    return this.predictions.score(chain, file, options);
  }

  /**
   * Records what came of predictions, all of it or, when a row is wrong, nothing (OUTCOME_ROW). To record the same again changes nothing.
   *
   * @param outcomes rows, or a CSV, JSON, JSON lines or Parquet file, with `key` (or the key columns of the source of the chain's
   * output model), `value` (or that model's target), and if it is to be told `at`, ISO: when it became known
   */
  recordOutcomes(chain: string, outcomes: readonly Row[] | string): Promise<{ recorded: number }> {
    return this.predictions.recordOutcomes(chain, outcomes);
  }

  /** A few rows that no model of the chain was trained on, with what was true of them. */
  async heldOut(chain: string, count: number): Promise<HeldOutRow[]> {
    const release = (await this.chain(chain))?.current;
    return release ? heldOutRows(release, await this.session.store(), count) : [];
  }

  /**
   * Removes from the store what no release, run or retention rule needs, or with `dryRun` says what that would be. Who asks while it is done
   * already is told what came of that. Throws NOT_COLLECTED, with nothing removed, when what is needed can't be told.
   */
  collectGarbage({ dryRun = false, timeoutMs = GC_TIMEOUT_MS }: { dryRun?: boolean; timeoutMs?: number } = {}): Promise<Collection> {
    const { project: { name, temporal: { taskQueue } }, temporal } = this.session;
    return this.session.within({ timeoutMs }, async () => await temporal.workflow.execute('collectGarbage', {
      workflowId: `gc/${name}${dryRun ? '/dry-run' : ''}`,
      workflowIdConflictPolicy: 'USE_EXISTING',
      taskQueue,
      args: [collectGarbageInput(this.project, { dryRun })],
      workflowExecutionTimeout: timeoutMs,
      staticSummary: dryRun ? 'What nothing needs' : 'Remove what nothing needs',
    }) as Collection);
  }

  /** A checked file on this machine with what a reference of an answer holds. */
  async download(ref: NonNullable<ChainAnswer['result']>): Promise<string> {
    return (await this.session.store()).localFile(ref);
  }

  // Releases, and people

  /** Asks a chain to try a release with these versions (ids by model), all else as in the current one; `force` promotes it unjudged. */
  propose(chain: string, versions: Record<string, string>, word: Word & { force?: boolean }): Promise<{ number: number }> {
    return sendCommand(this.session, chain, propose, { ...word, versions });
  }

  approve = (chain: string, word: Word): Promise<void> => sendCommand(this.session, chain, approve, word);
  refuse = (chain: string, word: Word): Promise<void> => sendCommand(this.session, chain, refuse, word);
  pause = (chain: string, word: Word): Promise<void> => sendCommand(this.session, chain, pause, word);
  resume = (chain: string, word: Word): Promise<void> => sendCommand(this.session, chain, resume, word);
  /** Sets the share of live requests that the candidate answers, for as long as its step lasts. */
  setWeight = (chain: string, weight: number, word: Word): Promise<void> => sendCommand(this.session, chain, setWeight, { ...word, weight });
  /** Promotes the candidate under way now, whatever is still to be judged. */
  force = (chain: string, word: Word): Promise<void> => sendCommand(this.session, chain, force, word);
  /** Back to the release before, or to the one of that number; requests are answered by it when this returns. */
  rollback = (chain: string, word: Word & { to?: number }): Promise<{ number: number }> => sendCommand(this.session, chain, rollback, word);

  // Reading

  status(waiting: Waiting = {}): Promise<ProjectStatus> {
    return this.reading.status(waiting);
  }

  /** Undefined when the model has never been asked to run. */
  model(name: string, waiting: Waiting = {}): Promise<ModelView | undefined> {
    return this.reading.model(name, waiting);
  }

  chain(name: string, waiting: Waiting = {}): Promise<ReleaseView | undefined> {
    return this.reading.chain(name, waiting);
  }

  /** How a chain does in use; undefined as long as nobody has looked. */
  async health(name: string, waiting: Waiting = {}): Promise<Health | undefined> {
    return (await this.chain(name, waiting))?.health;
  }

  /** The steps of a run, what the training under way last said of itself, and the failure that a step is being tried again after. */
  lifecycle(workflowId: string, waiting: Waiting = {}): Promise<LifecycleProgress | undefined> {
    return this.reading.lifecycle(workflowId, waiting);
  }

  /** A version's card, of the newest one by default. @throws ShoalError UNKNOWN_VERSION */
  async card(model: string, version?: string): Promise<VersionCard> {
    return (await this.records()).card(model, version);
  }

  /** All versions of a model that are in the store, newest first. */
  async versions(model: string): Promise<VersionSummary[]> {
    return (await this.records()).versions(model);
  }

  /** All releases of a chain that were decided on, and the one under way, newest first. */
  async releases(chain: string): Promise<ReleaseSummary[]> {
    return (await this.records()).releases(chain);
  }

  /** What a version, a release or a prediction was made of, down to the files. */
  async lineage(of: LineageQuestion): Promise<Lineage> {
    const answerOf = (id: string) => this.session.query(() => this.temporal.workflow.getHandle(id).result() as Promise<ChainAnswer>);
    return lineageOf(of, { records: await this.records(), answerOf });
  }

  /** Why a version or a release was promoted or refused. */
  async explain(of: ExplainQuestion): Promise<Explanation> {
    return explanationOf(of, await this.records());
  }

  private async records(): Promise<Records> {
    return new Records(this.project, await this.session.store(), forgiving(this.reading));
  }

  /** The report of a version or a release, by default of the newest one: a checked file on this machine, and its link where it is served. */
  async report(of: ReportQuestion): Promise<Report> {
    if ('model' in of) this.session.known('model', of.model);
    else this.session.known('chain', of.chain);
    return findReport(of, { store: await this.session.store(), newest: () => this.newest(of), server: this.reports });
  }

  /** The newest version of a model, or release of a chain, that has been judged. */
  async newest(of: ReportQuestion): Promise<string | number | undefined> {
    if ('model' in of) return (await this.model(of.model))?.runs.find((run) => run.made)?.made?.version.id;
    return (await this.chain(of.chain))?.decisions.find((d) => d.status !== 'failed')?.number;
  }
}
