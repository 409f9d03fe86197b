import fc from 'fast-check';
import { askedExamples, exampleSplit, forecastsByPeriod, holdoutStart, pickSteps, rollingOrigin, trainingExamples,
  type Examples } from '../../src/domain/examples';
import { buildSeries, seriesKey, type SeriesSet } from '../../src/domain/series';
import type { ForecastSpec } from '../../src/domain/spec';
import { HOLDOUT } from '../../src/domain/split';
import type { VectorColumn } from '../../src/domain/table';
import { forecast } from './specs';

const spec = forecast({ frequency: 'day', season: 2, horizon: 3, context: 4, holdout: 0.25 });
const ramp = (count: number, over: Partial<ForecastSpec> = {}): { set: SeriesSet; spec: ForecastSpec } => {
  const all = { ...spec, ...over };
  const known = Object.fromEntries(all.inputs.map((input) => [input.name, Float64Array.from({ length: count }, (_, i) => 100 + i)]));
  return { set: buildSeries({ time: Float64Array.from({ length: count }, (_, i) => i),
    value: Float64Array.from({ length: count }, (_, i) => i), known }, all), spec: all };
};
const row = (column: unknown, i: number): number[] => {
  const { width, values } = column as VectorColumn;
  return [...values.subarray(i * width, (i + 1) * width)];
};
const price = [{ kind: 'column' as const, name: 'price', column: 'price' }];

test('an example is the window before an origin and the horizon from it', () => {
  const { set } = ramp(12);
  const { table, target, origins, series } = trainingExamples(set, spec);
  expect([...origins]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  expect(row(table.columns.history, 1)).toEqual([NaN, NaN, 0, 1]);
  expect(row(table.columns.history, 8)).toEqual([5, 6, 7, 8]);
  expect(row(target, 8)).toEqual([9, 10, 11]);
  expect(row(target, 10)).toEqual([11, NaN, NaN]);
  expect(table.columns.start).toEqual({ type: 'date', values: Float64Array.from(origins) });
  expect(Object.keys(table.columns)).toEqual(['history', 'start']);
  expect(new Set(series)).toEqual(new Set(['']));
});

test('known-ahead inputs cover the horizon, and the series is an input where there are several', () => {
  const { set } = ramp(12, { inputs: price });
  expect(row(trainingExamples(set, { ...spec, inputs: price }).table.columns.price, 2)).toEqual([103, 104, 105]);
  const several = forecast({ ...spec, series: 'shop' });
  const time = Float64Array.from({ length: 24 }, (_, i) => i >> 1);
  const shops = buildSeries({ time, series: Array.from(time, (_, i) => (i % 2 ? 'b' : 'a')), value: time, known: {} }, several);
  const { table, series } = trainingExamples(shops, several);
  expect(table.columns.series).toEqual({ type: 'category', values: series });
  expect(new Set(series)).toEqual(new Set(['a', 'b']));
});

test('windows with nothing before or nothing after the origin are left out', () => {
  const values = [1, 2, 3, 4, 5, 6, NaN, NaN, NaN, NaN, NaN, NaN, 7, 8, 9, 10];
  const set = buildSeries({ time: Float64Array.from(values, (_, i) => i), value: Float64Array.from(values), known: {} }, spec);
  expect([...trainingExamples(set, spec).origins]).toEqual([1, 2, 3, 4, 5, 13, 14, 15]);
});

test('thousands of series stay below the cap, and every period is still forecast by some series', () => {
  const several = forecast({ ...spec, series: 'shop' });
  const [shops, periods] = [300, 40];
  const time = Float64Array.from({ length: shops * periods }, (_, i) => i % periods);
  const series = Array.from(time, (_, i) => `shop ${Math.floor(i / periods)}`);
  const set = buildSeries({ time, series, value: time, known: {} }, several);
  const examples = trainingExamples(set, several, { maxExamples: 1000 });
  expect(examples.origins.length).toBeLessThan(1200);
  expect(examples.origins.length).toBeGreaterThan(800);
  expect(new Set(examples.origins).size).toBe(periods - 1);
  expect(trainingExamples(set, several, { maxExamples: 1000 })).toEqual(examples);
});

test('the last share of the periods is the holdout, the rest contiguous folds', () => {
  const { set } = ramp(16);
  const examples = trainingExamples(set, spec);
  const { split } = exampleSplit(examples, spec);
  expect([...split.folds]).toEqual([0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, HOLDOUT, HOLDOUT, HOLDOUT, HOLDOUT]);
  expect(holdoutStart(examples.blocks)).toBe(12);
  expect([...rollingOrigin(set, spec).origins]).toEqual([12, 13, 14, 15]);
});

test('too short a history is refused with the number of periods', () => {
  const { set } = ramp(6);
  expect(() => trainingExamples(set, spec)).toThrow(expect.objectContaining({ code: 'TOO_FEW_ROWS',
    message: expect.stringMatching(/6 periods by day/) }));
});

const gappy = fc.array(fc.oneof({ weight: 5, arbitrary: fc.integer({ min: 0, max: 1000 }) }, { weight: 1, arbitrary: fc.constant(NaN) }),
  { minLength: 30, maxLength: 60 });

function examplesOf(values: number[], over: ForecastSpec): Examples | undefined {
  const known = [1, ...values, 1];
  const set = buildSeries({ time: Float64Array.from(known, (_, i) => i), value: Float64Array.from(known), known: {} }, over);
  return trainingExamples(set, over);
}

const shapes = fc.record({ horizon: fc.integer({ min: 1, max: 12 }), context: fc.integer({ min: 1, max: 12 }),
  holdout: fc.constantFrom(0.1, 0.25, 0.4) })
  .map((shape) => ({ ...spec, ...shape }));

test('no member is taught a value of its own fold\'s periods, and nobody one of the holdout\'s', () => {
  fc.assert(fc.property(gappy, shapes, (values, over) => {
    const examples = examplesOf(values, over)!;
    const { split, target } = exampleSplit(examples, over);
    const foldOfOrigin = new Map(Array.from(examples.origins, (origin, i) => [origin, split.folds[i]!]));
    for (let i = 0; i < examples.origins.length; i++) {
      if (split.folds[i] === HOLDOUT) continue;
      row(target, i).forEach((value, step) => {
        const period = examples.origins[i]! + step;
        if (Number.isNaN(value)) return;
        expect(period).toBeLessThan(holdoutStart(examples.blocks));
        // Member f trains on this example for every f but its own fold: the period must lie in that fold.
        if (foldOfOrigin.has(period)) expect(foldOfOrigin.get(period)).toBe(split.folds[i]);
      });
    }
  }), { numRuns: 60 });
});

test('changing any value in the holdout changes no training example\'s input, nor a target that is taught', () => {
  fc.assert(fc.property(gappy, shapes, fc.array(fc.integer({ min: 0, max: 9999 }), { minLength: 62, maxLength: 62 }),
    (values, over, others) => {
    const before = examplesOf(values, over)!;
    const from = holdoutStart(before.blocks);
    const changed = values.map((v, i) => (i + 1 >= from && !Number.isNaN(v) ? others[i]! : v));
    const after = examplesOf(changed, over)!;
    const trained = (examples: Examples): unknown[] => {
      const { split, target } = exampleSplit(examples, over);
      return [...split.folds.keys()].filter((i) => split.folds[i] !== HOLDOUT)
        .map((i) => [examples.origins[i], split.folds[i], row(examples.table.columns.history, i), row(target, i)]);
    };
    expect(trained(after)).toEqual(trained(before));
  }), { numRuns: 60 });
});

describe('cross-fitted forecasts by period', () => {
  // Says of each cell which origin made it.
  const sayOrigin = (examples: Examples) => ({
    rows: examples.origins.length,
    columns: { value: { ...examples.target, values: Float32Array.from(examples.target.values,
      (_, i) => examples.origins[Math.floor(i / examples.target.width)]!) } },
  });

  test('each period is forecast from its own origin', () => {
    const examples = trainingExamples(ramp(16).set, spec);
    const { keys, table } = forecastsByPeriod(examples, sayOrigin(examples));
    const made = new Map(keys.map((key, i) => [key, (table.columns.value as { values: Float64Array }).values[i]]));
    for (let period = 1; period < 16; period++) expect(made.get(seriesKey('', period))).toBe(period);
    expect(made.has(seriesKey('', 0))).toBe(false);
    expect(made.has(seriesKey('', 16))).toBe(false);
  });

  test('where origins are left out, from an earlier one of the same fold, or in the holdout from any', () => {
    const { set } = ramp(16);
    const examples = trainingExamples(set, spec, { maxExamples: 5 });
    const { split } = exampleSplit(trainingExamples(set, spec), spec);
    const { keys, table } = forecastsByPeriod(examples, sayOrigin(examples));
    expect(keys.length).toBeGreaterThan(examples.origins.length);
    keys.forEach((key, i) => {
      const period = Number(key.split('/')[0]);
      const origin = (table.columns.value as { values: Float64Array }).values[i]!;
      expect(origin).toBeLessThanOrEqual(period);
      if (period < 16 && split.folds[period - 1] !== HOLDOUT) expect(split.folds[origin - 1]).toBe(split.folds[period - 1]);
    });
  });
});

describe('a request', () => {
  const days = (...values: number[]) => ({ days: Float64Array.from(values) });

  test('within the history, or for the next period, is forecast from what was known before it', () => {
    const { set } = ramp(12);
    const { table, step, refused } = askedExamples(set, spec, days(5.5, 12));
    expect([...step]).toEqual([0, 0]);
    expect(row(table.columns.history, 0)).toEqual([1, 2, 3, 4]);
    expect(row(table.columns.history, 1)).toEqual([8, 9, 10, 11]);
    expect(refused).toEqual([]);
  });

  test('beyond the next period is a later step from the end', () => {
    const { set } = ramp(12);
    const { table, step } = askedExamples(set, spec, days(14));
    expect([...step]).toEqual([2]);
    expect(row(table.columns.history, 0)).toEqual([8, 9, 10, 11]);
    expect((table.columns.start as { values: Float64Array }).values[0]).toBe(12);
  });

  test('gets the same example as training for the same period', () => {
    const { set } = ramp(12, { inputs: price });
    const over = { ...spec, inputs: price };
    const trained = trainingExamples(set, over);
    const { table } = askedExamples(set, over, { days: Float64Array.from(trained.origins) });
    expect(table).toEqual(trained.table);
  });

  test('that cannot be answered is refused with the last period that can', () => {
    const { set } = ramp(12);
    const { table, step, refused } = askedExamples(set, spec, days(15, NaN, 0, 12));
    expect([...step]).toEqual([-1, -1, -1, 0]);
    expect(refused.map((r) => r.row)).toEqual([0, 1, 2]);
    expect(refused[0]!.reason).toBe('1970-01-16 is too far ahead; the last period that can be forecast is 1970-01-15');
    expect(refused[1]!.reason).toMatch(/date \(date\) is missing.*1970-01-15/);
    expect(refused[2]!.reason).toMatch(/no history before it; the first that has is 1970-01-02, .*1970-01-15/);
    expect(row(table.columns.history, 0)).toEqual([NaN, NaN, NaN, NaN]);
  });

  test('for an unknown or missing series, or after a long silence, is refused by name', () => {
    const several = forecast({ ...spec, series: 'shop' });
    const time = Float64Array.of(0, 1, 2, 20, 21);
    const set = buildSeries({ time, series: new Array(5).fill('a'), value: time, known: {} }, several);
    const asked = askedExamples(set, several, { days: Float64Array.of(1, 1, 15), series: ['zoo', null, 'a'] });
    expect(asked.refused.map((r) => r.reason)).toEqual([
      'there is no history of series "zoo"', 'the series (shop) is missing',
      expect.stringMatching(/nothing is known in the 4 periods before 1970-01-16.*1970-01-25/),
    ]);
    expect(askedExamples(set, several, { days: Float64Array.of(1) }).refused).toHaveLength(1);
  });

  test('may bring its own known-ahead value, for the period it asks', () => {
    const { set } = ramp(12, { inputs: price });
    const over = { ...spec, inputs: price };
    const { table } = askedExamples(set, over, { ...days(13, 9), known: { price: Float64Array.of(7, NaN) } });
    expect(row(table.columns.price, 0)).toEqual([NaN, 7, NaN]);
    expect(row(table.columns.price, 1)).toEqual([109, 110, 111]);
  });

  test('reads its own step of the outputs', () => {
    const outputs = { rows: 2, columns: { value: { type: 'vector' as const, width: 3, values: Float32Array.of(1, 2, 3, 4, 5, 6) } } };
    expect(pickSteps(outputs, [0, 1, 1], [2, 0, -1]).columns.value).toEqual({ type: 'number', values: Float64Array.of(3, 4, NaN) });
  });
});
