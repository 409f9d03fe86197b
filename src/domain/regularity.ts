import { periodIndex } from './calendar';
import { FREQUENCIES, type Frequency } from './spec';

/** Days between two dates that follow each other, in a series of that frequency. */
const DAYS: Record<Frequency, number> = { hour: 1 / 24, day: 1, week: 7, month: 30.44, quarter: 91.3, year: 365.25 };
const MIN_PERIODS = 30;
/** Of the periods between the first and the last. */
const MOST_MISSING = 0.2;

/** The frequency with which dates (days since 1970) follow each other regularly, one row a period of each series; undefined where they do not. */
export function regularFrequency(days: ArrayLike<number>, series?: readonly (string | null)[]): Frequency | undefined {
  const groups = new Map<string, number[]>();
  for (let i = 0; i < days.length; i++) {
    const name = series ? series[i] : '';
    if (name == null || Number.isNaN(days[i]!)) continue;
    const group = groups.get(name);
    if (group) group.push(days[i]!);
    else groups.set(name, [days[i]!]);
  }
  const all = [...groups.values()].map((group) => group.sort((a, b) => a - b));
  const gaps = all.flatMap((group) => group.slice(1).map((day, i) => day - group[i]!)).sort((a, b) => a - b);
  const usual = gaps[Math.floor(gaps.length / 2)];
  if (usual === undefined || !(usual > 0)) return undefined;
  const frequency = FREQUENCIES.find((f) => Math.abs(usual - DAYS[f]) <= 0.1 * DAYS[f]);
  if (!frequency) return undefined;
  const fits = all.every((group) => {
    const periods = group.map((day) => periodIndex(day, frequency));
    const span = periods.at(-1)! - periods[0]! + 1;
    return new Set(periods).size === periods.length && periods.length >= span * (1 - MOST_MISSING);
  });
  return fits && Math.max(...all.map((group) => group.length)) >= MIN_PERIODS ? frequency : undefined;
}

/** How far ahead is usually asked for. */
const HORIZON: Record<Frequency, number> = { hour: 24, day: 7, week: 8, month: 12, quarter: 4, year: 3 };
export const usualHorizon = (frequency: Frequency, periods: number): number => Math.max(1, Math.min(HORIZON[frequency], Math.floor(periods / 12)));
