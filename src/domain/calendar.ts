import type { Frequency } from './spec';

/**
 * Periods of a frequency, in UTC, numbered so that the one that holds 1970-01-01 is 0. Weeks begin on Monday (ISO 8601).
 * Dates are days since 1970-01-01, fractions are time of day.
 */

/** Periods after which a pattern usually repeats: a day of hours, a week of days, a year of the others. */
export const SEASON: Record<Frequency, number> = { hour: 24, day: 7, week: 52, month: 12, quarter: 4, year: 1 };

const MONTHS = { month: 1, quarter: 3, year: 12 } as const;
const MONDAY = -3; // 1970-01-01 was a Thursday

/** The period that holds a date; NaN for a missing date. */
export function periodIndex(days: number, frequency: Frequency): number {
  if (!Number.isFinite(days)) return NaN;
  switch (frequency) {
    case 'hour': {
      // The start of an hour is a rounded double: times 24 it may fall just beside the whole hour.
      const hour = Math.round(days * 24);
      return periodStart(hour, 'hour') <= days ? hour : hour - 1;
    }
    case 'day': return Math.floor(days);
    case 'week': return Math.floor((days - MONDAY) / 7);
    default: return Math.floor(monthOf(Math.floor(days)) / MONTHS[frequency]);
  }
}

/** The date on which a period begins. */
export function periodStart(index: number, frequency: Frequency): number {
  switch (frequency) {
    case 'hour': return index / 24;
    case 'day': return index;
    case 'week': return index * 7 + MONDAY;
    default: return firstDay(index * MONTHS[frequency]);
  }
}

/** A period as people write it: 2015-03-02T05:00Z, 2015-03-02, week of 2015-03-02, 2015-03, 2015-Q1, 2015. */
export function periodName(index: number, frequency: Frequency): string {
  if (!Number.isFinite(index)) return 'no period';
  const start = periodStart(index, frequency);
  const day = Math.floor(start);
  const month = monthOf(day);
  const year = String(1970 + Math.floor(month / 12)).padStart(4, '0');
  const yearMonth = `${year}-${two(1 + mod(month, 12))}`;
  const date = `${yearMonth}-${two(1 + day - firstDay(month))}`;
  switch (frequency) {
    case 'hour': return `${date}T${two(mod(index, 24))}:00Z`;
    case 'day': return date;
    case 'week': return `the week of ${date}`;
    case 'month': return yearMonth;
    case 'quarter': return `${year}-Q${1 + mod(index, 4)}`;
    case 'year': return year;
  }
}

/** Months since January 1970 of a whole day (Howard Hinnant, "chrono-compatible low-level date algorithms": civil_from_days). */
function monthOf(day: number): number {
  const z = day + 719468;
  const era = Math.floor(z / 146097);
  const dayOfEra = z - era * 146097;
  const leapDays = Math.floor(dayOfEra / 1460) - Math.floor(dayOfEra / 36524) + Math.floor(dayOfEra / 146096);
  const yearOfEra = Math.floor((dayOfEra - leapDays) / 365);
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  return (era * 400 + yearOfEra - 1970) * 12 + monthFromMarch + 2;
}

/** The first day of a month counted from January 1970 (days_from_civil). */
function firstDay(month: number): number {
  const fromMarch = month - 2 + 1970 * 12;
  const year = Math.floor(fromMarch / 12);
  const era = Math.floor(year / 400);
  const yearOfEra = year - era * 400;
  const dayOfYear = Math.floor((153 * mod(fromMarch, 12) + 2) / 5);
  return era * 146097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719468;
}

const mod = (a: number, b: number): number => a - b * Math.floor(a / b);
const two = (n: number): string => String(n).padStart(2, '0');
