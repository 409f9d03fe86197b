/** Sums of a window's losses. */
export interface Part { rows: number; mean: number; /** Of single rows. */ variance: number }

/** What is usual in windows: the mean, how far windows differ beyond chance, and how far rows do. */
export interface Usual { centre: number; between: number; within: number; windows: number; rows: number }

export function partOf(losses: ArrayLike<number>): Part {
  let [rows, mean, squares] = [0, 0, 0];
  for (let i = 0; i < losses.length; i++) {
    const x = losses[i]!;
    if (Number.isNaN(x)) continue;
    rows++;
    const before = x - mean;
    mean += before / rows;
    squares += before * (x - mean);
  }
  return { rows, mean: rows > 0 ? mean : NaN, variance: rows > 1 ? squares / (rows - 1) : 0 };
}

/** Parts of about `size` rows each, in the given order; losses that are not known are left out. */
export function cut(losses: ArrayLike<number>, size: number): Part[] {
  const known = Array.from(losses).filter((x) => !Number.isNaN(x));
  const count = Math.max(1, Math.floor(known.length / Math.max(1, size)));
  return Array.from({ length: count }, (_, i) => partOf(known.slice(Math.floor((i * known.length) / count), Math.floor(((i + 1) * known.length) / count))))
    .filter(({ rows }) => rows > 0);
}

/**
 * The variance of windows' means has two parts: chance in the rows, which falls with their number, and what differs between windows as such.
 * To keep them apart gives bounds that hold for windows of any size (Laney, 2002, "Improved control charts for attributes").
 */
export function usual(parts: readonly Part[]): Usual | undefined {
  const rows = parts.reduce((sum, p) => sum + p.rows, 0);
  if (parts.length < 2 || rows === 0) return undefined;
  const centre = parts.reduce((sum, p) => sum + p.mean * p.rows, 0) / rows;
  const within = parts.reduce((sum, p) => sum + p.variance * p.rows, 0) / rows;
  const chance = parts.reduce((sum, p) => sum + within / p.rows, 0) / parts.length;
  const middle = parts.reduce((sum, p) => sum + p.mean, 0) / parts.length;
  const spread = parts.reduce((sum, p) => sum + (p.mean - middle) ** 2, 0) / (parts.length - 1);
  return { centre, within, between: Math.max(0, spread - chance), windows: parts.length, rows };
}

/**
 * Where the mean of a window of so many rows is to lie: mean ± k standard deviations, within the metric's range (NannyML's rule, k = 3). As of
 * any prediction from a sample, the reference's own mean is known no better than its rows allow.
 */
export function bounds({ centre, between, within, windows, rows }: Usual, of: { rows: number; deviations: number; range: readonly [number, number] }): { lower: number; upper: number } {
  const width = of.deviations * Math.sqrt(between * (1 + 1 / windows) + within * (1 / Math.max(1, of.rows) + 1 / Math.max(1, rows)));
  return { lower: Math.max(of.range[0], centre - width), upper: Math.min(of.range[1], centre + width) };
}
