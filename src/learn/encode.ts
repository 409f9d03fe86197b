import { ShoalError } from '../domain/errors';
import { isNumeric, isString } from '../domain/table';
import type { Column, NumericColumn, StringColumn, Table, VectorColumn } from '../domain/table';
import type {
  BagEncoder, CycleEncoder, Encoder, HorizonEncoder, OneHotEncoder, PiecewiseEncoder, StandardEncoder, WindowEncoder,
} from './network';
import { tokenise } from './tokens';

/** Each row's tokens, as weights on rows of a table: row r has entries offsets[r] .. offsets[r + 1] of `ids` and `weights`. */
export interface Bag { encoder: BagEncoder; offsets: Int32Array; ids: Int32Array; weights: Float32Array }

/** A table's rows as numbers: what the fixed encoders say, row-major [rows, width], and the bags apart from it. */
export interface Encoded { rows: number; width: number; block: Float32Array; bags: Bag[] }

export function widthOf(encoder: Encoder): number {
  switch (encoder.kind) {
    case 'piecewise': return encoder.edges.length;
    case 'standard': return encoder.mean.length;
    case 'flag': return 2;
    case 'onehot': return encoder.values.length;
    case 'cycle': return 2 * encoder.harmonics;
    case 'bag': return encoder.units;
    case 'window': return encoder.context;
    case 'horizon': return encoder.horizon;
  }
}

/** Encoders are applied as network.ts defines them, in float32. Bags must be the last encoders. */
export function encode(encoders: readonly Encoder[], table: Table): Encoded {
  const fixed = encoders.filter((e) => e.kind !== 'bag');
  const width = fixed.reduce((sum, e) => sum + widthOf(e), 0);
  const block = new Float32Array(table.rows * width);
  let offset = 0;
  for (const encoder of fixed) {
    const out: Slots = { block, width, offset, rows: table.rows };
    const column = columnOf(table, encoder.input);
    switch (encoder.kind) {
      case 'piecewise': piecewise(encoder, numeric(column, encoder.input), out); break;
      case 'standard': standard(encoder, column, out); break;
      case 'flag': flag(numeric(column, encoder.input), out); break;
      case 'onehot': oneHot(encoder, strings(column, encoder.input), out); break;
      case 'cycle': cycle(encoder, numeric(column, encoder.input), out); break;
      case 'window': window(encoder, vector(column, encoder.input, encoder.context), out); break;
      case 'horizon': horizon(encoder, vector(column, encoder.input, encoder.horizon), out); break;
    }
    offset += widthOf(encoder);
  }
  const bags = encoders.filter((e) => e.kind === 'bag').map((e) => bag(e, strings(columnOf(table, e.input), e.input)));
  return { rows: table.rows, width, block, bags };
}

interface Slots { block: Float32Array; width: number; offset: number; rows: number }

const clip = (x: number, low: number, high: number): number => (x < low ? low : x > high ? high : x);

function piecewise({ edges, from }: PiecewiseEncoder, { values }: NumericColumn, out: Slots): void {
  const origin = from === 'date' ? edges[0]! : 0;
  const e = Float32Array.from(edges, (edge) => edge - origin);
  const last = e.length - 1;
  const size = Float32Array.from({ length: last }, (_, j) => e[j + 1]! - e[j]!);
  for (let r = 0; r < out.rows; r++) {
    const at = r * out.width + out.offset;
    const d = Math.fround(values[r]! - origin);
    if (Number.isNaN(d)) { out.block[at + last] = 1; continue; }
    for (let j = 0; j < last && d > e[j]!; j++) out.block[at + j] = clip(Math.fround(d - e[j]!) / size[j]!, 0, 1);
  }
}

function standard(encoder: StandardEncoder, column: Column, out: Slots): void {
  const { mean, deviation, low, high } = rounded(encoder);
  const width = mean.length;
  const values = isNumeric(column) ? column.values : vector(column, encoder.input, width).values;
  for (let r = 0; r < out.rows; r++) {
    for (let j = 0; j < width; j++) {
      const x = Math.fround(values[r * width + j]!);
      if (!Number.isNaN(x)) out.block[r * out.width + out.offset + j] = Math.fround(clip(x, low[j]!, high[j]!) - mean[j]!) / deviation[j]!;
    }
  }
}

const rounded = (e: StandardEncoder) =>
  ({
    mean: Float32Array.from(e.mean),
    deviation: Float32Array.from(e.deviation),
    low: Float32Array.from(e.low),
    high: Float32Array.from(e.high),
  });

function flag({ values }: NumericColumn, out: Slots): void {
  for (let r = 0; r < out.rows; r++) {
    const x = values[r]!;
    if (!Number.isNaN(x)) out.block[r * out.width + out.offset + (x > 0.5 ? 0 : 1)] = 1;
  }
}

function oneHot(encoder: OneHotEncoder, { values }: StringColumn, out: Slots): void {
  const position = new Map(encoder.values.map((value, j) => [value, j]));
  for (let r = 0; r < out.rows; r++) {
    const j = position.get(values[r] ?? '');
    if (j !== undefined) out.block[r * out.width + out.offset + j] = 1;
  }
}

function cycle({ periodDays, harmonics }: CycleEncoder, { values }: NumericColumn, out: Slots): void {
  for (let r = 0; r < out.rows; r++) {
    if (!Number.isFinite(values[r]!)) continue;
    const p = Math.fround((values[r]! % periodDays) * ((2 * Math.PI) / periodDays));
    for (let k = 1; k <= harmonics; k++) {
      const angle = Math.fround(k * p);
      out.block[r * out.width + out.offset + 2 * k - 2] = Math.sin(angle);
      out.block[r * out.width + out.offset + 2 * k - 1] = Math.cos(angle);
    }
  }
}

function window(encoder: WindowEncoder, column: VectorColumn, out: Slots): void {
  const { context } = encoder;
  const x = new Float64Array(context);
  for (let r = 0; r < out.rows; r++) {
    const { level, spread } = readWindow(encoder, column, r, x);
    for (let j = 0; j < context; j++) if (!Number.isNaN(x[j]!)) out.block[r * out.width + out.offset + j] = (x[j]! - level) / spread;
  }
}

function horizon(encoder: HorizonEncoder, { values }: VectorColumn, out: Slots): void {
  const { mean, deviation, low, high } = encoder;
  for (let r = 0; r < out.rows; r++) {
    for (let j = 0; j < encoder.horizon; j++) {
      const x = values[r * encoder.horizon + j]!;
      if (!Number.isNaN(x)) out.block[r * out.width + out.offset + j] = (clip(x, low, high) - mean) / deviation;
    }
  }
}

export const scaleHistory = (scale: 'linear' | 'log10', x: number): number =>
  (!Number.isFinite(x) ? Number.NaN : scale === 'log10' ? Math.log10(1 + Math.max(x, 0)) : x);

/** A row's level and spread; its scaled history (missing NaN) is left in `scaled`, which has `context` entries. */
export function readWindow(
  encoder: WindowEncoder, { values }: VectorColumn, row: number, scaled: Float64Array,
): { level: number; spread: number } {
  const { context, levelOver } = encoder;
  let sum = 0;
  let present = 0;
  let recentSum = 0;
  let recent = 0;
  for (let j = 0; j < context; j++) {
    const x = scaleHistory(encoder.scale, values[row * context + j]!);
    scaled[j] = x;
    if (Number.isNaN(x)) continue;
    sum += x;
    present++;
    if (j >= context - levelOver) { recentSum += x; recent++; }
  }
  const level = recent > 0 ? recentSum / recent : present > 0 ? sum / present : 0;
  let deviation = 0;
  for (let j = 0; j < context; j++) if (!Number.isNaN(scaled[j]!)) deviation += Math.abs(scaled[j]! - level);
  return { level, spread: Math.max(present > 0 ? deviation / present : 0, encoder.minSpread) };
}

function bag(encoder: BagEncoder, { values }: StringColumn): Bag {
  const known = new Map(Object.entries(encoder.ids));
  const offsets = new Int32Array(values.length + 1);
  const ids: number[] = [];
  const weights: number[] = [];
  values.forEach((value, r) => {
    const tokens = encoder.split ? tokenise(value ?? '') : [value ?? ''];
    const found = tokens.flatMap((token) => known.get(token) ?? []);
    const norm = Math.sqrt(found.reduce((sum, id) => sum + encoder.idf[id]! ** 2, 0));
    for (const id of found) { ids.push(id); weights.push(encoder.idf[id]! / norm); }
    offsets[r + 1] = ids.length;
  });
  return { encoder, offsets, ids: Int32Array.from(ids), weights: Float32Array.from(weights) };
}

export function columnOf(table: Table, name: string): Column {
  const column = table.columns[name];
  if (column) return column;
  throw new ShoalError('COLUMN_MISSING', `The input ${name} is missing.`, {
    remedy: `Columns at hand: ${Object.keys(table.columns).join(', ')}.`, details: { column: name },
  });
}

function numeric(column: Column, name: string): NumericColumn {
  if (isNumeric(column)) return column;
  throw wrongType(name, 'a number, date or boolean', column);
}

function strings(column: Column, name: string): StringColumn {
  if (isString(column)) return column;
  throw wrongType(name, 'a category or text', column);
}

export function vector(column: Column, name: string, width: number): VectorColumn {
  if (column.type === 'vector' && column.width === width) return column;
  throw wrongType(name, `a vector of ${width} numbers`, column);
}

const wrongType = (name: string, expected: string, { type }: Column): ShoalError =>
  new ShoalError('COLUMN_TYPE', `The input ${name} is to be ${expected}, and is of type ${type}.`, {
    details: { column: name, expected, found: type },
  });
