import { hash32 } from './hash';
import { isString, type Column, type Table } from './table';

/**
 * Where rows with a twin are no exception, the inputs are too coarse to tell a row entered twice from two that are alike: then there
 * are no groups.
 */
const EXCEPTION = 0.2;
/** A row says too little when fewer of its inputs than this share are there. */
const PRESENT = 0.5;

export interface SameInputs {
  /** Rows whose inputs are the same, of two rows or more. */
  groups: Int32Array[];
  /** The share of rows that have a twin. */
  share: number;
  /** True when that is too many for the groups to mean anything; they are empty then. */
  coarse: boolean;
}

/** Groups rows whose columns are all the same but for case, spaces and punctuation of texts, and the rounding of numbers. */
export function sameInputs(table: Table): SameInputs {
  const content = contentOf(table, Object.keys(table.columns));
  const rowsOf = new Map<number, number[]>();
  content.forEach((key, row) => {
    if (Number.isNaN(key)) return;
    const rows = rowsOf.get(key);
    if (rows) rows.push(row);
    else rowsOf.set(key, [row]);
  });
  const groups = [...rowsOf.values()].filter((rows) => rows.length > 1);
  const share = table.rows === 0 ? 0 : groups.reduce((sum, rows) => sum + rows.length, 0) / table.rows;
  const coarse = share > EXCEPTION;
  return { groups: coarse ? [] : groups.map((rows) => Int32Array.from(rows)), share, coarse };
}

/** A number a row that is the same where the named columns are (53 bits of two hashes); NaN for a row with too little in it. */
export function contentOf(table: Table, names: readonly string[]): Float64Array {
  const one = new Int32Array(table.rows);
  const two = new Int32Array(table.rows).fill(1);
  const present = new Int32Array(table.rows);
  for (const name of names) {
    const hashes = hashesOf(table.columns[name]!);
    for (let row = 0; row < table.rows; row++) {
      const h = hashes[row]!;
      if (h !== 0) present[row]!++;
      one[row] = mixed(one[row]! ^ Math.imul(h, 0xcc9e2d51));
      two[row] = mixed(two[row]! ^ Math.imul(h, 0x1b873593));
    }
  }
  const least = Math.max(1, PRESENT * names.length);
  return Float64Array.from(one, (h, row) => (present[row]! < least ? NaN : (h >>> 0) * 2 ** 21 + (two[row]! >>> 11)));
}

/** Lower case, letters and digits only, one space between words; Unicode's compatible forms are one. */
export const plainText = (text: string): string => text.normalize('NFKC').toLowerCase().replace(/[^\p{L}\p{N}]+/gu, ' ').trim();

/** 0 where missing. */
function hashesOf(column: Column): Int32Array {
  if (isString(column)) {
    const known = new Map<string | null, number>([[null, 0]]);
    return Int32Array.from(column.values, (value) => {
      const before = known.get(value);
      if (before !== undefined) return before;
      const plain = plainText(value!);
      const hash = plain === '' ? 0 : hash32(plain) | 1;
      // Categories repeat; texts would only fill memory.
      if (known.size < 10_000) known.set(value, hash);
      return hash;
    });
  }
  const width = column.type === 'vector' ? column.width : 1;
  const rows = width === 0 ? 0 : column.values.length / width;
  // As a network sees them: in single precision. Dates are exact.
  const exact = column.type === 'date';
  const bits = new Int32Array(2);
  const [single, double] = [new Float32Array(bits.buffer, 0, 1), new Float64Array(bits.buffer)];
  return Int32Array.from({ length: rows }, (_, row) => {
    let hash = 0;
    for (let i = row * width; i < (row + 1) * width; i++) {
      const value = column.values[i]!;
      if (Number.isNaN(value)) continue;
      bits.fill(0);
      if (exact) double[0] = value;
      else single[0] = value === 0 ? 0 : value;
      hash = mixed(hash ^ Math.imul(bits[0]!, 0x85ebca6b) ^ Math.imul(bits[1]!, 0xc2b2ae35) ^ (i - row * width)) | 1;
    }
    return hash;
  });
}

/** The end of MurmurHash3 (Appleby, 2011). */
function mixed(x: number): number {
  let h = (x + 0x9e3779b9) | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
