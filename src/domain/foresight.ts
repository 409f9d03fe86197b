import type { Foreseen } from './comparison';
import { Recent } from './recent';

const { max, min } = Math;

/** What may be taken of scores before they come, from those that came. */
export interface Foresight {
  /** Undefined as long as too few have come. */
  next(): Foreseen | undefined;
  saw(score: number): void;
}

/** Scores that are shares. */
export const shares = (typical: number): Foresight => ({ next: () => ({ low: 0, high: 1, typical }), saw: () => undefined });

/** What lies beyond these quantiles of the newest scores is an outlier, and is taken as if it lay on them: no single answer decides. */
const BEYOND = 0.01;
const NEWEST = 500;
/** Scores that must have come before. */
const FIRST = 20;

/** Numbers from 0 up, of which large ones are outliers. */
export function amounts(): Foresight {
  const recent = new Recent(NEWEST);
  return {
    next() {
      if (recent.length < FIRST) return undefined;
      // Where nearly all are 0, the others are no outliers.
      return { low: 0, high: recent.quantile(1 - BEYOND) || recent.quantile(1), typical: recent.quantile(0.5) };
    },
    saw: (score) => recent.add(score),
  };
}

/** Logarithms. A shift by `apart` stays visible even where all have been alike. */
export function logarithms(apart: number): Foresight {
  const recent = new Recent(NEWEST);
  return {
    next() {
      if (recent.length < FIRST) return undefined;
      const [low, high] = [recent.quantile(BEYOND), recent.quantile(1 - BEYOND)];
      return { low: min(low, high - apart), high: max(high, low + apart), typical: recent.quantile(0.5) };
    },
    saw: (score) => recent.add(score),
  };
}
