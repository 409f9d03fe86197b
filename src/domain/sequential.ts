/*
 * Tests that may be looked at as often as one likes.
 *
 * A gambler who starts with 1 bets against a hypothesis, "the mean of what comes is at most 0", a share of his wealth on every
 * observation, chosen before it is seen. While the hypothesis holds his wealth is a supermartingale, so it ever reaches 1 / alpha with
 * a probability of at most alpha (Ville, 1939), whatever the sample's size and distribution: no normal approximation, no smallest n. The
 * hypothesised values that his wealth has not refuted are a confidence sequence (Waudby-Smith & Ramdas, "Estimating means of bounded
 * random variables by betting", JRSS B 86, 2024).
 */

/**
 * Bets, as shares of the largest that cannot ruin. The best one, mean over variance, is not known, so the wealth is spread over several
 * (the method of mixtures: Robbins, 1970); halving, little is lost between two.
 */
const BETS = [0.96, 0.48, 0.24, 0.12, 0.06, 0.03];
/** Much on the largest: the one that shows soon that something rare stays away. */
const SPREAD = [0.4, 0.2, 0.1, 0.1, 0.1, 0.1];

/** After so many bets the logarithm is taken, lest the product overflow. */
const STRETCH = 16;

const { log } = Math;

export class Wealth {
  private readonly parts = Float64Array.from(SPREAD);
  private logScale = 0;
  private bets = 0;

  /** @param gain at least -1; by the hypothesis its mean, given all that came before, is at most 0. */
  bet(gain: number): void {
    const { parts } = this;
    for (let i = 0; i < parts.length; i++) parts[i]! *= 1 + BETS[i]! * gain;
    if (++this.bets % STRETCH !== 0) return;
    const sum = this.sum();
    for (let i = 0; i < parts.length; i++) parts[i]! /= sum;
    this.logScale += log(sum);
  }

  /** The logarithm of the wealth; 0 at the start. */
  log(): number { return this.logScale + log(this.sum()); }

  private sum(): number {
    let sum = 0;
    for (let i = 0; i < this.parts.length; i++) sum += this.parts[i]!;
    return sum;
  }
}

/**
 * Where a function that is below 0 at `from` comes to 0 on the way to `limit`, to within `precision`: steps that double until it is passed,
 * then false position (Illinois). Undefined when it stays below. `from` itself when it is not below 0 there.
 */
export function crossing(f: (x: number) => number, way: { from: number; step: number; limit: number; precision: number }): number | undefined {
  const { limit, precision } = way;
  const sign = Math.sign(limit - way.from);
  let inside = way.from;
  let below = f(inside);
  if (!(below < 0)) return inside;
  let outside = inside;
  let above = below;
  for (let step = way.step; !(above >= 0); step *= 2) {
    if (outside === limit) return undefined;
    [inside, below] = [outside, above];
    outside = sign * Math.min(sign * (outside + sign * step), sign * limit);
    above = f(outside);
  }
  for (let last = 0; Math.abs(outside - inside) > precision;) {
    let x = inside + (outside - inside) * (below / (below - above));
    if (!(Math.abs(x - inside) > precision / 4 && Math.abs(x - outside) > precision / 4)) x = (inside + outside) / 2;
    const y = f(x);
    if (y < 0) {
      [inside, below] = [x, y];
      if (last < 0) above /= 2;
      last = -1;
    } else {
      [outside, above] = [x, y];
      if (last > 0) below /= 2;
      last = 1;
    }
  }
  return inside;
}
