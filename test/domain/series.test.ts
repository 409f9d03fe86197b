import fc from 'fast-check';
import { periodStart } from '../../src/domain/calendar';
import { buildSeries, naiveScales, seasonalNaive, seriesKey, type SeriesInput, type SeriesSet } from '../../src/domain/series';
import type { ForecastSpec } from '../../src/domain/spec';
import { forecast } from './specs';

const daily = forecast({ frequency: 'day', season: 3, horizon: 4 });
const one = (value: number[], over: Partial<SeriesInput> = {}): SeriesInput =>
  ({ time: Float64Array.from(value, (_, i) => i), value: Float64Array.from(value), known: {}, ...over });
const only = (set: SeriesSet) => set.series.get('')!;

test('rows in any order land on their periods, what lies between is a gap', () => {
  const months = Float64Array.of(14, 16, 12).map((m) => periodStart(m, 'month') + 9.5);
  const set = buildSeries(one([1, 3, 2], { time: months }), forecast());
  expect(only(set)).toMatchObject({ first: 12, end: 17, values: Float64Array.of(2, NaN, 1, NaN, 3) });
});

test('a series begins and ends with its values, known-ahead ones may go on', () => {
  const set = buildSeries(one([NaN, 5, NaN, 6, NaN, NaN], { known: { price: Float64Array.of(9, 1, 2, 3, 4, NaN) } }), daily);
  expect(only(set)).toMatchObject({ first: 1, end: 4, known: { price: Float64Array.of(1, 2, 3, 4, NaN) } });
});

test('series are told apart by name; rows without a name or a date are counted and left out', () => {
  const set = buildSeries({ time: Float64Array.of(0, 0, 1, NaN, 2), series: ['b', 'a', 'a', 'a', null],
    value: Float64Array.of(1, 2, 3, 4, 5), known: {} }, daily);
  expect([...set.series.keys()]).toEqual(['a', 'b']);
  expect(set.series.get('a')!.values).toEqual(Float64Array.of(2, 3));
  expect(set.unplaced).toBe(2);
});

test.each<[string, SeriesInput, ForecastSpec, string, RegExp]>([
  ['two rows of a period', one([1, 2, 3], { time: Float64Array.of(0, 14, 40) }), forecast(), 'CONFIG',
    /Two rows fall on 1970-01: .*month.*Aggregate/],
  ['two rows of a period of a series', one([1, 2], { time: Float64Array.of(3, 3.5), series: ['x', 'x'] }), daily, 'CONFIG',
    /1970-01-04 in series "x"/],
  ['an infinite value', one([1, Infinity]), daily, 'NOT_FINITE', /demand/],
  ['an infinite known-ahead value', one([1, 2], { known: { price: Float64Array.of(1, -Infinity) } }), daily, 'NOT_FINITE', /price/],
  ['no value at all', one([NaN, NaN]), daily, 'COLUMN_EMPTY', /demand.*date/],
  ['a date that is far off', one([1, 2], { time: Float64Array.of(0, 1e8) }), daily, 'CONFIG', /too many periods by day/],
])('%s is an error that says where', (_, input, spec, code, message) => {
  expect(() => buildSeries(input, spec)).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) }));
});

describe('seasonal naive', () => {
  test('repeats the last season, over as many seasons as the horizon has', () => {
    expect(seasonalNaive(buildSeries(one([1, 2, 3, 4, 5, 6]), daily), daily, '', 6)).toEqual(Float64Array.of(4, 5, 6, 4));
  });

  test('looks further back over gaps, and then takes the last value', () => {
    expect(seasonalNaive(buildSeries(one([1, 2, 3, NaN, 5, 6]), daily), daily, '', 6)).toEqual(Float64Array.of(1, 5, 6, 1));
    expect(seasonalNaive(buildSeries(one([7, 8]), daily), daily, '', 2)).toEqual(Float64Array.of(8, 7, 8, 8));
  });

  test('knows nothing before a series begins, or of another series', () => {
    const set = buildSeries(one([7, 8]), daily);
    expect(seasonalNaive(set, daily, '', 0)).toEqual(new Float64Array(4).fill(NaN));
    expect(seasonalNaive(set, daily, 'other', 1)).toEqual(new Float64Array(4).fill(NaN));
  });

  test('never reads the origin or what comes after it', () => {
    const values = fc.array(fc.oneof(fc.double({ min: -9, max: 9, noNaN: true }), fc.constant(NaN)), { minLength: 12, maxLength: 12 });
    fc.assert(fc.property(values, values, fc.integer({ min: 1, max: 11 }), (values, others, origin) => {
      const begun = [1, ...values];
      const changed = begun.map((v, i) => (i < origin ? v : others[i - 1]!));
      const at = (v: number[]): Float64Array => seasonalNaive(buildSeries(one(v), daily), daily, '', origin);
      expect(at(changed)).toEqual(at(begun));
    }));
  });
});

test('the scale of MASE is the in-sample seasonal naive error, and undefined for a series that repeats itself', () => {
  const set = buildSeries({
    time: Float64Array.of(0, 1, 2, 3, 4, 5, 0, 1, 2, 3), series: ['up', 'up', 'up', 'up', 'up', 'up', 'same', 'same', 'same', 'same'],
    value: Float64Array.of(1, 1, 1, 2, 4, 99, 5, 5, 5, 5), known: {},
  }, daily);
  expect(naiveScales(set, daily, 5)).toEqual(new Map([['same', NaN], ['up', 2]]));
});

test('a key names one period of one series', () => {
  expect(seriesKey('a', 12)).not.toBe(seriesKey('a', 1));
  expect(seriesKey(undefined, -3)).toBe(seriesKey('', -3));
  expect(seriesKey('1/2', 3)).not.toBe(seriesKey('2', 31));
});
