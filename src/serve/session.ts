import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { ShoalError } from '../domain/errors';
import { OUTPUTS, type Task } from '../domain/spec';
import { isNumeric, isString, type Column, type ColumnType, type Table } from '../domain/table';
import type { Feature } from '../domain/version';
import { loadOnnxRuntime } from '../native';

/** Rows of one run of ONNX Runtime: bounds the memory of a large table, and lets other work in between. */
export const BATCH_ROWS = 4_096;

/** What must be known of an ONNX file to run it: a manifest, or what there is before it. */
export interface SessionSpec {
  model: string;
  spec: { task: Task };
  features: readonly Feature[];
  /** The outputs it has of those of the task; all of them when absent. */
  gives?: readonly string[];
}

export interface Session {
  /**
   * `table` holds the file's inputs by feature name; the result its outputs by name: `label` a category; `vector`, `probabilities`
   * and everything of a forecast ([rows, horizon]) vectors; the others numbers. Only types are converted.
   *
   * @throws ShoalError COLUMN_MISSING, COLUMN_TYPE when the table does not fit the features; what `signal` was aborted with
   */
  run(table: Table, options?: { signal?: AbortSignal }): Promise<Table>;
  release(): Promise<void>;
}

/** Runs an ONNX file that is no version yet. */
export async function runOnnx(source: string | Uint8Array, spec: SessionSpec, table: Table): Promise<Table> {
  const session = await openSession(source, spec);
  try {
    return await session.run(table);
  } finally {
    await session.release();
  }
}

/**
 * Loads an ONNX file, from its path or its bytes.
 *
 * @throws ShoalError ARTIFACT_CORRUPT when it can't be loaded, or has not the inputs and outputs it should
 */
export async function openSession(source: string | Uint8Array, { model, spec: { task }, features, gives: outputs = Object.keys(OUTPUTS[task]) }: SessionSpec): Promise<Session> {
  const runtime = loadOnnxRuntime();
  const session = await create(runtime, source, model);
  refuseUnlike(session, { model, inputs: features.map((feature) => feature.name), outputs });

  return {
    async run(table, { signal } = {}) {
      const asTable = (column: (name: string) => Column): Table => ({
        rows: table.rows, columns: Object.fromEntries(outputs.map((name) => [name, column(name)])),
      });
      if (table.rows === 0) return asTable((name) => emptyColumn(session, task, name));
      const read = features.map((feature) => reader(runtime.Tensor, feature, table, model));
      const parts: Record<string, Tensor>[] = [];
      for (let from = 0; from < table.rows; from += BATCH_ROWS) {
        signal?.throwIfAborted();
        const to = Math.min(from + BATCH_ROWS, table.rows);
        const feeds = Object.fromEntries(features.map(({ name }, i) => [name, read[i]!(from, to)]));
        parts.push(await session.run(feeds, outputs) as Record<string, Tensor>);
      }
      return asTable((name) => join(task, name, parts.map((part) => part[name]!)));
    },
    release: () => session.release(),
  };
}

// Small networks: handing a row's work to other threads costs more than the work.
const OPTIONS: InferenceSession.SessionOptions = {
  intraOpNumThreads: 1, interOpNumThreads: 1, executionMode: 'sequential', logSeverityLevel: 3,
};

type Runtime = ReturnType<typeof loadOnnxRuntime>;

async function create(runtime: Runtime, source: string | Uint8Array, model: string): Promise<InferenceSession> {
  const sessions = runtime.InferenceSession;
  try {
    return await (typeof source === 'string' ? sessions.create(source, OPTIONS) : sessions.create(source, OPTIONS));
  } catch (cause) {
    throw new ShoalError('ARTIFACT_CORRUPT', `Model ${model}: its ONNX file cannot be loaded: ${(cause as Error).message}.`, {
      remedy: 'Train the model again.', details: { model }, cause,
    });
  }
}

function refuseUnlike(session: InferenceSession, of: { model: string; inputs: string[]; outputs: readonly string[] }): void {
  const { model, inputs, outputs } = of;
  const missing = {
    inputs: inputs.filter((name) => !session.inputNames.includes(name)),
    outputs: outputs.filter((name) => !session.outputNames.includes(name)),
  };
  const unknown = session.inputNames.filter((name) => !inputs.includes(name));
  if (missing.inputs.length + missing.outputs.length + unknown.length === 0) return;
  const said = [
    missing.inputs.length > 0 && `it lacks the input ${missing.inputs.join(', ')}`,
    unknown.length > 0 && `it has an unknown input ${unknown.join(', ')}`,
    missing.outputs.length > 0 && `it lacks the output ${missing.outputs.join(', ')}`,
  ].filter(Boolean).join('; ');
  throw new ShoalError('ARTIFACT_CORRUPT', `Model ${model}: its ONNX file does not fit its manifest: ${said}.`, {
    remedy: 'Train the model again.', details: { model, missing, unknown },
  });
}

/** Makes the tensor of rows from..to-1 of a feature's column. */
function reader(TensorOf: typeof Tensor, feature: Feature, table: Table, model: string): (from: number, to: number) => Tensor {
  const { name, type } = feature;
  const column = table.columns[name];
  if (!column) {
    throw new ShoalError('COLUMN_MISSING', `Model ${model} reads ${name}, which the table does not have.`, {
      details: { model, column: name },
    });
  }
  if (type === 'vector' && column.type === 'vector') {
    const width = feature.width ?? column.width;
    if (column.width !== width) throw wrongWidth(model, feature, column.width);
    return (from, to) => new TensorOf('float32', column.values.subarray(from * width, to * width), [to - from, width]);
  }
  if ((type === 'category' || type === 'text') && isString(column)) {
    return (from, to) => new TensorOf('string', column.values.slice(from, to).map((value) => value ?? ''), [to - from, 1]);
  }
  if (type === 'date' && column.type === 'date') {
    return (from, to) => new TensorOf('float64', column.values.subarray(from, to), [to - from, 1]);
  }
  if ((type === 'number' || type === 'boolean') && isNumeric(column) && column.type !== 'date') {
    return (from, to) => new TensorOf('float32', new Float32Array(column.values.subarray(from, to)), [to - from, 1]);
  }
  throw new ShoalError('COLUMN_TYPE', `Model ${model} reads ${name} as ${type}, and the table has it as ${column.type}.`, {
    details: { model, column: name, expected: type, found: column.type },
  });
}

const wrongWidth = (model: string, { name, width }: Feature, found: number): ShoalError =>
  new ShoalError('COLUMN_TYPE', `Model ${model} reads ${name} as ${width} numbers a row, and the table has ${found}.`, {
    details: { model, column: name, expected: width, found },
  });

/** An output's type in a table: a forecast's are one number for each step. */
const outputType = (task: Task, name: string): ColumnType =>
  (task === 'forecast' ? 'vector' : (OUTPUTS[task] as Record<string, ColumnType>)[name]!);

function join(task: Task, name: string, parts: Tensor[]): Column {
  const type = outputType(task, name);
  const rows = parts.reduce((sum, part) => sum + part.dims[0]!, 0);
  if (type === 'category' || type === 'text') return { type, values: parts.flatMap((part) => part.data as string[]) };
  if (type === 'vector') {
    const width = parts[0]!.dims[1]!;
    const values = new Float32Array(rows * width);
    fill(values, parts);
    return { type, width, values };
  }
  const values = new Float64Array(rows);
  fill(values, parts);
  return { type, values };
}

function fill(values: Float32Array | Float64Array, parts: Tensor[]): void {
  let at = 0;
  for (const part of parts) {
    values.set(part.data as Float32Array, at);
    at += part.data.length;
  }
}

function emptyColumn(session: InferenceSession, task: Task, name: string): Column {
  const type = outputType(task, name);
  if (type === 'category' || type === 'text') return { type, values: [] };
  if (type !== 'vector') return { type, values: new Float64Array(0) };
  const metadata = session.outputMetadata.find((output) => output.name === name);
  const width = metadata?.isTensor ? metadata.shape[1] : undefined;
  return { type, width: typeof width === 'number' ? width : 0, values: new Float32Array(0) };
}
