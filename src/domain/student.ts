/** The standard normal quantile, to seven digits: algorithm AS 241, PPND7 (Wichura, 1988). */
export function normalQuantile(p: number): number {
  const q = p - 0.5;
  if (Math.abs(q) <= 0.425) {
    const r = 0.180625 - q * q;
    return q * polynomial(r, [3.3871327179, 50.434271938, 159.29113202, 59.10937472]) / polynomial(r, [1, 17.895169469, 78.757757664, 67.1875636]);
  }
  const r = Math.sqrt(-Math.log(Math.min(p, 1 - p)));
  const size = r <= 5
    ? polynomial(r - 1.6, [1.4234372777, 2.75681539, 1.3067284816, 0.17023821103]) / polynomial(r - 1.6, [1, 0.7370016425, 0.12021132975])
    : polynomial(r - 5, [6.657905115, 3.081226386, 0.42868294337, 0.017337203997]) / polynomial(r - 5, [1, 0.24197894225, 0.012258202635]);
  return q < 0 ? -size : size;
}

/** The quantile of Student's t, to four digits or more: algorithm 396 (Hill, 1970, Communications of the ACM). */
export function studentQuantile(p: number, degrees: number): number {
  if (p < 0.5) return -studentQuantile(1 - p, degrees);
  const tails = 2 * (1 - p);
  if (degrees === 1) return Math.tan(Math.PI * (p - 0.5));
  if (degrees === 2) return Math.sqrt(2 / (tails * (2 - tails)) - 2);
  const a = 1 / (degrees - 0.5);
  const b = 48 / (a * a);
  let c = ((20_700 * a / b - 98) * a - 16) * a + 96.36;
  const d = ((94.5 / (b + c) - 3) / b + 1) * Math.sqrt(a * Math.PI / 2) * degrees;
  let y = (d * tails) ** (2 / degrees);
  if (y > 0.05 + a) {
    const x = normalQuantile(tails / 2);
    y = x * x;
    if (degrees < 5) c += 0.3 * (degrees - 4.5) * (x + 0.6);
    c += (((0.05 * d * x - 5) * x - 7) * x - 2) * x + b;
    y = (((((0.4 * y + 6.3) * y + 36) * y + 94.5) / c - y - 3) / b + 1) * x;
    y = Math.expm1(a * y * y);
  } else {
    y = ((1 / (((degrees + 6) / (degrees * y) - 0.089 * d - 0.822) * (degrees + 2) * 3) + 0.5 / (degrees + 4)) * y - 1)
      * (degrees + 1) / (degrees + 2) + 1 / y;
  }
  return Math.sqrt(degrees * y);
}

/** Coefficients of 1, x, x^2 ... */
const polynomial = (x: number, coefficients: readonly number[]): number => coefficients.reduceRight((sum, c) => sum * x + c, 0);
