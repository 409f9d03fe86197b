import type { Column, Table } from '../domain/table';
import { columnOf, readWindow, vector } from './encode';
import type { Head, Network, WindowEncoder } from './network';

/** What the last layer puts out, [members, rows, units]. */
export interface Raw { members: number; rows: number; units: number; data: Float32Array }

/** Every member's mean answers. */
export const ENSEMBLE = -1;

/**
 * Turns the last layer's output into a model's outputs, as network.ts defines them. `by` is the member that answers for each row, or
 * ENSEMBLE.
 */
export function answer(network: Network, raw: Raw, table: Table, by?: Int8Array): Table {
  const who = by ?? new Int8Array(raw.rows).fill(ENSEMBLE);
  return { rows: raw.rows, columns: columnsOf(network, raw, table, who) };
}

function columnsOf(network: Network, raw: Raw, table: Table, who: Int8Array): Record<string, Column> {
  const { head } = network;
  switch (head.kind) {
    case 'regression': return regression(head, raw, who);
    case 'classification': return classification(head, raw, who);
    case 'embedding': return embedding(raw, who);
    case 'forecast': return forecast(head, raw, { who, table, encoder: windowOf(network, head.window) });
  }
}

export const windowOf = (network: Pick<Network, 'encoders'>, input: string): WindowEncoder =>
  network.encoders.find((e): e is WindowEncoder => e.kind === 'window' && e.input === input)!;

/** 10^z is for targets that are positive, 10^z - 1 for those that may be 0; z within 30 keeps either finite in float32. */
export function unscale(kind: Head['kind'], scale: 'linear' | 'log10', z: number): number {
  if (scale === 'linear') return z;
  const clipped = Math.min(30, Math.max(-30, z));
  return kind === 'forecast' ? Math.max(0, 10 ** clipped - 1) : 10 ** clipped;
}

function regression(head: Extract<Head, { kind: 'regression' }>, raw: Raw, who: Int8Array): Record<string, Column> {
  const say = (offset: number): Column => ({
    type: 'number',
    values: Float64Array.from(who, (member, row) =>
      unscale(head.kind, head.scale, meanOf(raw, row, 0, member) * head.deviation + head.mean + offset)),
  });
  return { value: say(0), low: say(head.lowOffset), high: say(head.highOffset) };
}

function classification(head: Extract<Head, { kind: 'classification' }>, raw: Raw, who: Int8Array): Record<string, Column> {
  const width = head.classes.length;
  const probabilities = new Float32Array(raw.rows * width);
  const label: string[] = [];
  const probability = new Float64Array(raw.rows);
  for (let row = 0; row < raw.rows; row++) {
    const members = membersOf(raw, who[row]!);
    const mean = new Float64Array(width);
    for (const member of members) {
      softmax(logitsOf(raw, row, member), head.temperature).forEach((p, k) => { mean[k]! += p / members.length; });
    }
    probabilities.set(mean, row * width);
    const best = mean.indexOf(Math.max(...mean));
    label.push(head.classes[best]!);
    probability[row] = mean[best]!;
  }
  return {
    label: { type: 'category', values: label },
    probability: { type: 'number', values: probability },
    probabilities: { type: 'vector', width, values: probabilities },
  };
}

function embedding(raw: Raw, who: Int8Array): Record<string, Column> {
  const width = raw.units;
  const values = new Float32Array(raw.rows * width);
  for (let row = 0; row < raw.rows; row++) {
    const mean = new Float64Array(width);
    for (const member of membersOf(raw, who[row]!)) normalise(logitsOf(raw, row, member)).forEach((x, k) => { mean[k]! += x; });
    values.set(normalise(mean), row * width);
  }
  return { vector: { type: 'vector', width, values } };
}

function forecast(
  head: Extract<Head, { kind: 'forecast' }>, raw: Raw, of: { who: Int8Array; table: Table; encoder: WindowEncoder },
): Record<string, Column> {
  const { horizon } = head;
  const history = vector(columnOf(of.table, head.window), head.window, of.encoder.context);
  const scratch = new Float64Array(of.encoder.context);
  const [value, low, high] = [0, 0, 0].map(() => new Float32Array(raw.rows * horizon)) as [Float32Array, Float32Array, Float32Array];
  for (let row = 0; row < raw.rows; row++) {
    const { level, spread } = readWindow(of.encoder, history, row, scratch);
    for (let h = 0; h < horizon; h++) {
      const z = level + spread * meanOf(raw, row, h, of.who[row]!);
      value[row * horizon + h] = unscale(head.kind, head.scale, z);
      low[row * horizon + h] = unscale(head.kind, head.scale, z + spread * head.lowOffset[h]!);
      high[row * horizon + h] = unscale(head.kind, head.scale, z + spread * head.highOffset[h]!);
    }
  }
  const column = (values: Float32Array): Column => ({ type: 'vector', width: horizon, values });
  return { value: column(value), low: column(low), high: column(high) };
}

const membersOf = (raw: Raw, member: number): number[] =>
  (member === ENSEMBLE ? Array.from({ length: raw.members }, (_, m) => m) : [member]);

export const logitsOf = (raw: Raw, row: number, member: number): Float32Array =>
  raw.data.subarray((member * raw.rows + row) * raw.units, (member * raw.rows + row + 1) * raw.units);

export function meanOf(raw: Raw, row: number, unit: number, member: number): number {
  if (member !== ENSEMBLE) return raw.data[(member * raw.rows + row) * raw.units + unit]!;
  let sum = 0;
  for (let m = 0; m < raw.members; m++) sum += raw.data[(m * raw.rows + row) * raw.units + unit]!;
  return sum / raw.members;
}

export function softmax(logits: ArrayLike<number>, temperature: number): Float64Array {
  const scaled = Float64Array.from(logits, (x) => x / temperature);
  const highest = Math.max(...scaled);
  const powers = scaled.map((x) => Math.exp(x - highest));
  const total = powers.reduce((sum, x) => sum + x, 0);
  return powers.map((x) => x / total);
}

function normalise(x: ArrayLike<number>): Float64Array {
  const values = Float64Array.from(x);
  const norm = Math.max(Math.sqrt(values.reduce((sum, v) => sum + v * v, 0)), 1e-6);
  return values.map((v) => v / norm);
}
