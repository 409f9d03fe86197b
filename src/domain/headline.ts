import type { MetricResult } from './version';

/** `rmse 0.412 (baseline 0.701)`: the first metric in a few words. */
export function headline(metrics: readonly MetricResult[]): string {
  const first = metrics[0];
  if (!first) return 'no metrics';
  return `${first.metric} ${figure(first.value)}${first.baseline ? ` (baseline ${figure(first.baseline.value)})` : ''}`;
}

/** Three significant digits or more, without exponents where people would not write them. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return 'none';
  const size = Math.abs(value);
  if (size >= 1e9) return `${(value / 1e9).toFixed(2)}G`;
  if (size >= 1e6) return `${(value / 1e6).toFixed(1)}M`;
  if (size >= 1000) return Math.round(value).toLocaleString('en-US');
  if (size >= 100) return value.toFixed(1);
  return value.toFixed(size >= 10 ? 2 : 3);
}

/** `12%`, `3.4%`, `0.2%` */
export function percent(share: number): string {
  const value = share * 100;
  return `${value >= 10 || value === 0 ? Math.round(value) : Number(value.toPrecision(value >= 1 ? 2 : 1))}%`;
}
