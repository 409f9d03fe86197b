import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { createDataActivities, type DataActivities } from '../../src/activities';
import { makeVersion } from '../../src/activities/makeVersion';
import { loadProject } from '../../src/config';
import { ingestSource } from '../../src/data/ingest';
import { modelOrder, stageDependencies } from '../../src/domain/graph';
import { upstreamOf, type ModelSpec, type ProjectSpec } from '../../src/domain/spec';
import type { ArtifactRef, Manifest, Release, TrainedVersion } from '../../src/domain/version';
import { Models } from '../../src/serve/models';
import { createRequestLog } from '../../src/data/requestLog';
import { openStore } from '../../src/store/fileStore';
import type { Store } from '../../src/store/store';
import { createRunServing, type ServingOptions } from '../../src/workers/serving';
import { smallProject, type SmallProjectOptions } from '../support/smallProject';

/** A small project with trained versions, and the activities on its store; no server. */
export interface Trained {
  project: ProjectSpec;
  store: Store;
  versions: Record<string, TrainedVersion>;
  /** Trains one more, as the project's model with some things changed. */
  train(name: string, over?: Partial<ModelSpec>, upstream?: Record<string, TrainedVersion>): Promise<TrainedVersion>;
  release(number?: number, over?: Record<string, TrainedVersion>, chain?: string): Release;
  /** As a worker that has just started: nothing is loaded. */
  activities(options?: { store?: Store; silence?: ServingOptions['silence'] }): DataActivities;
  manifest(trained: TrainedVersion): Promise<Manifest>;
  /** Does something to a stored file while `work` runs. */
  damaged<T>(ref: ArtifactRef, how: 'gone' | 'corrupt', work: () => Promise<T>): Promise<T>;
  remove(): void;
}

export async function trainProject(options: SmallProjectOptions): Promise<Trained> {
  const files = smallProject(options);
  const project = await loadProject(files.file, {});
  const store = await openStore(project.store);
  const models = new Models({ store });
  const snapshots = Object.fromEntries(await Promise.all(Object.values(project.sources).map(async (source) => [source.name, await ingestSource(source, { store })] as const)));
  const versions: Record<string, TrainedVersion> = {};
  const train: Trained['train'] = (name, over = {}, upstream = versions) => {
    const model = { ...project.models[name]!, ...over } as ModelSpec;
    const refs = Object.fromEntries(upstreamOf(model).map((other) => [other, upstream[other]!.version]));
    const fingerprint = `test-${name}-${Object.keys(over).join('-')}`;
    return makeVersion({ model, snapshot: snapshots[model.source]!, upstream: refs, fingerprint }, { store, models, now: () => performance.now(), onProgress: () => undefined });
  };
  for (const name of modelOrder(project.models)) versions[name] = await train(name);

  const pathOf = (ref: ArtifactRef): string => path.join(project.store.path, ref.uri);
  return {
    project, store, versions, train,
    release: (number = 1, over = {}, chain = Object.keys(project.chains)[0]!) => {
      const spec = project.chains[chain]!;
      const pinned = Object.fromEntries(spec.stages.map(({ model }) => [model, (over[model] ?? versions[model]!).version]));
      return { chain, number, spec, versions: pinned, dependencies: stageDependencies(spec, project.models), taskQueues: {} };
    },
    activities: ({ store: other = store, silence } = {}) =>
      createDataActivities({ store: other, models: new Models({ store: other }), log: createRequestLog(other), now: Date.now, runServing: createRunServing({ storePath: project.store.path, silence }) }),
    manifest: ({ version }) => store.readJson<Manifest>(version.manifest),
    damaged: async (ref, how, work) => {
      const bytes = await store.read(ref);
      rmSync(pathOf(ref));
      if (how === 'corrupt') writeFileSync(pathOf(ref), bytes.map((byte, i) => (i === 100 ? byte ^ 1 : byte)));
      try {
        return await work();
      } finally {
        rmSync(pathOf(ref), { force: true });
        writeFileSync(pathOf(ref), bytes);
        chmodSync(pathOf(ref), 0o444);
      }
    },
    remove: files.remove,
  };
}

/** Runs an activity as a worker would, in its n-th attempt. */
export const run = <A extends unknown[], R>(activity: (...args: A) => Promise<R>, ...args: A): Promise<R> => attempt(1, activity, ...args);
export const attempt = <A extends unknown[], R>(n: number, activity: (...args: A) => Promise<R>, ...args: A): Promise<R> =>
  new MockActivityEnvironment({ attempt: n }, { logger: new DefaultLogger('ERROR') }).run(activity, ...args) as Promise<R>;
