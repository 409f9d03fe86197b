const { floor, max, min } = Math;

/**
 * Boosted regression trees on binned features, least squares (Friedman, 2001, "Greedy function approximation"): small, deterministic, and
 * good enough to say where a model errs more. NaN has a bin of its own.
 */
export interface Trees { start: number; rate: number; edges: number[][]; trees: Node[] }
type Node = number | { feature: number; upTo: number; left: Node; right: Node };

export interface BoostOptions { trees?: number; depth?: number; rate?: number; minLeaf?: number; bins?: number }

/** @param features columns, all as long as `target`, which holds no NaN */
export function boost(features: readonly Float64Array[], target: Float64Array, options: BoostOptions = {}): Trees {
  const { trees: count = 100, depth = 4, rate = 0.1, minLeaf = 30, bins = 64 } = options;
  const edges = features.map((values) => edgesOf(values, bins));
  const binned = features.map((values, f) => Uint8Array.from(values, (x) => binOf(edges[f]!, x)));
  const start = target.reduce((sum, y) => sum + y, 0) / max(1, target.length);
  const left = target.map((y) => y - start);
  const grown: Node[] = [];
  const rows = Int32Array.from(target.keys());
  for (let t = 0; t < count && target.length >= 2 * minLeaf; t++) {
    const tree = grow(binned, left, rows, { depth, minLeaf, bins: bins + 1 });
    if (typeof tree === 'number') break;
    grown.push(tree);
    for (let i = 0; i < left.length; i++) left[i]! -= rate * leafOf(tree, (f) => binned[f]![i]!);
  }
  return { start, rate, edges, trees: grown };
}

export function boosted({ start, rate, edges, trees }: Trees, features: readonly Float64Array[]): Float64Array {
  const binned = features.map((values, f) => Uint8Array.from(values, (x) => binOf(edges[f]!, x)));
  const out = new Float64Array(features[0]?.length ?? 0).fill(start);
  for (const tree of trees) for (let i = 0; i < out.length; i++) out[i]! += rate * leafOf(tree, (f) => binned[f]![i]!);
  return out;
}

const leafOf = (node: Node, bin: (feature: number) => number): number => {
  while (typeof node !== 'number') node = bin(node.feature) <= node.upTo ? node.left : node.right;
  return node;
};

/** Quantiles of the values, each once. */
function edgesOf(values: Float64Array, bins: number): number[] {
  const sorted = values.filter((x) => !Number.isNaN(x)).sort();
  const found = new Set<number>();
  for (let b = 1; b < bins; b++) if (sorted.length > 0) found.add(sorted[min(sorted.length - 1, floor((b * sorted.length) / bins))]!);
  return [...found];
}

/** 0 is NaN; else 1 and the number of edges at or below. */
function binOf(edges: number[], x: number): number {
  if (Number.isNaN(x)) return 0;
  let [low, high] = [0, edges.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (edges[middle]! <= x) low = middle + 1; else high = middle;
  }
  return low + 1;
}

function grow(binned: readonly Uint8Array[], target: Float64Array, rows: Int32Array, of: { depth: number; minLeaf: number; bins: number }): Node {
  const total = rows.reduce((sum, row) => sum + target[row]!, 0);
  const mean = total / rows.length;
  if (of.depth === 0 || rows.length < 2 * of.minLeaf) return mean;
  let best = { gain: 1e-12, feature: -1, upTo: 0 };
  const [sums, counts] = [new Float64Array(of.bins + 1), new Int32Array(of.bins + 1)];
  binned.forEach((bins, feature) => {
    sums.fill(0);
    counts.fill(0);
    for (const row of rows) {
      sums[bins[row]!]! += target[row]!;
      counts[bins[row]!]!++;
    }
    let [sum, count] = [0, 0];
    for (let b = 0; b < of.bins; b++) {
      sum += sums[b]!;
      count += counts[b]!;
      if (count < of.minLeaf || counts[b] === 0) continue;
      if (rows.length - count < of.minLeaf) break;
      const gain = (sum * sum) / count + (total - sum) ** 2 / (rows.length - count) - (total * total) / rows.length;
      if (gain > best.gain) best = { gain, feature, upTo: b };
    }
  });
  if (best.feature < 0) return mean;
  const bins = binned[best.feature]!;
  const next = { ...of, depth: of.depth - 1 };
  return {
    feature: best.feature, upTo: best.upTo,
    left: grow(binned, target, rows.filter((row) => bins[row]! <= best.upTo), next),
    right: grow(binned, target, rows.filter((row) => bins[row]! > best.upTo), next),
  };
}
