import { hash32 } from '../domain/hash';

/** A source of randomness that is the same in every process: uniform numbers in [0, 1). */
export type Random = () => number;

/** Mulberry32 (Ettinger, 2017), one independent stream for each list of names, e.g. `random(seed, 'order', epoch)`. */
export function random(seed: number, ...stream: (string | number)[]): Random {
  let state = hash32(stream.join('/'), seed);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Standard normal numbers (Box and Muller, 1958). */
export const normal = (uniform: Random): number =>
  Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());

/** Puts the numbers in a random order, in place (Fisher and Yates). */
export function shuffle<T extends Int32Array>(items: T, uniform: Random): T {
  for (let i = items.length - 1; i > 0; i--) {
    const j = Math.floor(uniform() * (i + 1));
    const swap = items[i]!;
    items[i] = items[j]!;
    items[j] = swap;
  }
  return items;
}
