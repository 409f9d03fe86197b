import { vectorOf } from './metrics';
import { groupsOf } from './metrics-embedding';
import { random, shuffled } from './random';
import type { Table } from './table';

const MAX_ROWS = 1_000;
const BINS = 40;
/** Fine enough that ties within a bin do not matter to the area. */
const RANKS = 4_000;

export interface EmbeddingDiagnosis {
  task: 'embedding';
  /** Rows whose pairs were compared: all that have a group, or a random sample. */
  rows: number;
  /** Cosine of the two rows of a pair, from -1 to 1, in bins of equal width. */
  edges: number[];
  /** How many pairs of alike rows, and of others, fall into each bin. */
  alike: number[];
  others: number[];
  /** How often a pair of alike rows is closer than a pair of others: the area under the ROC curve. */
  separation: number;
}

/** Undefined without a pair of either kind. Rows with a missing attribute are alike to nothing and left out. */
export function diagnoseEmbedding(alike: Table, outputs: Table, seed: number): EmbeddingDiagnosis | undefined {
  const { groups } = groupsOf(alike);
  const { width, values } = vectorOf(outputs, 'vector');
  const norm = (row: number): number => Math.sqrt(range(width).reduce((sum, d) => sum + values[row * width + d]! ** 2, 0));
  const rows = shuffled(alike.rows, random(seed)).filter((row) => groups[row]! >= 0).subarray(0, MAX_ROWS);
  const norms = Float64Array.from(rows, norm);
  const ranks = { alike: new Float64Array(RANKS), others: new Float64Array(RANKS) };
  for (let a = 0; a < rows.length; a++) {
    for (let b = a + 1; b < rows.length; b++) {
      let dot = 0;
      for (let d = 0; d < width; d++) dot += values[rows[a]! * width + d]! * values[rows[b]! * width + d]!;
      const cosine = dot / (norms[a]! * norms[b]!);
      if (Number.isNaN(cosine)) continue;
      const rank = Math.min(RANKS - 1, Math.max(0, Math.floor(((cosine + 1) / 2) * RANKS)));
      ranks[groups[rows[a]!] === groups[rows[b]!] ? 'alike' : 'others'][rank]!++;
    }
  }
  const separation = area(ranks);
  if (Number.isNaN(separation)) return undefined;
  const binned = (counts: Float64Array): number[] =>
    range(BINS).map((bin) => counts.subarray((bin * RANKS) / BINS, ((bin + 1) * RANKS) / BINS).reduce((sum, n) => sum + n, 0));
  return {
    task: 'embedding',
    rows: rows.length,
    edges: range(BINS + 1).map((i) => -1 + (2 * i) / BINS),
    alike: binned(ranks.alike),
    others: binned(ranks.others),
    separation,
  };
}

/** Pairs of one bin are ties, and count half (Mann & Whitney, 1947). NaN without pairs of both kinds. */
function area({ alike, others }: { alike: Float64Array; others: Float64Array }): number {
  let below = 0;
  let wins = 0;
  let pairs = 0;
  for (let i = 0; i < alike.length; i++) {
    wins += alike[i]! * (below + others[i]! / 2);
    below += others[i]!;
    pairs += alike[i]!;
  }
  return wins / (pairs * below);
}

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
