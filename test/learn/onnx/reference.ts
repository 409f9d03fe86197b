import type { Column, Table } from '../../../src/domain/table';
import type { Dense, Encoder, Network } from '../../../src/learn/network';
import { tokenise } from '../../../src/learn/tokens';

/** By output name, rows of numbers or strings. */
export type Outputs = Record<string, (number | string)[][]>;

/** A network evaluated row by row with plain loops, straight from the docstrings of learn/network.ts. */
export function evaluate(network: Network, table: Table): Outputs {
  const rows = Array.from({ length: table.rows }, (_, row) => evaluateRow(network, table, row));
  const names = Object.keys(rows[0] ?? {});
  return Object.fromEntries(names.map((name) => [name, rows.map((r) => r[name]!)]));
}

function evaluateRow(network: Network, table: Table, row: number): Record<string, (number | string)[]> {
  const members: number[][] = [];
  for (let m = 0; m < network.members; m++) {
    const x = network.encoders.flatMap((encoder) => encode(encoder, table.columns[encoder.input]!, row, network, m));
    let y = x;
    for (const layer of network.layers) y = dense(network, layer, y, m);
    if (network.skip) {
      const s = dense(network, network.skip, x, m);
      y = y.map((v, i) => v + s[i]!);
    }
    members.push(y);
  }
  return head(network, members, table, row);
}

function encode(encoder: Encoder, column: Column, row: number, network: Network, member: number): number[] {
  const f = Math.fround;
  switch (encoder.kind) {
    case 'piecewise': {
      const first = encoder.from === 'date' ? encoder.edges[0]! : 0;
      const x = numberAt(column, row);
      const d = encoder.from === 'date' ? f(x - first) : f(x);
      const out: number[] = [];
      for (let j = 0; j + 1 < encoder.edges.length; j++) {
        const lower = f(encoder.edges[j]! - first);
        const upper = f(encoder.edges[j + 1]! - first);
        out.push(Number.isNaN(x) ? 0 : clip((d - lower) / f(upper - lower), 0, 1));
      }
      return [...out, Number.isNaN(x) ? 1 : 0];
    }
    case 'standard':
      return vectorAt(column, row).map((x, i) => (Number.isNaN(x) ? 0
        : f(clip(f(x), f(encoder.low[i]!), f(encoder.high[i]!)) - f(encoder.mean[i]!)) / f(encoder.deviation[i]!)));
    case 'flag': {
      const x = numberAt(column, row);
      return [x > 0.5 ? 1 : 0, x <= 0.5 ? 1 : 0];
    }
    case 'onehot':
      return encoder.values.map((value) => (value === stringAt(column, row) ? 1 : 0));
    case 'cycle': {
      const x = numberAt(column, row);
      const p = f((x % encoder.periodDays) * ((2 * Math.PI) / encoder.periodDays));
      const harmonics = Array.from({ length: encoder.harmonics }, (_, i) => i + 1);
      return harmonics.flatMap((k) => (Number.isFinite(x) ? [Math.sin(k * p), Math.cos(k * p)] : [0, 0]));
    }
    case 'bag': {
      const text = stringAt(column, row);
      const tokens = encoder.split ? tokenise(text) : [text];
      const table = network.weights[encoder.table]!;
      const sum = new Array<number>(encoder.units).fill(0);
      let squares = 0;
      for (const token of tokens) {
        if (!Object.hasOwn(encoder.ids, token)) continue;
        const id = encoder.ids[token]!;
        squares += encoder.idf[id]! ** 2;
        for (let u = 0; u < encoder.units; u++) {
          sum[u]! += encoder.idf[id]! * table.data[(member * table.shape[1]! + id) * encoder.units + u]!;
        }
      }
      return sum.map((s) => (squares === 0 ? 0 : s / Math.sqrt(squares)));
    }
    case 'window': {
      const { x, level, spread } = normalised(encoder, column, row);
      return x.map((v) => (v === undefined ? 0 : (v - level) / spread));
    }
    case 'horizon': {
      const { low, high, mean, deviation } = encoder;
      return vectorAt(column, row).map((x) => (Number.isNaN(x) ? 0 : (clip(x, low, high) - mean) / deviation));
    }
  }
}

function normalised(encoder: Extract<Encoder, { kind: 'window' }>, column: Column, row: number) {
  const x = vectorAt(column, row).map((v) => {
    if (!Number.isFinite(v)) return undefined;
    return encoder.scale === 'log10' ? Math.log10(1 + Math.max(v, 0)) : v;
  });
  const present = x.filter((v) => v !== undefined);
  const recent = x.slice(-encoder.levelOver).filter((v) => v !== undefined);
  const mean = (values: number[]) => (values.length === 0 ? 0 : values.reduce((a, b) => a + b, 0) / values.length);
  const level = mean(recent.length > 0 ? recent : present);
  return { x, level, spread: Math.max(encoder.minSpread, mean(present.map((v) => Math.abs(v - level)))) };
}

function dense(network: Network, layer: Dense, x: number[], member: number): number[] {
  const kernel = network.weights[layer.kernel]!.data;
  const bias = network.weights[layer.bias]!.data;
  const out: number[] = [];
  for (let u = 0; u < layer.units; u++) {
    let sum = bias[member * layer.units + u]!;
    for (let i = 0; i < x.length; i++) sum += x[i]! * kernel[(member * x.length + i) * layer.units + u]!;
    out.push(layer.activation === 'relu' ? Math.max(sum, 0) : sum);
  }
  return out;
}

function head(network: Network, members: number[][], table: Table, row: number): Record<string, (number | string)[]> {
  const { head } = network;
  switch (head.kind) {
    case 'regression': {
      const z = mean(members)[0]! * head.deviation + head.mean;
      const unscale = (v: number) => (head.scale === 'log10' ? 10 ** clip(v, -30, 30) : v);
      return { value: [unscale(z)], low: [unscale(z + head.lowOffset)], high: [unscale(z + head.highOffset)] };
    }
    case 'classification': {
      const probabilities = mean(members.map((logits) => softmax(logits.map((l) => l / head.temperature))));
      const best = probabilities.indexOf(Math.max(...probabilities));
      return { probabilities, label: [head.classes[best]!], probability: [probabilities[best]!] };
    }
    case 'embedding':
      return { vector: unit(mean(members.map(unit))) };
    case 'forecast': {
      const encoder = network.encoders.find((e) => e.kind === 'window' && e.input === head.window) as Extract<Encoder, { kind: 'window' }>;
      const { level, spread } = normalised(encoder, table.columns[head.window]!, row);
      const z = mean(members).map((v) => level + spread * v);
      const unscale = (v: number) => (head.scale === 'log10' ? Math.max(0, 10 ** clip(v, -30, 30) - 1) : v);
      return {
        value: z.map(unscale),
        low: z.map((v, h) => unscale(v + spread * head.lowOffset[h]!)),
        high: z.map((v, h) => unscale(v + spread * head.highOffset[h]!)),
      };
    }
  }
}

const clip = (x: number, low: number, high: number): number => Math.min(Math.max(x, low), high);
const mean = (vectors: number[][]): number[] => vectors[0]!.map((_, i) => vectors.reduce((sum, v) => sum + v[i]!, 0) / vectors.length);
const unit = (v: number[]): number[] => v.map((x) => x / Math.max(Math.hypot(...v), 1e-6));

function softmax(logits: number[]): number[] {
  const exps = logits.map((l) => Math.exp(l - Math.max(...logits)));
  const sum = exps.reduce((a, b) => a + b, 0);
  return exps.map((e) => e / sum);
}

function numberAt(column: Column, row: number): number {
  if (column.type === 'date') return column.values[row]!;
  return Math.fround(column.values[row] as number);
}

function vectorAt(column: Column, row: number): number[] {
  if (column.type !== 'vector') return [numberAt(column, row)];
  return Array.from(column.values.subarray(row * column.width, (row + 1) * column.width));
}

/** ONNX Runtime's bindings hand strings over as UTF-8 that ends at a NUL. */
function stringAt(column: Column, row: number): string {
  const text = (column.values[row] ?? '') as string;
  return text.split('\0')[0]!.replace(/\p{Surrogate}/gu, '\uFFFD');
}
