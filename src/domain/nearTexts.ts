import { contentOf, plainText } from './sameInputs';
import type { StringColumn, Table } from './table';

/** Shingles are this many letters of the plain text. */
const SHINGLE = 4;
/** Eight bands of four: of pairs that share nine tenths of their shingles one in thousands is missed; pairs that share half rarely meet. */
const BANDS = 8;
const ROWS_A_BAND = 4;
/** Share of all the shingles of two texts (Jaccard) from which they are nearly the same. */
const SIMILAR = 0.8;
/** So many are compared: what everybody writes is no duplicate. */
const COMPARED = 16;

/**
 * Finds rows that are nearly the same: all columns but the texts are the same, and the texts share four fifths of their shingles. By
 * MinHash (Broder, 1997) and locality-sensitive hashing (Indyk and Motwani, 1998): the time grows with the rows, not with their pairs.
 */
export class NearTexts {
  private readonly texts: StringColumn['values'][];
  private readonly content: Float64Array;
  private readonly buckets = new Map<string, number[]>();

  constructor(table: Table, texts: readonly string[]) {
    this.texts = texts.map((name) => (table.columns[name] as StringColumn).values);
    const rest = Object.keys(table.columns).filter((name) => !texts.includes(name));
    this.content = rest.length === 0 ? new Float64Array(table.rows) : contentOf(table, rest);
  }

  add(row: number): void {
    for (const bucket of this.bucketsOf(row, this.shinglesOf(row))) {
      const members = this.buckets.get(bucket);
      if (!members) this.buckets.set(bucket, [row]);
      else if (members.length < COMPARED) members.push(row);
    }
  }

  /** One of the rows added that is nearly the same as this one. */
  find(row: number): number | undefined {
    const own = this.shinglesOf(row);
    const met = new Set(this.bucketsOf(row, own).flatMap((bucket) => this.buckets.get(bucket) ?? []));
    return [...met].slice(0, COMPARED).find((other) => similarity(own, this.shinglesOf(other)) >= SIMILAR);
  }

  private bucketsOf(row: number, shingles: Set<number>): string[] {
    if (Number.isNaN(this.content[row]!) || shingles.size === 0) return [];
    const least = minima(shingles);
    return Array.from({ length: BANDS }, (_, band) => `${this.content[row]}/${band}/${least.subarray(band * ROWS_A_BAND, (band + 1) * ROWS_A_BAND).join()}`);
  }

  private shinglesOf(row: number): Set<number> {
    const text = this.texts.map((values) => plainText(values[row] ?? '')).join('|');
    const set = new Set<number>();
    for (let from = 0; from + SHINGLE <= text.length; from++) {
      let shingle = 0;
      for (let i = from; i < from + SHINGLE; i++) shingle = (Math.imul(shingle, 31) + text.charCodeAt(i)) | 0;
      set.add(shingle);
    }
    return set;
  }
}

/** The least of each of a family of hashes. */
function minima(shingles: Set<number>): Uint32Array {
  const least = new Uint32Array(BANDS * ROWS_A_BAND).fill(0xffffffff);
  for (const shingle of shingles) {
    for (let i = 0; i < least.length; i++) {
      let h = Math.imul(shingle ^ Math.imul(i + 1, 0x9e3779b9), 0x85ebca6b);
      h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
      h = (h ^ (h >>> 16)) >>> 0;
      if (h < least[i]!) least[i] = h;
    }
  }
  return least;
}

function similarity(a: Set<number>, b: Set<number>): number {
  let both = 0;
  for (const x of a) if (b.has(x)) both++;
  return both / (a.size + b.size - both);
}
