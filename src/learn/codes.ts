import type { StringColumn } from '../domain/table';
import type { Codes } from './objectives';
import { normal, random } from './random';
import { mostFrequent } from './vocabulary';

const MIN_ROWS = 3;
const MAX_VALUES = 256;
const SPREADING_STEPS = 100;

/** Codes for each attribute that has at least two values, from the given rows; rare values count as missing. */
export function attributeCodes(
  of: { attributes: Record<string, StringColumn>; rows: Int32Array; dimensions: number; seed: number },
): Codes[] {
  const { attributes, rows, dimensions, seed } = of;
  return Object.entries(attributes).flatMap(([name, { values }]) => {
    const counts = new Map<string, number>();
    for (const row of rows) {
      const value = values[row] ?? null;
      if (value !== null) counts.set(value, (counts.get(value) ?? 0) + 1);
    }
    const kept = mostFrequent(counts, { min: MIN_ROWS, max: MAX_VALUES }).map(([value]) => value);
    if (kept.length < 2) return [];
    const position = new Map(kept.map((value, i) => [value, i]));
    const target = Int32Array.from(values, (value) => (value === null ? -1 : position.get(value) ?? -1));
    const total = kept.reduce((sum, value) => sum + counts.get(value)!, 0);
    return [{
      values: kept.length, codes: spreadCodes(kept.length, dimensions, random(seed, 'codes', name)), target,
      logPrior: Float32Array.from(kept, (value) => Math.log(counts.get(value)! / total)),
    }];
  });
}

/**
 * Unit vectors that lie as far apart as they can: random ones, each moved away from those near it, nearer ones pushing harder
 * (Mettes et al., 2019, find them by gradient descent on the largest cosine; this is its soft form).
 */
function spreadCodes(count: number, dimensions: number, uniform: () => number): Float32Array {
  const codes = Array.from({ length: count }, () => unit(Float64Array.from({ length: dimensions }, () => normal(uniform))));
  for (let step = 0; step < SPREADING_STEPS; step++) {
    const pushes = codes.map((a, i) => {
      const push = new Float64Array(dimensions);
      codes.forEach((b, j) => {
        if (i === j) return;
        const force = Math.exp(4 * a.reduce((sum, x, d) => sum + x * b[d]!, 0));
        for (let d = 0; d < dimensions; d++) push[d]! -= force * b[d]!;
      });
      return unit(push);
    });
    codes.forEach((code, i) => { codes[i] = unit(code.map((x, d) => x + 0.2 * (1 - step / SPREADING_STEPS) * pushes[i]![d]!)); });
  }
  return Float32Array.from(codes.flatMap((code) => [...code]));
}

function unit(x: Float64Array): Float64Array {
  const norm = Math.max(1e-12, Math.hypot(...x));
  return x.map((v) => v / norm);
}
