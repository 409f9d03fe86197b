import type { Client } from '@temporalio/client';
import { bundleWorkflowCode, Runtime, Worker, type ActivityInterceptorsFactory, type NativeConnection, type WorkerOptions, type WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { existsSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createControlActivities, createDataActivities, createServingActivities, createTrainingActivities, createUpkeepActivities } from '../activities';
import type { RunServing } from '../activities/checkServable';
import type { Ledger } from '../activities/publish';
import type { RunTraining } from '../activities/train';
import { ledgerNeeds } from '../client/needs';
import { unlessAbsent } from '../client/unlessAbsent';
import { compactOutcomes } from '../data/outcomes';
import { createRequestLog, type RequestLog } from '../data/requestLog';
import type { ProjectSpec, WorkerSpec } from '../domain/spec';
import type { Tracing } from '../observe';
import { eventMeter, stageMeter } from '../observe/metrics';
import { packageRoot } from '../packageInfo';
import { Models } from '../serve/models';
import type { Store } from '../store/store';
import { describeModel, describeRouting, modelWorkflowId, releaseWorkflowId } from '../workflows/messages';
import { workerQueues } from '../workflows/queues';
import { beside } from './background';
import { failureInterceptor } from './failures';
import { saysSubject, workerTracing } from './observed';
import { createRunServing } from './serving';
import { keepWarm } from './warm';
import { WORKFLOW_SOURCES } from './workflowSources';

/** Snapshots and evaluations at once in a process: they share its memory. */
const DATA_ACTIVITIES = 4;
const WARM_EVERY_MS = 500;
const COMPACT_EVERY_MS = 10 * 60_000;

export interface WorkerDeps {
  connection: NativeConnection;
  client: Client;
  store: Store;
  runTraining: RunTraining;
  /** Fresh processes on the project's store by default. */
  runServing?: RunServing;
  /** The prebuilt workflows by default. */
  workflowBundle?: WorkerOptions['workflowBundle'];
  /** Where traces are taken. */
  tracing?: Tracing;
  /** Around every activity, outermost first. */
  activityInterceptors?: ActivityInterceptorsFactory[];
}

/** The Temporal workers that one worker process of the project runs, by its roles. */
export async function createWorkers(project: ProjectSpec, spec: WorkerSpec, deps: WorkerDeps): Promise<Worker[]> {
  const { connection, client, store, runTraining, runServing = createRunServing({ storePath: project.store.path }) } = deps;
  const { namespace, taskQueue } = project.temporal;
  const models = new Models({ store });
  const log = createRequestLog(store);
  const traced = workerTracing(deps.tracing);
  const { metricMeter } = Runtime.instance();
  const common = {
    connection,
    namespace,
    interceptors: { activity: [...traced.activity, saysSubject, ...(deps.activityInterceptors ?? []), () => ({ inbound: failureInterceptor })] },
    shutdownGraceTime: '5 seconds',
    maxHeartbeatThrottleInterval: '1 second',
    defaultHeartbeatThrottleInterval: '1 second',
  } satisfies Partial<WorkerOptions>;

  const workers = await Promise.all(spec.roles.map(async (role) => {
    switch (role) {
      case 'workflows':
        return Worker.create({
          ...common,
          taskQueue,
          workflowBundle: deps.workflowBundle ?? (await prebuiltWorkflows()),
          sinks: traced.sinks,
          activities: createControlActivities({ store, log, ledger: ledgerOf(client), hooks: project.hooks, meter: eventMeter(metricMeter) }),
        });
      case 'train': {
        const trainers = workerQueues(project, spec, 'train').map((queue) => Worker.create({
          ...common,
          taskQueue: queue,
          activities: createTrainingActivities({ store, runTraining }),
          maxConcurrentActivityTaskExecutions: Math.max(2, os.availableParallelism()),
        }));
        const data = workerQueues(project, spec, 'data').map(async (queue) => {
          const worker = await Worker.create({
            ...common,
            taskQueue: queue,
            activities: { ...createDataActivities({ store, models, log, runServing, now: Date.now }), ...createUpkeepActivities({ store, needs: ledgerNeeds(client, { taskQueue }) }) },
            maxConcurrentActivityTaskExecutions: DATA_ACTIVITIES,
          });
          beside(worker, { firstMs: COMPACT_EVERY_MS, everyMs: COMPACT_EVERY_MS }, () => compactLogs(store, log, Object.keys(project.chains)));
          return worker;
        });
        return Promise.all([...trainers, ...data]);
      }
      case 'serve':
        return Promise.all(workerQueues(project, spec, 'serve').map(async (queue) => {
          const worker = await Worker.create({ ...common, taskQueue: queue, activities: createServingActivities({ store, models, log, around: deps.tracing?.around, meter: stageMeter(metricMeter) }) });
          beside(worker, { firstMs: 0, everyMs: WARM_EVERY_MS }, keepWarm({ chains: Object.keys(project.chains), taskQueue: queue, store, models }));
          return worker;
        }));
    }
  }));
  return workers.flat();
}

async function compactLogs(store: Store, log: RequestLog, chains: string[]): Promise<void> {
  const before = new Date().toISOString();
  for (const chain of chains) {
    await log.compact({ chain, before });
    await compactOutcomes(store, { chain, before });
  }
}

export async function prebuiltWorkflows(): Promise<WorkflowBundleWithSourceMap | { codePath: string }> {
  const codePath = path.join(packageRoot, 'dist/workflow-bundle.js');
  if (existsSync(codePath)) return { codePath };
  return bundleWorkflowCode(WORKFLOW_SOURCES);
}

const ledgerOf = (client: Client): Ledger => ({
  routing: async (chain) => (await unlessAbsent(() => client.workflow.getHandle(releaseWorkflowId(chain)).query(describeRouting))) ?? undefined,
  newest: async (model) => (await unlessAbsent(() => client.workflow.getHandle(modelWorkflowId(model)).query(describeModel)))?.latest?.version,
});
