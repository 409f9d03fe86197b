import fc from 'fast-check';
import { periodIndex, periodName, periodStart, SEASON } from '../../src/domain/calendar';
import { FREQUENCIES, type Frequency } from '../../src/domain/spec';

const days = (iso: string): number => Date.parse(iso) / 86_400_000;
const frequency = fc.constantFrom(...FREQUENCIES);
// Two thousand years around 1970, by the second.
const date = fc.integer({ min: -1000 * 365.25 * 86400, max: 1000 * 365.25 * 86400 }).map((second) => second / 86400);

test.each<[string, Frequency, string]>([
  ['2015-03-02T05:59:59.999Z', 'hour', '2015-03-02T05:00Z'],
  ['1969-12-31T23:59:59Z', 'hour', '1969-12-31T23:00Z'],
  ['2012-02-29T12:00Z', 'day', '2012-02-29'],
  ['1970-01-04T23:00Z', 'week', 'the week of 1969-12-29'],
  ['1970-01-05', 'week', 'the week of 1970-01-05'],
  ['2000-02-29', 'month', '2000-02'],
  ['1900-03-01', 'month', '1900-03'],
  ['1969-12-31T23:59Z', 'quarter', '1969-Q4'],
  ['2024-12-31T23:59:59Z', 'year', '2024'],
  ['0050-06-01', 'year', '0050'],
])('%s by %s is %s', (iso, by, name) => {
  expect(periodName(periodIndex(days(iso), by), by)).toBe(name);
});

test('the period that holds 1970-01-01 is 0', () => {
  for (const by of FREQUENCIES) expect(periodIndex(0, by)).toBe(0);
});

test('a period starts in itself, and its last instant is still in it', () => {
  fc.assert(fc.property(fc.integer({ min: -200_000, max: 200_000 }), frequency, (index, by) => {
    const start = periodStart(index, by);
    expect(periodIndex(start, by)).toBe(index);
    fc.pre(Math.abs(start) < 1e7);
    expect(periodIndex(start - 1 / 86_400_000, by)).toBe(index - 1);
  }));
});

test('the last microsecond of a day is still that day', () => {
  const end = days('2024-03-01') - 1 / 86_400_000_000;
  for (const by of ['hour', 'day', 'month'] as const) expect(periodIndex(end, by)).toBe(periodIndex(days('2024-02-29T23:00Z'), by));
});

test('every date lies between the start of its period and the next', () => {
  fc.assert(fc.property(date, frequency, (at, by) => {
    const index = periodIndex(at, by);
    expect(periodStart(index, by)).toBeLessThanOrEqual(at);
    expect(periodStart(index + 1, by)).toBeGreaterThan(at);
  }));
});

test('months, quarters and years agree with the platform\'s calendar, leap years and negative dates included', () => {
  fc.assert(fc.property(date, (at) => {
    const platform = new Date(Math.floor(at * 86400 + 0.5) * 1000);
    const month = (platform.getUTCFullYear() - 1970) * 12 + platform.getUTCMonth();
    expect(periodIndex(Math.floor(at * 86400 + 0.5) / 86400, 'month')).toBe(month);
    expect(periodIndex(at, 'year')).toBe(Math.floor(month / 12));
    expect(periodName(periodIndex(at, 'day'), 'day')).toBe(platform.toISOString().slice(0, 10));
  }));
});

test('a missing date has no period', () => {
  for (const by of FREQUENCIES) expect(periodIndex(NaN, by)).toBeNaN();
});

test('a season is a whole number of periods, one at least', () => {
  for (const by of FREQUENCIES) expect(Number.isInteger(SEASON[by]) && SEASON[by] >= 1).toBe(true);
});
