import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { History } from '@temporalio/common/lib/proto-utils';
import { DefaultLogger, NativeConnection, Runtime, type Worker } from '@temporalio/worker';
import { Shoal, type ProjectStatus, type TrainOptions } from '../../src/client';
import { embeddedEndpoint } from '../../src/client/connect';
import { registerSearchAttributes } from '../../src/client/searchAttributes';
import { loadProject } from '../../src/config';
import type { ProjectSpec, WorkerSpec } from '../../src/domain/spec';
import { openStore } from '../../src/store/fileStore';
import type { Store } from '../../src/store/store';
import { createRunTraining } from '../../src/workers/training';
import { createWorkers, type WorkerDeps } from '../../src/workers/worker';
import type { ModelView, ReleaseView, RunRecord } from '../../src/workflows/messages';
import type { TestServer } from './server';
import { smallProject, type SmallProject, type SmallProjectOptions } from './smallProject';

export interface OpenOptions extends SmallProjectOptions {
  /** By default one worker in every role. */
  workers?: WorkerSpec[];
  activityInterceptors?: WorkerDeps['activityInterceptors'];
  /** Where reports would be served. */
  reports?: string;
}

/** A project on a test server, in a namespace of its own, with its workers in this process and each training in one of its own. */
export class TestProject {
  private running: { worker: Worker; done: Promise<void> }[] = [];

  private constructor(
    readonly files: SmallProject,
    readonly shoal: Shoal,
    readonly store: Store,
    readonly namespace: string,
    private readonly connection: NativeConnection,
    private readonly options: OpenOptions,
  ) {}

  static async open(server: TestServer, options: OpenOptions = {}): Promise<TestProject> {
    quietRuntime();
    const namespace = server.namespace();
    const files = smallProject({ ...options, namespace });
    const spec = await loadProject(files.file, {}).catch((error: unknown) => { files.remove(); throw error; });
    const shoal = await Shoal.connect({ projectFile: files.file, project: spec, endpoint: embeddedEndpoint(spec, server), reports: options.reports });
    await registerSearchAttributes(shoal.temporal, namespace);
    const connection = await NativeConnection.connect({ address: server.address });
    const project = new TestProject(files, shoal, await openStore(spec.store), namespace, connection, options);
    await project.startWorkers();
    return project;
  }

  get spec(): ProjectSpec {
    return this.shoal.project;
  }

  async startWorkers(specs: WorkerSpec[] = this.options.workers ?? [{ name: 'all', roles: ['workflows', 'train', 'serve'] }]): Promise<void> {
    const deps = {
      connection: this.connection,
      client: this.shoal.temporal,
      // Of its own: what a worker has checked, another process has not.
      store: await openStore(this.spec.store),
      runTraining: createRunTraining({ storePath: this.spec.store.path }),
      activityInterceptors: this.options.activityInterceptors,
    };
    const workers = (await Promise.all(specs.map((spec) => createWorkers(this.spec, spec, deps)))).flat();
    this.running.push(...workers.map((worker) => ({ worker, done: worker.run() })));
  }

  async stopWorkers(): Promise<void> {
    const running = this.running;
    this.running = [];
    for (const { worker } of running) if (worker.getState() === 'RUNNING') worker.shutdown();
    await Promise.all(running.map(({ done }) => done));
  }

  /** Replaces text of the project file, and reads it as the next `shoal` command would. */
  async edit(...changes: [from: string, to: string][]): Promise<void> {
    let text = readFileSync(this.files.file, 'utf8');
    for (const [from, to] of changes) {
      if (!text.includes(from)) throw new Error(`The project file has no "${from}".`);
      text = text.replaceAll(from, to);
    }
    writeFileSync(this.files.file, text);
    Object.assign(this.spec, await loadProject(this.files.file, {}));
  }

  /** Asks for runs and waits until all that follows from them is done. */
  async train(models?: string[], options: TrainOptions = {}): Promise<ProjectStatus> {
    return this.shoal.settled(await this.shoal.train(models, { by: 'tester', ...options }));
  }

  async model(name: string): Promise<ModelView> {
    return (await this.shoal.model(name))!;
  }

  async chain(name = 'flats'): Promise<ReleaseView> {
    return (await this.shoal.chain(name))!;
  }

  async lastRun(name: string): Promise<RunRecord> {
    return (await this.model(name)).runs[0]!;
  }

  history(workflowId: string): Promise<History> {
    return this.shoal.temporal.workflow.getHandle(workflowId).fetchHistory();
  }

  /** What must not change when something goes wrong: what is promoted, what was made. */
  async state(): Promise<{ notes: Record<string, unknown>; releases: unknown; versions: unknown }> {
    const names = (await this.store.listNotes('')).filter((name) => !/^(snapshots|origins)\//.test(name));
    const { models, chains } = await this.shoal.status();
    return {
      notes: Object.fromEntries(await Promise.all(names.map(async (name) => [name, await this.store.readNote(name)]))),
      releases: chains.map((c) => [c.chain, c.current]),
      versions: models.map((m) => [m.model, m.latest?.version.id]),
    };
  }

  get storeFolder(): string {
    return path.join(this.files.folder, '.shoal/store');
  }

  async close(): Promise<void> {
    await this.stopWorkers();
    await this.connection.close();
    await this.shoal.close();
    this.files.remove();
  }
}

let installed = false;

/** One for a test file; only errors are worth a line. */
function quietRuntime(): void {
  if (installed) return;
  installed = true;
  Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
}

/** Types of the activities that a history scheduled, in order. */
export const activitiesOf = (history: History): string[] =>
  (history.events ?? []).flatMap((e) => (e.activityTaskScheduledEventAttributes ? [e.activityTaskScheduledEventAttributes.activityType!.name!] : []));

/** Queues of the activities that a history scheduled, in order. */
export const queuesOf = (history: History): string[] =>
  (history.events ?? []).flatMap((e) => (e.activityTaskScheduledEventAttributes ? [e.activityTaskScheduledEventAttributes.taskQueue!.name!] : []));
