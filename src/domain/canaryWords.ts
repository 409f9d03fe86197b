import { figure } from './headline';

/** An effect and its confidence sequence, as far as they are known. */
export interface Estimate { effect?: number; low?: number; high?: number }

/** The size of an effect, `8.1%`, and its interval, `[2.0%, 14.5%]`, which is turned round for an effect below 0. */
export function sized({ effect = 0, low, high }: Estimate, unit: '%' | ' points'): { size: string; above: boolean; interval: string } {
  const end = (value: number | undefined): string => {
    if (value === undefined) return 'unknown';
    return unit === '%' ? percent(effect < 0 ? -value : value) : hundredths(effect < 0 ? -value : value);
  };
  return {
    size: unit === '%' ? percent(Math.abs(effect)) : `${hundredths(Math.abs(effect))} points`,
    above: effect >= 0,
    interval: effect < 0 ? `[${end(high)}, ${end(low)}]` : `[${end(low)}, ${end(high)}]`,
  };
}

export const percent = (share: number): string => `${hundredths(share)}%`;

function hundredths(share: number): string {
  const value = share * 100;
  const text = value.toFixed(Math.abs(value) >= 99.95 ? 0 : Math.abs(value) >= 0.1 || value === 0 ? 1 : 2);
  return Number(text) === 0 ? '0' : text;
}

/** A number in three digits or more; small ones in two. */
export const amount = (value: number): string => (value !== 0 && Math.abs(value) < 0.01 ? String(Number(value.toPrecision(2))) : figure(value));

export const requestCount = (count: number): string => `${count.toLocaleString('en-US')} request${count === 1 ? '' : 's'}`;

export const onRequests = (count: number): string => `on ${requestCount(count)}`;
