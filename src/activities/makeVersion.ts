import { writeTable } from '../data/writeTable';
import { ShoalError } from '../domain/errors';
import { isString, takeRows, type Table } from '../domain/table';
import type { Manifest, TrainedVersion, VersionRef } from '../domain/version';
import { fit, type Fitted } from '../learn/fit';
import { exportOnnx } from '../learn/onnx/export';
import { predict } from '../learn/predict';
import { packagesUsed } from '../packageInfo';
import { runOnnx } from '../serve/session';
import type { Data } from './inputs';
import { versionNote } from './publish';
import type { TrainingJob, TrainingProgress } from './train';
import { trainingRows, type TrainingRows } from './trainingRows';

const PARITY_ROWS = 1_000;
const PARITY_TOLERANCE = 1e-4;

interface Context extends Data {
  /** Milliseconds of a clock that only goes forward. */
  now(): number;
  onProgress(progress: TrainingProgress): void;
}

/** Trains a job, writes it as ONNX, proves the file against the network, and puts it all into the store. */
export async function makeVersion(job: TrainingJob, context: Context): Promise<TrainedVersion> {
  const { store, now } = context;
  const started = now();
  const prepared = await trainingRows(job, context);
  const checkpoint = `checkpoints/${job.fingerprint}`;
  const resumption = watchResumption();
  const fitted = await fit(job.model, prepared.features, prepared.examples, {
    checkpoints: {
      load: async () => resumption.loaded(await store.readBlob(checkpoint)),
      save: (bytes) => store.writeBlob(checkpoint, bytes),
    },
    onProgress: (progress) => { resumption.progressed(progress); context.onProgress(progress); },
    signal: new AbortController().signal,
  });

  const bytes = exportOnnx(fitted.network, prepared.features, { producer: 'shoal', model: job.model.name });
  const manifest = await describe(job, prepared, fitted, context);
  const parity = await proveParity({ bytes, fitted, manifest, table: prepared.examples.table });
  const onnx = await store.put(bytes, 'onnx');
  const complete: Manifest = { ...manifest, onnx };
  const ref = await store.putJson(complete);
  const version: VersionRef = { model: job.model.name, id: ref.sha256.slice(0, 12), manifest: ref };
  await store.writeNote(versionNote(version.model, version.id), version);
  await store.removeBlob(checkpoint);
  return {
    version,
    summary: { ...fitted.summary, seconds: (now() - started) / 1000, onnxBytes: onnx.bytes, parity, reused: false, resumedAtEpoch: resumption.epoch() },
  };
}

function watchResumption() {
  let checkpoint: Buffer | undefined;
  let first: number | undefined;
  return {
    loaded: (bytes: Buffer | undefined) => (checkpoint = bytes),
    progressed: ({ epoch }: TrainingProgress) => { first ??= epoch; },
    // A checkpoint that is torn or of another job is passed over: training then begins at its first epoch.
    epoch: () => (checkpoint && first! > 1 ? first : undefined),
  };
}

async function describe(job: TrainingJob, { features, keyed }: TrainingRows, fitted: Fitted, { store }: Data): Promise<Omit<Manifest, 'onnx'>> {
  const { head } = fitted.network;
  return {
    model: job.model.name,
    spec: job.model,
    features,
    classes: head.kind === 'classification' ? head.classes : undefined,
    width: head.kind === 'embedding' ? head.dimensions : head.kind === 'classification' ? head.classes.length : undefined,
    baseline: fitted.baseline,
    snapshot: job.snapshot,
    upstream: job.upstream,
    outputs: await writeTable(store, keyed(fitted.outputs)),
    weights: job.weights,
    packages: packagesUsed(['@tensorflow/tfjs-node', 'onnxruntime-node']),
  };
}

/** The same rows through TensorFlow.js and through ONNX Runtime, output by output, relative to the size that the output's numbers have. */
async function proveParity(of: { bytes: Uint8Array; fitted: Fitted; manifest: Omit<Manifest, 'onnx'>; table: Table }): Promise<{ rows: number; maxDifference: number }> {
  const { fitted, manifest } = of;
  const rows = Math.min(PARITY_ROWS, of.table.rows);
  const stride = of.table.rows / rows;
  const table = takeRows(of.table, Array.from({ length: rows }, (_, i) => Math.floor(i * stride)));
  const [ours, theirs] = [predict(fitted.network, table), await runOnnx(of.bytes, manifest, table)];
  let maxDifference = 0;
  for (const [name, column] of Object.entries(ours.columns)) {
    const other = theirs.columns[name];
    if (isString(column)) continue; // follows from the numbers; ties may fall either way
    const size = Math.max(1, meanSize(column.values));
    for (let i = 0; i < column.values.length; i++) {
      const [a, b] = [column.values[i]!, Number(other?.values[i])];
      const difference = Math.abs(a - b) / Math.max(size, Math.abs(a));
      if (!(difference <= PARITY_TOLERANCE)) {
        throw new ShoalError('PARITY', `The ONNX file of ${manifest.model} does not say what the trained network says: ${name} of row ${Math.floor(i / (column.values.length / rows))} is ${b}, not ${a}.`, {
          remedy: 'This is a fault of Shoal, not of your data: please report it with the model\'s definition.',
          details: { output: name, network: a, onnx: b },
        });
      }
      maxDifference = Math.max(maxDifference, difference);
    }
  }
  return { rows, maxDifference };
}

function meanSize(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += Math.abs(values[i]!);
  return values.length > 0 ? sum / values.length : 0;
}
