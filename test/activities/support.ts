import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { mkdtempSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createAcceptVersion } from '../../src/activities/acceptVersion';
import { createPrepareTraining } from '../../src/activities/prepareTraining';
import type { TrainingJob } from '../../src/activities/train';
import { readRows, writeRows } from '../../src/data/rows';
import type { InputSpec, ModelSpec } from '../../src/domain/spec';
import type { TrainerInput } from '../../src/domain/trainer';
import type { ImportedFile, Snapshot, TrainedVersion } from '../../src/domain/version';
import { Graph, type ElementType, type Shape } from '../../src/learn/onnx/graph';
import { Models } from '../../src/serve/models';
import type { Store } from '../../src/store/store';

export const TRAINER = { taskQueue: 'elsewhere', activity: 'train_it', params: { trees: 3 }, timeoutMs: 60_000 };
export const column = (name: string, type?: (InputSpec & { kind: 'column' })['type']): InputSpec => ({ kind: 'column', name, column: name, ...(type && { type }) });

export type Row = Record<string, unknown> & { __key: string; __fold: number };

export interface Made { answer: unknown; input: TrainerInput; rows: Row[] }

/** The activities around a trainer, and a trainer that a test has in its hands. */
export function bench(store: Store, spec: ModelSpec, snapshot: Snapshot) {
  const models = new Models({ store });
  const activities = { ...createPrepareTraining({ store, models }), ...createAcceptVersion({ store, models }) };
  const job: Omit<TrainingJob, 'fingerprint'> = { model: { ...spec, trainer: TRAINER }, snapshot, upstream: {} };
  const run = <A, R>(activity: (input: A) => Promise<R>, input: A): Promise<R> => new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') }).run(activity, input) as Promise<R>;

  const prepare = (isRead = false) => run(activities.prepareTraining, { job, isRead });
  return {
    models,
    job,
    prepare,
    async input(): Promise<{ input: TrainerInput; rows: Row[] }> {
      const prepared = await prepare();
      if (!('input' in prepared)) throw new Error('it was made before');
      return { input: prepared.input, rows: await readRows(prepared.input.data.path, 'parquet') as Row[] };
    },
    accept: (input: TrainerInput, answer: unknown, isRead = false): Promise<TrainedVersion> => run(activities.acceptVersion, { job, input, answer, seconds: 1, isRead }),
    import: (file: ImportedFile, isRead = false): Promise<TrainedVersion> => run(activities.importVersion, { job: { ...job, model: spec }, file, isRead }),
  };
}

/** What a trainer leaves in its folder, and answers. */
export async function deliver(input: TrainerInput, of: { onnx?: Uint8Array; outputs?: Record<string, unknown>[]; more?: Record<string, unknown> }): Promise<Record<string, unknown>> {
  const folder = mkdtempSync(path.join(input.folder, 'attempt-'));
  const name = path.basename(folder);
  if (of.onnx) writeFileSync(path.join(folder, 'model.onnx'), of.onnx);
  if (of.outputs) await writeRows(path.join(folder, 'outputs.parquet'), of.outputs);
  return { contract: 1, onnx: `${name}/model.onnx`, ...(of.outputs && { outputs: `${name}/outputs.parquet` }), ...of.more };
}

export type Port = [name: string, type: ElementType, shape: Shape];

/** An ONNX file with these inputs, and what `body` makes of them. */
export function onnx(inputs: Port[], body: (graph: Graph) => void): Uint8Array {
  const graph = new Graph();
  for (const [name, type, shape] of inputs) graph.input(name, type, shape);
  body(graph);
  return graph.serialise('test', {});
}
