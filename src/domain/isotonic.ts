/** A step function that never falls: `values[i]` from `from[i]` on, `values[0]` below, linear between neighbours. */
export interface Isotonic { from: number[]; values: number[] }

/** Least squares among functions that never fall: pool adjacent violators (Ayer et al., 1955). NaN are left out. */
export function isotonic(x: ArrayLike<number>, y: ArrayLike<number>): Isotonic {
  const order = Array.from({ length: x.length }, (_, i) => i).filter((i) => !Number.isNaN(x[i]!) && !Number.isNaN(y[i]!)).sort((a, b) => x[a]! - x[b]!);
  const blocks: { first: number; last: number; sum: number; weight: number }[] = [];
  for (let i = 0; i < order.length;) {
    const at = x[order[i]!]!;
    let [sum, weight] = [0, 0];
    for (; i < order.length && x[order[i]!] === at; i++) {
      sum += y[order[i]!]!;
      weight++;
    }
    blocks.push({ first: at, last: at, sum, weight });
    while (blocks.length > 1) {
      const [before, last] = [blocks[blocks.length - 2]!, blocks[blocks.length - 1]!];
      if (before.sum / before.weight < last.sum / last.weight) break;
      blocks.pop();
      Object.assign(before, { last: last.last, sum: before.sum + last.sum, weight: before.weight + last.weight });
    }
  }
  const ends = blocks.flatMap(({ first, last, sum, weight }) => (first === last ? [[first, sum / weight]] : [[first, sum / weight], [last, sum / weight]]) as [number, number][]);
  return { from: ends.map(([at]) => at), values: ends.map(([, value]) => value) };
}

export function isotonicAt({ from, values }: Isotonic, x: number): number {
  if (from.length === 0) return x;
  let [low, high] = [0, from.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (from[middle]! <= x) low = middle + 1; else high = middle;
  }
  if (low === 0) return values[0]!;
  if (low === from.length) return values[low - 1]!;
  const share = (x - from[low - 1]!) / (from[low]! - from[low - 1]!);
  return values[low - 1]! + share * (values[low]! - values[low - 1]!);
}
