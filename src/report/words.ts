import { figure as plainFigure } from '../domain/headline';
import type { MetricResult } from '../domain/version';
import { printable } from './html';

/** How reports say numbers. What is not finite is `none`. */

export const isNumber = (value: number | null | undefined): value is number => typeof value === 'number' && Number.isFinite(value);

/** With a minus rather than a hyphen, which is narrower than a plus; and none before a zero. */
export const figure = (value: number): string => {
  const text = plainFigure(value);
  return text.replace('-', /[1-9]/.test(text) ? '−' : '');
};
export const signed = (value: number): string => `${value > 0 ? '+' : ''}${figure(value)}`;

/** `81.6%`, `12%` from ten points on without decimals when asked. */
export const percent = (share: number | null | undefined, decimals = 1): string => (isNumber(share) ? `${(100 * share).toFixed(decimals)}%` : 'none');

export const signedPercent = (share: number, decimals = 1): string => {
  const text = percent(Math.abs(share), decimals);
  return `${share > 0 ? '+' : share < 0 ? '−' : ''}${text}`;
};

export const count = (n: number): string => n.toLocaleString('en-US');
export const rows = (n: number): string => `${count(n)} row${n === 1 ? '' : 's'}`;
export const range = (low: number | undefined, high: number | undefined): string =>
  (isNumber(low) && isNumber(high) ? `${figure(low)} to ${figure(high)}` : '');
/** `324k`: as the ticks of an axis are written. */
export function brief(value: number): string {
  const size = Math.abs(value);
  const [unit, letter] = size >= 1e9 ? [1e9, 'G'] : size >= 1e6 ? [1e6, 'M'] : size >= 1e3 ? [1e3, 'k'] : [1, ''];
  return `${String(Number((value / unit).toPrecision(3))).replace('-', '−')}${letter}`;
}
export const bytes = (n: number): string => (n >= 1e6 ? `${(n / 1e6).toFixed(1)} MB` : `${Math.max(1, Math.round(n / 1e3))} kB`);

/** A name that fits beside a chart. */
export const short = (name: string, length: number): string => {
  const letters = [...printable(name).replace(/\s+/g, ' ')];
  return letters.length <= length ? letters.join('') : `${letters.slice(0, length - 1).join('')}…`;
};

const METRIC_WORDS: Record<string, string> = {
  rmse: 'root mean squared error',
  mae: 'mean absolute error',
  r2: 'share of the variance explained',
  rmse_own: 'root mean squared error, in the target’s own unit',
  mae_own: 'mean absolute error, in the target’s own unit',
  coverage: 'share of true values within the interval',
  accuracy: 'share of right answers',
  macro_f1: 'mean of the classes’ F1',
  log_loss: 'mean negative log-likelihood of the true class',
  calibration_error: 'mean gap between probability and frequency',
  mase: 'error, in units of the seasonal naive forecast’s',
  smape: 'symmetric relative error',
  'recall@1': 'queries whose nearest row is alike',
  'recall@10': 'queries with an alike row among the 10 nearest',
  'precision@10': 'share of alike rows among the 10 nearest',
};

export function metricInWords({ metric }: Pick<MetricResult, 'metric'>, scale?: 'linear' | 'log10'): string {
  const words = METRIC_WORDS[metric] ?? '';
  return words && scale === 'log10' && ['rmse', 'mae', 'r2'].includes(metric) ? `${words}, of log10` : words;
}
