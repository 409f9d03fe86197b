import {
  isGrpcServiceError, ServiceError, WithStartWorkflowOperation, WorkflowFailedError, WorkflowNotFoundError, WorkflowUpdateFailedError, type Client,
} from '@temporalio/client';
import { ApplicationFailure, TimeoutFailure } from '@temporalio/common';
import type { UpdateDefinition } from '@temporalio/common/lib/interfaces';
import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import type { TrainingProgress } from '../activities/train';
import { loadProject } from '../config';
import { recordOutcomes } from '../data/outcomes';
import { formatOf, readRows } from '../data/rows';
import type { Health } from '../domain/health';
import { ERRORS, ShoalError, type ErrorCode } from '../domain/errors';
import { modelOrder, upstreamClosure } from '../domain/graph';
import { nearest } from '../domain/nearest';
import { outcomesOf } from '../domain/outcomes';
import { untraced, type Around } from '../domain/around';
import { MAX_INLINE_BYTES, MAX_INLINE_ROWS, type ChainAnswer, type ChainRequest, type Row } from '../domain/prediction';
import type { ProjectSpec } from '../domain/spec';
import type { ImportedFile } from '../domain/version';
import { tracingFrom, type Tracing } from '../observe';
import { openStore } from '../store/fileStore';
import type { Store } from '../store/store';
import {
  approve, configureChain, defineModel, describeLifecycle, describeModel, describeRelease, force, modelWorkflowId, pause, propose, refuse, releaseWorkflowId, requestRun, resume, rollback, setWeight,
  type Command, type LifecycleView, type ModelView, type ReleaseView, type Trigger,
} from '../workflows/messages';
import { SHOAL_CHAIN, SHOAL_MODEL } from '../workflows/searchAttributes';
import { connectClient, findEndpoint, serverError, type Endpoint } from './connect';
import { findReport, readReportServer, type Report, type ReportQuestion } from './reports';
import { heldOutRows, type HeldOutRow } from './heldOut';
import { importedFile, type ImportOptions } from './importedFile';
import { chainDefinition, modelDefinition } from './definitions';

const POLL_MS = 500;
/** How long the server, or the workers that answer queries, may be away while somebody waits. */
const PATIENCE_MS = 120_000;

/** A prediction that nobody answers in this time has nobody to answer it. */
const PREDICT_TIMEOUT_MS = 60_000;

export interface PredictOptions {
  /** Of the workflow: a second request of the same id attaches to the first. */
  id?: string;
  /** One a row: what the row is called when its outcome is known. */
  keys?: string[];
  timeoutMs?: number;
}

/** Why somebody steps in, for the record; who is the user of this process when absent. */
export interface Word { reason: string; by?: string }

export interface TrainOptions { trigger?: Trigger; reason?: string; by?: string }

export interface LifecycleProgress extends LifecycleView {
  training?: TrainingProgress;
  retrying?: { attempt: number; reason: string };
}

/** Runs asked for together. */
export interface Batch { id: string; models: string[] }

export interface ProjectStatus { models: ModelView[]; chains: ReleaseView[] }

/** The client that programs use. Every error is a ShoalError with a code. */
export class Shoal {
  private constructor(
    readonly project: ProjectSpec,
    readonly endpoint: Endpoint,
    readonly temporal: Client,
    private readonly store: () => Promise<Store>,
    /** Where reports are served, where they are. */
    readonly reports: string | undefined,
    private readonly tracing: Tracing | undefined,
  ) {}

  /** Connects to the server of the project in `projectFile` (temporal.yaml). */
  static async connect(options: { projectFile?: string; project?: ProjectSpec; endpoint?: Endpoint; reports?: string } = {}): Promise<Shoal> {
    const file = options.projectFile ?? 'temporal.yaml';
    const project = options.project ?? (await loadProject(file, process.env));
    const endpoint = options.endpoint ?? findEndpoint(project, file);
    const tracing = tracingFrom(process.env, { service: 'shoal-client' });
    const client = await connectClient(endpoint, tracing && { workflow: [tracing.clientInterceptor] });
    let store: Promise<Store> | undefined;
    return new Shoal(project, endpoint, client, () => (store ??= openStore(project.store)), options.reports ?? readReportServer(file)?.address, tracing);
  }

  async close(): Promise<void> {
    await this.tracing?.flush();
    await this.temporal.connection.close();
  }

  /**
   * Asks for a run of the models (all of them by default) and of those they take inputs from, and returns without waiting.
   * What has not changed is not made again.
   */
  train(models: string[] = Object.keys(this.project.models), options: TrainOptions = {}): Promise<Batch> {
    return this.askForRuns(models, options);
  }

  /**
   * Asks that a ready ONNX file become a version of the model, by a run like any other: the same checks, the same judge, the same release.
   * Returns without waiting. docs/trainers.md says what such a file takes and gives.
   */
  async importVersion(model: string, file: string, options: TrainOptions & ImportOptions = {}): Promise<Batch> {
    this.known('model', model);
    const { outputs, classes, unseen, ...asked } = options;
    const imported = await importedFile(await this.store(), file, { outputs, classes, unseen });
    return this.askForRuns([model], { reason: `${imported.name} was brought in`, ...asked }, { [model]: imported });
  }

  private get around(): Around {
    return this.tracing?.around ?? untraced;
  }

  private askForRuns(models: string[], options: TrainOptions, files: Record<string, ImportedFile> = {}): Promise<Batch> {
    return this.around('train', { 'shoal.models': models.join(', ') }, () => this.asking(models, options, files));
  }

  private async asking(models: string[], options: TrainOptions, files: Record<string, ImportedFile>): Promise<Batch> {
    models.forEach((m) => this.known('model', m));
    // Downstream models and chains first, so that whoever is told of a version is there to hear it.
    const asked = modelOrder(this.project.models, [...upstreamClosure(this.project.models, models), ...models]).reverse();
    const batch: Batch = { id: randomUUID(), models: asked };
    await Promise.all(Object.keys(this.project.chains).map((chain) => this.configure(chain)));
    // Those not asked may be asked by their chains.
    await Promise.all(Object.keys(this.project.models).filter((name) => !asked.includes(name)).map((name) => this.define(name)));
    for (const name of asked) {
      const definition = modelDefinition(this.project, name, this.reports);
      await this.startOrAttach('model', modelWorkflowId(name), name, definition, (operation) =>
        this.temporal.workflow.executeUpdateWithStart(requestRun, {
          args: [{
            trigger: options.trigger ?? 'code',
            reason: options.reason ?? 'asked by a program',
            by: options.by ?? os.userInfo().username,
            batch: batch.id,
            alongside: asked,
            ...(files[name] && { file: files[name] }),
          }, definition],
          startWorkflowOperation: operation,
        }));
    }
    return batch;
  }

  /** Ends when every run of the batch has ended and the chains have judged what came of them. */
  async settled(batch: Batch, onProgress?: (status: ProjectStatus) => void): Promise<ProjectStatus> {
    const models = new Map<string, ModelView>();
    let answeredAt = Date.now();
    for (;;) {
      try {
        const open = batch.models.filter((name) => !models.get(name)?.settled.includes(batch.id));
        for (const view of await Promise.all(open.map((name) => this.model(name)))) if (view) models.set(view.model, view);
        const chains = await this.chains();
        answeredAt = Date.now();
        const status = { models: [...models.values()], chains };
        onProgress?.(status);
        if (isSettled(status, batch)) return await this.status();
      } catch (error) {
        if (!(error instanceof ShoalError) || !error.retryable || Date.now() - answeredAt > PATIENCE_MS) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  async status(): Promise<ProjectStatus> {
    const [models, chains] = await Promise.all([Promise.all(Object.keys(this.project.models).map((name) => this.model(name))), this.chains()]);
    return { models: models.filter((m) => m !== undefined), chains };
  }

  private async chains(): Promise<ReleaseView[]> {
    const views = await Promise.all(Object.keys(this.project.chains).map((name) => this.chain(name)));
    return views.filter((c) => c !== undefined);
  }

  /** Undefined when the model has never been asked to run. */
  model(name: string): Promise<ModelView | undefined> {
    this.known('model', name);
    return this.query(() => this.temporal.workflow.getHandle(modelWorkflowId(name)).query(describeModel));
  }

  chain(name: string): Promise<ReleaseView | undefined> {
    this.known('chain', name);
    return this.query(() => this.temporal.workflow.getHandle(releaseWorkflowId(name)).query(describeRelease));
  }

  /** How a chain does in use; undefined as long as nobody has looked. */
  async health(name: string): Promise<Health | undefined> {
    return (await this.chain(name))?.health;
  }

  /** The steps of a run, what the training under way last said of itself, and the failure that a step is being tried again after. */
  async lifecycle(workflowId: string): Promise<LifecycleProgress | undefined> {
    const handle = this.temporal.workflow.getHandle(workflowId);
    const [view, description] = await Promise.all([this.query(() => handle.query(describeLifecycle)), this.query(() => handle.describe())]);
    if (!view) return undefined;
    const [pending] = description?.raw.pendingActivities ?? [];
    const heartbeat = pending?.activityType?.name === 'train' ? pending.heartbeatDetails?.payloads?.[0]?.data : undefined;
    const { attempt, lastFailure } = pending ?? {};
    return {
      ...view,
      training: heartbeat?.length ? ((JSON.parse(Buffer.from(heartbeat).toString('utf8')) as TrainingProgress | null) ?? undefined) : undefined,
      retrying: lastFailure?.message ? { attempt: attempt ?? 1, reason: lastFailure.message } : undefined,
    };
  }

  /** Predicts rows with the chain's current release. Up to MAX_INLINE_ROWS rows; `score` takes files of any size. */
  async predict(chain: string, rows: Row[], options: PredictOptions = {}): Promise<ChainAnswer> {
    this.known('chain', chain);
    const bytes = Buffer.byteLength(JSON.stringify(rows));
    if (rows.length > MAX_INLINE_ROWS || bytes > MAX_INLINE_BYTES) {
      throw new ShoalError('REQUEST_TOO_LARGE', `The request has ${rows.length} rows and ${bytes} bytes; a request can have ${MAX_INLINE_ROWS} rows and ${MAX_INLINE_BYTES} bytes.`, {
        remedy: 'Send fewer rows at a time, or the whole file with `score`.',
      });
    }
    return this.runChain({ chain, rows, ...(options.keys && { keys: options.keys }) }, { timeoutMs: PREDICT_TIMEOUT_MS, ...options });
  }

  /** Predicts a CSV, JSON, JSON lines or Parquet file of any size; the answer's `result` is a Parquet file in the store. */
  async score(chain: string, file: string, options: Omit<PredictOptions, 'keys'> = {}): Promise<ChainAnswer> {
    this.known('chain', chain);
    const format = formatOf(file);
    const store = await this.store();
    const scratch = await store.scratch();
    try {
      const copy = path.join(scratch, `rows.${format}`);
      await copyRows(file, copy);
      const input = await store.putFile(copy, format);
      return await this.runChain({ chain, input }, options);
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  }

  /**
   * Records what came of predictions, all of it or, when a row is wrong, nothing (OUTCOME_ROW). To record the same again changes nothing.
   *
   * @param outcomes rows, or a CSV, JSON, JSON lines or Parquet file, with `key` (or the key columns of the source of the chain's
   * output model), `value` (or that model's target), and if it is to be told `at`, ISO: when it became known
   */
  async recordOutcomes(chain: string, outcomes: readonly Row[] | string): Promise<{ recorded: number }> {
    this.known('chain', chain);
    const rows = typeof outcomes === 'string' ? await readRows(path.resolve(outcomes)) : outcomes;
    const model = this.project.models[this.project.chains[chain]!.outputStage]!;
    const known = outcomesOf(rows, { chain, model, keyColumns: this.project.sources[model.source]!.key });
    return recordOutcomes(await this.store(), { chain, outcomes: known, now: Date.now() });
  }

  /** Asks a chain to try a release with these versions (ids by model), all else as in the current one; `force` promotes it unjudged. */
  propose(chain: string, versions: Record<string, string>, word: Word & { force?: boolean }): Promise<{ number: number }> {
    return this.command(chain, propose, { ...word, versions });
  }

  approve = (chain: string, word: Word): Promise<void> => this.command(chain, approve, word);
  refuse = (chain: string, word: Word): Promise<void> => this.command(chain, refuse, word);
  pause = (chain: string, word: Word): Promise<void> => this.command(chain, pause, word);
  resume = (chain: string, word: Word): Promise<void> => this.command(chain, resume, word);
  /** Sets the share of live requests that the candidate answers, for as long as its step lasts. */
  setWeight = (chain: string, weight: number, word: Word): Promise<void> => this.command(chain, setWeight, { ...word, weight });
  /** Promotes the candidate under way now, whatever is still to be judged. */
  force = (chain: string, word: Word): Promise<void> => this.command(chain, force, word);
  /** Back to the release before, or to the one of that number; requests are answered by it when this returns. */
  rollback = (chain: string, word: Word & { to?: number }): Promise<{ number: number }> => this.command(chain, rollback, word);

  private async command<R, A extends Command>(chain: string, update: UpdateDefinition<R, [A]>, { by = os.userInfo().username, ...rest }: Word & Omit<A, 'by'>): Promise<R> {
    this.known('chain', chain);
    try {
      return await this.temporal.workflow.getHandle(releaseWorkflowId(chain)).executeUpdate(update, { args: [{ by, ...rest } as unknown as A] });
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) {
        throw new ShoalError('NO_RELEASE', `The chain "${chain}" has not been started yet.`, { remedy: 'Run `shoal up` or `shoal train`.', details: { chain } });
      }
      throw this.toShoalError(error);
    }
  }

  /** A few rows that no model of the chain was trained on, with what was true of them. */
  async heldOut(chain: string, count: number): Promise<HeldOutRow[]> {
    const release = (await this.chain(chain))?.current;
    return release ? heldOutRows(release, await this.store(), count) : [];
  }

  /** A checked file on this machine with what a reference of an answer holds. */
  async download(ref: NonNullable<ChainAnswer['result']>): Promise<string> {
    return (await this.store()).localFile(ref);
  }

  /** The report of a version or a release, by default of the newest one: a checked file on this machine, and its link where it is served. */
  async report(of: ReportQuestion): Promise<Report> {
    if ('model' in of) this.known('model', of.model);
    else this.known('chain', of.chain);
    return findReport(of, { store: await this.store(), newest: () => this.newest(of), server: this.reports });
  }

  /** The newest version of a model, or release of a chain, that has been judged. */
  async newest(of: ReportQuestion): Promise<string | number | undefined> {
    if ('model' in of) return (await this.model(of.model))?.runs.find((run) => run.made)?.made?.version.id;
    return (await this.chain(of.chain))?.decisions.find((d) => d.status !== 'failed')?.number;
  }

  private async runChain(request: ChainRequest, { id = randomUUID(), timeoutMs }: Omit<PredictOptions, 'keys'>): Promise<ChainAnswer> {
    try {
      return await this.around(`predict ${request.chain}`, { 'shoal.chain': request.chain }, () => this.temporal.workflow.execute('chain', {
        workflowId: `chain/${request.chain}/${id}`,
        workflowIdConflictPolicy: 'USE_EXISTING',
        taskQueue: this.project.temporal.taskQueue,
        args: [request],
        workflowExecutionTimeout: timeoutMs,
        staticSummary: 'rows' in request ? `${request.rows.length} rows` : `file ${request.input.uri}`,
      })) as ChainAnswer;
    } catch (error) {
      throw this.toShoalError(error);
    }
  }

  private async define(model: string): Promise<void> {
    await this.query(() => this.temporal.workflow.getHandle(modelWorkflowId(model)).executeUpdate(defineModel, { args: [modelDefinition(this.project, model)] }));
  }

  private async configure(chain: string): Promise<void> {
    const definition = chainDefinition(this.project, chain, this.reports);
    await this.startOrAttach('release', releaseWorkflowId(chain), chain, definition, (operation) =>
      this.temporal.workflow.executeUpdateWithStart(configureChain, { args: [definition], startWorkflowOperation: operation }));
  }

  private async startOrAttach<T>(type: 'model' | 'release', workflowId: string, name: string, definition: unknown, send: (operation: WithStartWorkflowOperation<never>) => Promise<T>): Promise<T> {
    try {
      return await send(new WithStartWorkflowOperation(type, {
        workflowId,
        taskQueue: this.project.temporal.taskQueue,
        args: [definition],
        workflowIdConflictPolicy: 'USE_EXISTING',
        staticSummary: type === 'model' ? `Model ${name}` : `Releases of chain ${name}`,
        typedSearchAttributes: [{ key: type === 'model' ? SHOAL_MODEL : SHOAL_CHAIN, value: name }],
      }) as WithStartWorkflowOperation<never>);
    } catch (error) {
      throw this.toShoalError(error);
    }
  }

  private async query<T>(ask: () => Promise<T>): Promise<T | undefined> {
    try {
      return await ask();
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return undefined;
      throw this.toShoalError(error);
    }
  }

  /** The ShoalError that a worker threw, as it was; or what the server says, or that nobody answers. */
  private toShoalError(error: unknown): unknown {
    const grpc = error instanceof ServiceError ? error.cause : error;
    if (isGrpcServiceError(grpc)) return serverError(this.endpoint, grpc);
    if (!(error instanceof WorkflowFailedError || error instanceof WorkflowUpdateFailedError)) return error;
    if (error.cause instanceof TimeoutFailure) {
      return new ShoalError('TIMED_OUT', `The chain did not answer within its time.`, {
        remedy: 'Its workers may be gone: start them with `shoal up`, or see why they ended in .shoal/logs.', cause: error,
      });
    }
    for (let cause: unknown = error.cause; cause instanceof Error; cause = cause.cause) {
      if (cause instanceof ApplicationFailure && cause.type && cause.type in ERRORS) {
        return new ShoalError(cause.type as ErrorCode, cause.message, { details: (cause.details?.[0] as Record<string, unknown> | undefined) ?? {}, cause: error });
      }
    }
    return error;
  }

  private known(kind: 'model' | 'chain', name: string): void {
    const names = Object.keys(kind === 'model' ? this.project.models : this.project.chains);
    if (names.includes(name)) return;
    const hint = nearest(name, names);
    throw new ShoalError(kind === 'model' ? 'UNKNOWN_MODEL' : 'UNKNOWN_CHAIN', `The project has no ${kind} "${name}".`, {
      remedy: hint ? `Did you mean "${hint}"?` : `It has: ${names.join(', ')}.`,
    });
  }
}

/** The rows as they are, out of their compression: an object in the store is named by its content's format alone. */
async function copyRows(file: string, copy: string): Promise<void> {
  try {
    const from = createReadStream(file);
    const to = createWriteStream(copy);
    await (file.endsWith('.gz') ? pipeline(from, createGunzip(), to) : pipeline(from, to));
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    throw new ShoalError(missing ? 'SOURCE_MISSING' : 'SOURCE_UNREADABLE', `${file} ${missing ? 'is not there' : `can't be read: ${(cause as Error).message}`}.`, {
      remedy: 'Name a file of rows that can be read.', details: { file }, cause,
    });
  }
}

const isSettled = ({ models, chains }: ProjectStatus, batch: Batch): boolean =>
  batch.models.every((name) => models.some((m) => m.model === name && m.settled.includes(batch.id)))
  && chains.every((c) => c.idle && Object.entries(c.models).every(([name, m]) => !batch.models.includes(name) || m.batches.includes(batch.id)));
