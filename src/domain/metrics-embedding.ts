import { vectorOf, weightedMean, type Scorers, type Scoring } from './metrics';
import { random, shuffled } from './random';
import { isNumeric, type Table } from './table';

/** Pairs that are compared at most: all of 7,000 rows, or fewer queries over more. */
const MAX_PAIRS = 5e7;
const DEEPEST = 10;

/**
 * Retrieval by cosine (Musgrave et al., 2020, "A Metric Learning Reality Check"). Rows that agree on all columns of `alike` are alike;
 * a missing value agrees with nothing. Queries are the rows (of those given) that have at least one alike, candidates all other rows. recall@k is the
 * share of queries with an alike one among the k nearest, precision@k the mean share of alike ones among them. 'chance' is the exact
 * expectation of both for k candidates drawn at random (hypergeometric), query by query.
 */
export function embeddingScoring<Who extends string>(
  alike: Table, predictors: Partial<Record<Who, Table>>, options: { seed: number; maxPairs?: number; queries?: ArrayLike<number> },
): Scoring<Who | 'chance'> {
  const { groups, sizes } = groupsOf(alike);
  // In random order, so that ties in distance and the choice of queries owe nothing to the order of rows.
  const order = shuffled(alike.rows, random(options.seed));
  const asking = options.queries && new Set(Array.from(options.queries));
  const eligible = order.filter((row) => groups[row]! >= 0 && sizes[groups[row]!]! > 1 && (asking?.has(row) ?? true));
  const queries = eligible.subarray(0, Math.max(1, Math.floor((options.maxPairs ?? MAX_PAIRS) / Math.max(1, alike.rows))));
  const scorers: Partial<Record<Who | 'chance', Scorers>> = {};
  for (const who of Object.keys(predictors) as Who[]) {
    scorers[who] = retrieval({ vectors: vectorOf(predictors[who]!, 'vector'), groups, order, queries });
  }
  scorers.chance = chance(Float64Array.from(queries, (row) => sizes[groups[row]!]! - 1), alike.rows - 1);
  return { resampling: { kind: 'units', count: queries.length }, rows: queries.length, scorers };
}

/** The rows' groups of alike ones, -1 where an attribute is missing, and how many rows each has. */
export function groupsOf(alike: Table): { groups: Int32Array; sizes: number[] } {
  const ids = new Map<string, number>();
  const sizes: number[] = [];
  const columns = Object.values(alike.columns).map((column) => {
    if (column.type === 'vector') throw new TypeError('rows are not alike by vectors');
    return isNumeric(column) ? Array.from(column.values, (v) => (Number.isNaN(v) ? null : v)) : column.values;
  });
  const groups = Int32Array.from({ length: alike.rows }, (_, row) => {
    const attributes = columns.map((values) => values[row] ?? null);
    if (attributes.includes(null)) return -1;
    const key = JSON.stringify(attributes);
    const id = ids.get(key) ?? (ids.set(key, ids.size), ids.size - 1);
    sizes[id] = (sizes[id] ?? 0) + 1;
    return id;
  });
  return { groups, sizes };
}

interface Retrieval {
  vectors: { width: number; values: ArrayLike<number> };
  groups: Int32Array;
  /** All rows, in the order in which ties are broken. */
  order: Int32Array;
  queries: Int32Array;
}

function retrieval({ vectors, groups, order, queries }: Retrieval): Scorers {
  const { width } = vectors;
  const unit = normalised(vectors, order);
  const position = new Int32Array(order.length);
  order.forEach((row, i) => { position[row] = i; });
  const nearest = new Int32Array(DEEPEST);
  const similarity = new Float64Array(DEEPEST);
  const first = new Float64Array(queries.length);
  const any = new Float64Array(queries.length);
  const share = new Float64Array(queries.length);
  queries.forEach((query, q) => {
    const self = position[query]! * width;
    let found = 0;
    for (let candidate = 0; candidate < order.length; candidate++) {
      const at = candidate * width;
      if (at === self) continue;
      let cosine = 0;
      for (let d = 0; d < width; d++) cosine += unit[self + d]! * unit[at + d]!;
      if (Number.isNaN(cosine) || (found === DEEPEST && cosine <= similarity[DEEPEST - 1]!)) continue;
      let place = found < DEEPEST ? found++ : DEEPEST - 1;
      while (place > 0 && similarity[place - 1]! < cosine) {
        similarity[place] = similarity[place - 1]!;
        nearest[place] = nearest[place - 1]!;
        place--;
      }
      similarity[place] = cosine;
      nearest[place] = candidate;
    }
    let hits = 0;
    for (let i = 0; i < found; i++) if (groups[order[nearest[i]!]!] === groups[query]) hits++;
    first[q] = found > 0 && groups[order[nearest[0]!]!] === groups[query] ? 1 : 0;
    any[q] = hits > 0 ? 1 : 0;
    share[q] = hits / Math.min(DEEPEST, order.length - 1);
  });
  return { 'recall@1': weightedMean(first), 'recall@10': weightedMean(any), 'precision@10': weightedMean(share) };
}

/** Unit vectors in the given order; a zero vector stays zero. */
function normalised({ width, values }: Retrieval['vectors'], order: Int32Array): Float64Array {
  const unit = new Float64Array(order.length * width);
  order.forEach((row, i) => {
    let squares = 0;
    for (let d = 0; d < width; d++) squares += values[row * width + d]! ** 2;
    const length = Math.sqrt(squares) || 1;
    for (let d = 0; d < width; d++) unit[i * width + d] = values[row * width + d]! / length;
  });
  return unit;
}

/** `alike` candidates of `candidates` in all, per query. */
function chance(alike: Float64Array, candidates: number): Scorers {
  const atLeastOne = (m: number, k: number): number => {
    let none = 1;
    for (let i = 0; i < Math.min(k, candidates); i++) none *= Math.max(0, candidates - m - i) / (candidates - i);
    return 1 - none;
  };
  return {
    'recall@1': weightedMean(alike.map((m) => atLeastOne(m, 1))),
    'recall@10': weightedMean(alike.map((m) => atLeastOne(m, DEEPEST))),
    'precision@10': weightedMean(alike.map((m) => m / candidates)),
  };
}
