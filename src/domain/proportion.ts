export interface Interval { value: number; low: number; high: number }

const Z95 = 1.959963984540054;

/** A share, and the interval that holds the true one with 95% confidence (Wilson, 1927: good for few rows and for shares near 0 and 1). */
export function wilson(successes: number, rows: number): Interval {
  const share = successes / rows;
  const z2 = Z95 ** 2;
  const centre = (share + z2 / (2 * rows)) / (1 + z2 / rows);
  const reach = (Z95 * Math.sqrt((share * (1 - share)) / rows + z2 / (4 * rows ** 2))) / (1 + z2 / rows);
  return { value: share, low: Math.max(0, centre - reach), high: Math.min(1, centre + reach) };
}
