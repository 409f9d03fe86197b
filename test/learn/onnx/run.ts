import { type Column, isString, type Table } from '../../../src/domain/table';
import type { Feature } from '../../../src/domain/version';
import { loadOnnxRuntime } from '../../../src/native';
import type { Outputs } from './reference';

const ort = loadOnnxRuntime();

export type Session = Awaited<ReturnType<typeof ort.InferenceSession.create>>;

/** One thread: what is measured and compared does not depend on the machine's load. */
export const open = (file: Uint8Array): Promise<Session> =>
  ort.InferenceSession.create(file, { intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 3 });

export function feedsOf(table: Table): Record<string, InstanceType<typeof ort.Tensor>> {
  return Object.fromEntries(Object.entries(table.columns).map(([name, column]) => [name, tensorOf(column, table.rows)]));
}

function tensorOf(column: Column, rows: number) {
  if (isString(column)) return new ort.Tensor('string', column.values.map((v) => v ?? ''), [rows, 1]);
  if (column.type === 'vector') return new ort.Tensor('float32', column.values, [rows, column.width]);
  return column.type === 'date'
    ? new ort.Tensor('float64', column.values, [rows, 1])
    : new ort.Tensor('float32', Float32Array.from(column.values), [rows, 1]);
}

/** What ONNX Runtime says, as rows, with each output's element type and dimensions checked against the contract by the caller. */
export async function run(session: Session, table: Table): Promise<{ outputs: Outputs; types: Record<string, string> }> {
  const results = await session.run(feedsOf(table));
  const outputs: Outputs = {};
  const types: Record<string, string> = {};
  for (const [name, tensor] of Object.entries(results)) {
    const [rows, width] = tensor.dims as [number, number];
    const data = Array.from(tensor.data as ArrayLike<number | string>);
    outputs[name] = Array.from({ length: rows }, (_, r) => data.slice(r * width, (r + 1) * width));
    types[name] = `${tensor.type} ${tensor.dims.join('x')}`;
  }
  return { outputs, types };
}

/** A table's columns as the inputs of an exported network. */
export const featuresOf = (table: Table): Feature[] => Object.entries(table.columns).map(([name, column]) =>
  (column.type === 'vector' ? { name, type: column.type, width: column.width } : { name, type: column.type }));

/**
 * The table without what reaches ONNX Runtime in one way from Node and in another from elsewhere: its Node binding ends a string at
 * a NUL, and half a surrogate pair is no UTF-8.
 */
export function plainText(table: Table): Table {
  const clean = (text: string | null) => text && text.replaceAll('\0', '').replace(/\p{Surrogate}/gu, '\uFFFD');
  return { ...table, columns: Object.fromEntries(Object.entries(table.columns).map(([name, column]) =>
    [name, isString(column) ? { ...column, values: column.values.map(clean) } : column])) };
}
