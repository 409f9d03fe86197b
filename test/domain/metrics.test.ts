import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { evaluate, type Scored } from '../../src/domain/evaluate';
import { baselineOutputs, meanBaseline, naiveOutputs, priorBaseline } from '../../src/domain/baseline';
import { ShoalError } from '../../src/domain/errors';
import type { Scorer } from '../../src/domain/bootstrap';
import { classificationScoring } from '../../src/domain/metrics-classification';
import { regressionScoring } from '../../src/domain/metrics-regression';
import { forecastScoring } from '../../src/domain/metrics-forecast';
import { buildSeries, naiveScales } from '../../src/domain/series';
import type { ModelSpec } from '../../src/domain/spec';
import type { Column, Table } from '../../src/domain/table';
import type { MetricResult } from '../../src/domain/version';
import { classification, forecast, regression } from './specs';

const reference = JSON.parse(readFileSync(join(__dirname, 'reference', 'metrics.json'), 'utf8'));
const options = { resamples: 200, seed: 1, confidence: 0.95 };

const numbers = (values: ArrayLike<number>): Column => ({ type: 'number', values: Float64Array.from(values) });
const labels = (values: (string | null)[]): Column => ({ type: 'category', values });
const vectors = (width: number, values: ArrayLike<number>): Column => ({ type: 'vector', width, values: Float32Array.from(values) });
const table = (rows: number, columns: Record<string, Column>): Table => ({ rows, columns });

function byName(results: MetricResult[]): Record<string, MetricResult> {
  return Object.fromEntries(results.map((result) => [result.metric, result]));
}
const run = (spec: ModelSpec, scored: Scored): Record<string, MetricResult> => byName(evaluate(spec, scored, options));

function expectValues(results: Record<string, MetricResult>, expected: Record<string, number>, tolerance: number): void {
  for (const [metric, value] of Object.entries(expected)) {
    expect(Math.abs(results[metric]!.value - value)).toBeLessThanOrEqual(tolerance * Math.max(1e-3, Math.abs(value)));
  }
}

describe('the same figures as scikit-learn and sktime', () => {
  test('regression on a log scale and in the own unit', () => {
    const { truth, value, low, high, expected } = reference.regression;
    const outputs = table(truth.length, { value: numbers(value), low: numbers(low), high: numbers(high) });
    const results = evaluate(regression({ scale: 'log10' }),
      { truth: { task: 'regression', target: numbers(truth) }, newcomer: { outputs } }, options);
    expect(results.map((result) => result.metric)).toEqual(['rmse', 'mae', 'r2', 'mae_own', 'rmse_own', 'coverage', 'coverage_gap']);
    expectValues(byName(results), expected, 1e-12);
  });

  test('classification', () => {
    const { truth, label, probability, probabilities, classes, expected } = reference.classification;
    const outputs = table(truth.length, { label: labels(label), probability: numbers(probability),
      probabilities: vectors(4, probabilities) });
    expectValues(run(classification(), { truth: { task: 'classification', target: labels(truth) }, newcomer: { outputs, classes } }),
      expected, 1e-6);
  });

  test('forecast', () => {
    const { season, history, truth, value, expected } = reference.forecast;
    const spec = forecast({ season, horizon: 3 });
    const time = Float64Array.from(history, (_, i) => i * 31);
    const set = buildSeries({ time, value: Float64Array.from(history), known: {} }, spec);
    const examples = { target: { type: 'vector' as const, width: 3, values: Float32Array.from(truth as number[]) }, series: [''],
      origins: Int32Array.of(24) };
    const newcomer = { outputs: table(1, { value: vectors(3, value) }) };
    expectValues(run(spec, { truth: { task: 'forecast', examples, scales: naiveScales(set, spec, Infinity) }, newcomer }), expected, 1e-5);
  });
});

const pairs = fc.array(fc.tuple(fc.double({ min: -1e6, max: 1e6, noNaN: true }), fc.double({ min: -1e6, max: 1e6, noNaN: true })),
  { minLength: 3, maxLength: 50 });

function regressed(truth: number[], value: number[], other?: number[]): Record<string, MetricResult> {
  return run(regression(), {
    truth: { task: 'regression', target: numbers(truth) },
    newcomer: { outputs: table(truth.length, { value: numbers(value) }) },
    ...(other && { baseline: { outputs: table(truth.length, { value: numbers(other) }) } }),
  });
}

test('a resample by counts gives what the repeated rows themselves would', () => {
  const counted = fc.array(fc.tuple(fc.integer({ min: -9, max: 9 }), fc.integer({ min: -9, max: 9 }), fc.integer({ min: 0, max: 3 })),
    { minLength: 3, maxLength: 12 });
  const answer = (p: number) => ({ label: p > 0 ? 'up' : 'down', confidence: 0.5 + Math.abs(p) / 20 });
  fc.assert(fc.property(counted, (rows) => {
    const repeated = rows.flatMap((r) => new Array<typeof r>(r[2]).fill(r));
    const scored = (of: typeof rows): Record<string, Scorer> => ({
      ...regressionScoring(Float64Array.from(of, (r) => r[0]), { it: table(of.length, { value: numbers(of.map((r) => r[1])) }) },
        'linear').scorers.it,
      ...classificationScoring(of.map((r) => (r[0] > 0 ? 'up' : 'down')), { it: { classes: ['up'], outputs: table(of.length, {
        label: labels(of.map((r) => answer(r[1]).label)), probability: numbers(of.map((r) => answer(r[1]).confidence)),
        probabilities: vectors(1, of.map((r) => answer(r[1]).confidence)),
      }) } }).scorers.it,
    });
    const [byCount, byRow] = [scored(rows), scored(repeated)];
    for (const [metric, scorer] of Object.entries(byCount)) {
      const [a, b] = [scorer(Float64Array.from(rows, (r) => r[2])), byRow[metric]!(new Float64Array(repeated.length).fill(1))];
      if (Number.isNaN(a) || Number.isNaN(b)) expect(metric === 'r2' || repeated.length === 0).toBe(true);
      else expect(a).toBeCloseTo(b, 9);
    }
  }));
});

describe('regression', () => {
  test('a perfect prediction has no error', () => {
    const { rmse, mae, r2 } = regressed([1, 2, 3], [1, 2, 3]);
    expect([rmse!.value, mae!.value, r2!.value]).toEqual([0, 0, 1]);
  });

  test('the order of rows does not matter, and errors scale with the unit', () => {
    fc.assert(fc.property(pairs, (rows) => {
      const [truth, value] = [rows.map((r) => r[0]), rows.map((r) => r[1])];
      const forwards = regressed(truth, value).rmse!.value;
      expect(regressed(truth.toReversed(), value.toReversed()).rmse!.value).toBeCloseTo(forwards, 5);
      expect(regressed(truth.map((y) => 2 * y), value.map((v) => 2 * v)).rmse!.value).toBeCloseTo(2 * forwards, 5);
    }), { numRuns: 30 });
  });

  test('a gain is positive exactly when the newcomer is better, whichever way the metric points', () => {
    fc.assert(fc.property(pairs, (rows) => {
      const truth = rows.map((r) => r[0]);
      const results = regressed(truth, rows.map((r) => r[1]), truth.map((y) => y + 1));
      for (const { value, better, baseline } of Object.values(results)) {
        const ahead = better === 'higher' ? value - baseline!.value : baseline!.value - value;
        expect(Object.is(Math.sign(baseline!.gain.value), Math.sign(ahead)) || Number.isNaN(ahead) || ahead === 0).toBe(true);
      }
    }), { numRuns: 30 });
  });

  test('a model against itself gains nothing, with certainty', () => {
    const truth = Array.from({ length: 50 }, (_, i) => Math.sin(i));
    const { rmse } = regressed(truth, truth.map((y) => y + 0.1), truth.map((y) => y + 0.1));
    expect(rmse!.baseline!.gain).toEqual({ value: 0, low: 0, high: 0, confidence: 0.95 });
  });

  test('rows without a truth are not judged; a missing prediction makes the metric undefined', () => {
    expect(regressed([1, NaN, 3], [1, 99, 3]).rmse).toMatchObject({ value: 0, rows: 2 });
    expect(regressed([1, 2, 3], [1, NaN, 3]).rmse!.value).toBeNaN();
  });

  test('no row at all is an error that says so', () => {
    expect(() => regressed([NaN, NaN], [1, 2])).toThrow(expect.objectContaining({ code: 'TOO_FEW_ROWS' }));
  });

  test('R2 of a truth that does not vary is undefined', () => {
    expect(regressed([5, 5, 5], [5, 5, 5]).r2!.value).toBeNaN();
  });

  test('coverage is measured, and no gain is claimed for it', () => {
    const outputs = table(4, { value: numbers([1, 1, 1, 1]), low: numbers([0, 0, 0, 0]), high: numbers([2, 2, 2, 2]) });
    const scored: Scored = { truth: { task: 'regression', target: numbers([0, 2, 3, 1]) }, newcomer: { outputs }, baseline: { outputs } };
    const { coverage } = run(regression(), scored);
    expect(coverage).toEqual({ metric: 'coverage', value: 0.75, better: 'higher', rows: 4 });
  });

  test('the coverage gap is the distance from the nominal coverage, on either side, and smaller is a gain', () => {
    const truth: Scored['truth'] = { task: 'regression', target: numbers([0, 2, 3, 1]) };
    const within = (half: number): { outputs: Table } =>
      ({ outputs: table(4, { value: numbers([1, 1, 1, 1]), low: numbers(Array(4).fill(1 - half)), high: numbers(Array(4).fill(1 + half)) }) });
    const results = run(regression({ interval: 0.7 }), { truth, newcomer: within(1), baseline: within(9), champion: { ...within(0), version: 'a' } });
    expect(results.coverage_gap).toMatchObject({
      value: expect.closeTo(0.05, 12), better: 'lower',
      baseline: { value: expect.closeTo(0.3, 12), gain: { value: expect.closeTo(0.25, 12) } },
      champion: { value: expect.closeTo(0.45, 12), gain: { value: expect.closeTo(0.4, 12) } },
    });
  });

  test('the mean baseline has an R2 of 0 on its own rows, on the trained scale', () => {
    const truth = Float64Array.from({ length: 30 }, (_, i) => 10 ** (i % 7));
    const spec = regression({ scale: 'log10' });
    const outputs = baselineOutputs(meanBaseline(spec, truth), 30);
    const { r2, coverage } = run(spec, { truth: { task: 'regression', target: numbers(truth) }, newcomer: { outputs } });
    expect(r2!.value).toBeCloseTo(0, 12);
    expect(coverage!.value).toBeGreaterThanOrEqual(0.8);
  });
});

describe('classification', () => {
  const classes = ['a', 'b'];
  const answers = (label: (string | null)[], a: number[]): Table => table(label.length, {
    label: labels(label), probability: numbers(a.map((p) => Math.max(p, 1 - p))), probabilities: vectors(2, a.flatMap((p) => [p, 1 - p])),
  });
  const classified = (truth: (string | null)[], outputs: Table): Record<string, MetricResult> =>
    run(classification(), { truth: { task: 'classification', target: labels(truth) }, newcomer: { outputs, classes } });

  test('certain and right is perfect', () => {
    const { accuracy, macro_f1, log_loss, calibration_error } = classified(['a', 'b'], answers(['a', 'b'], [1, 0]));
    expect([accuracy!.value, macro_f1!.value, log_loss!.value, calibration_error!.value]).toEqual([1, 1, 0, 0]);
  });

  test('a class never seen in training counts as wrong, with a bounded loss', () => {
    const { accuracy, log_loss } = classified(['a', 'z'], answers(['a', 'a'], [1, 1]));
    expect(accuracy!.value).toBe(0.5);
    expect(log_loss!.value).toBeCloseTo(-Math.log(1e-15) / 2, 6);
  });

  test('rows without a class are not judged, a missing answer is wrong', () => {
    expect(classified(['a', null, 'b'], answers(['a', 'a', null], [1, 1, 1])).accuracy).toMatchObject({ value: 0.5, rows: 2 });
  });

  test('predictors may order their classes differently', () => {
    const truth: Column = labels(['a', 'b', 'a']);
    const outputs = answers(['a', 'b', 'b'], [0.9, 0.2, 0.4]);
    const turned = table(3, { ...outputs.columns, probabilities: vectors(2, [0.1, 0.9, 0.8, 0.2, 0.6, 0.4]) });
    const { log_loss } = run(classification(), {
      truth: { task: 'classification', target: truth }, newcomer: { outputs, classes },
        champion: { outputs: turned, classes: ['b', 'a'], version: 'v1' },
    });
    expect(log_loss!.champion!.value).toBeCloseTo(log_loss!.value, 6);
    expect(log_loss!.champion!.version).toBe('v1');
  });

  test('a boolean target is judged as true and false', () => {
    const target: Column = { type: 'boolean', values: Float64Array.of(1, 0, NaN) };
    const outputs = table(3, { label: labels(['true', 'true', 'true']), probability: numbers([1, 1, 1]),
      probabilities: vectors(1, [1, 1, 1]) });
    expect(run(classification(), { truth: { task: 'classification', target },
      newcomer: { outputs, classes: ['true'] } }).accuracy).toMatchObject({ value: 0.5, rows: 2 });
  });

  test('the prior predicts the commonest class with its share, and is calibrated on its own rows', () => {
    const truth = ['a', 'b', 'b', 'b', null, 'a', 'b', 'b'];
    const prior = priorBaseline('kind', truth, classes);
    expect(prior).toEqual({ label: 'b', probability: 5 / 7, probabilities: [2 / 7, 5 / 7] });
    const { accuracy, calibration_error } = classified(truth, baselineOutputs(prior, truth.length));
    expect(accuracy!.value).toBeCloseTo(5 / 7, 12);
    expect(calibration_error!.value).toBeCloseTo(0, 12);
  });

  test('outputs of another task are refused by name', () => {
    expect(() => classified(['a'], table(1, { value: numbers([1]) }))).toThrow(ShoalError);
    expect(() => classified(['a'], table(1, { value: numbers([1]) }))).toThrow(/no output label/);
  });
});

describe('forecast', () => {
  const spec = forecast({ season: 2, horizon: 2, frequency: 'day' });
  const set = buildSeries({ time: Float64Array.from({ length: 8 }, (_, i) => i), value: Float64Array.of(1, 5, 2, 6, 3, 7, 4, 8),
    known: {} }, spec);
  const examples = { target: { type: 'vector' as const, width: 2, values: Float32Array.of(3, 7, 4, NaN) }, series: ['', ''],
    origins: Int32Array.of(4, 6) };
  const scales = naiveScales(set, spec, 4);
  const forecasted = (value: number[]): Record<string, MetricResult> =>
    run(spec, { truth: { task: 'forecast', examples, scales }, newcomer: { outputs: table(2, { value: vectors(2, value) }) },
      baseline: { outputs: naiveOutputs(set, spec, examples) } });

  test('unknown truths are not judged, whatever was said', () => {
    expect(forecasted([3, 7, 4, 1e9]).mase).toMatchObject({ value: 0, rows: 3 });
  });

  test('seasonal naive is 1 in MASE where the future goes on as the past', () => {
    expect(forecasted([3, 7, 4, 8]).mase!.baseline!.value).toBeCloseTo(1, 6);
  });

  test('a series without a scale is left out of MASE only', () => {
    const { mase, smape } = run(spec, { truth: { task: 'forecast', examples, scales: new Map([['', NaN]]) },
      newcomer: { outputs: table(2, { value: vectors(2, [3, 7, 4, 8]) }) } });
    expect(mase!.value).toBeNaN();
    expect(smape!.value).toBe(0);
  });

  test('sMAPE is 0 where both are 0, and 2 where only one is', () => {
    const zero = { target: { type: 'vector' as const, width: 1, values: Float32Array.of(0, 0) }, series: ['', ''],
      origins: Int32Array.of(1, 2) };
    const { smape } = run(spec, { truth: { task: 'forecast', examples: zero, scales },
      newcomer: { outputs: table(2, { value: numbers([0, 5]) }) } });
    expect(smape!.value).toBe(1);
  });

  test.each([
    ['many series, by series', 25, 4, { kind: 'units', count: 25 }],
    ['few series, by blocks of origins as long as the horizon', 3, 20, { kind: 'blocks', count: 20, length: 4 }],
    ['few origins, by shorter blocks', 1, 10, { kind: 'blocks', count: 10, length: 2 }],
  ])('resamples %s', (_, names, origins, resampling) => {
    const places = Array.from({ length: names * origins }, (_, i) => ({ name: `s${i % names}`, origin: Math.floor(i / names) }));
    const target = { type: 'vector' as const, width: 4, values: new Float32Array(places.length * 4) };
    const truth = { examples: { target, series: places.map((p) => p.name), origins: Int32Array.from(places, (p) => p.origin) }, scales };
    expect(forecastScoring(truth, {}).resampling).toEqual(resampling);
  });

  test('pools all known cells, however they fall on series', () => {
    const cells = { target: { type: 'vector' as const, width: 2, values: Float32Array.of(1, 2, 3, NaN, 5, 6) }, series: ['a', 'b', 'a'],
      origins: Int32Array.of(1, 1, 2) };
    const { mase, rmse } = run(spec, {
      truth: { task: 'forecast', examples: cells, scales: new Map([['a', 2], ['b', 4]]) },
      newcomer: { outputs: table(3, { value: vectors(2, [2, 2, 5, 0, 5, 8]) }) },
    });
    expect(mase!.value).toBeCloseTo((1 / 2 + 0 + 2 / 4 + 0 + 2 / 2) / 5, 12);
    expect(rmse!.value).toBeCloseTo(Math.sqrt((1 + 4 + 4) / 5), 12);
  });

  test('a different horizon cannot be compared, and the error says so', () => {
    expect(() => run(spec, { truth: { task: 'forecast', examples, scales },
      newcomer: { outputs: table(2, { value: vectors(3, [1, 1, 1, 1, 1, 1]) }) } }))
      .toThrow(/3 steps where 2/);
  });
});
