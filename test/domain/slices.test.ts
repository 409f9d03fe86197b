import fc from 'fast-check';
import { evaluate, type Scored } from '../../src/domain/evaluate';
import { judge, worstSlices } from '../../src/domain/gates';
import { random } from '../../src/domain/random';
import { evaluateSlices, sliceConfidence, type Slice } from '../../src/domain/slices';
import type { GateSpec, ModelSpec } from '../../src/domain/spec';
import { takeColumn, takeRows, type Column, type Table } from '../../src/domain/table';
import type { GateResult, MetricResult, SliceResult, Verdict } from '../../src/domain/version';
import { embedding, forecast, regression } from './specs';

const OPTIONS = { resamples: 200, seed: 1, confidence: 0.95 };
const CITY = { column: 'city', minRows: 30 };
const notWorse = (over: Partial<GateSpec> = {}): GateSpec => ({ metric: 'rmse', against: 'champion', min: 0, slice: CITY, ...over });

const numbers = (values: ArrayLike<number>): Column => ({ type: 'number', values: Float64Array.from(values) });
const valued = (values: ArrayLike<number>): { outputs: Table } => ({ outputs: { rows: values.length, columns: { value: numbers(values) } } });

function normals(seed: number): () => number {
  const next = random(seed);
  return () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
}

/** Slices of a number of rows each, and predictors whose errors have these sizes on each. */
function cities(sizes: number[], of: { seed: number; newcomer?: number[]; champion?: number[] }): { scored: Scored; slices: Map<string, Slice[]> } {
  const normal = normals(of.seed);
  const slices: Slice[] = [];
  let rows = 0;
  sizes.forEach((size, i) => {
    slices.push({ name: `city = ${i}`, rows: Array.from({ length: size }, (_, row) => rows + row) });
    rows += size;
  });
  const errors = (scale?: number[]): Float64Array => Float64Array.from(sizes.flatMap((size, i) => Array.from({ length: size }, () => (scale?.[i] ?? 1) * normal())));
  return {
    scored: {
      truth: { task: 'regression', target: numbers(new Float64Array(rows)) },
      newcomer: valued(errors(of.newcomer)), champion: { ...valued(errors(of.champion)), version: 'c' }, baseline: valued(new Float64Array(rows).fill(3)),
    },
    slices: new Map([['column city', slices]]),
  };
}

function judged({ scored, slices }: ReturnType<typeof cities>, gates: GateSpec[]): Verdict & { slices: SliceResult[]; metrics: MetricResult[] } {
  const results = evaluateSlices(regression(), scored, { gates, slices }, OPTIONS);
  const metrics = evaluate(regression(), scored, OPTIONS);
  return { ...judge(metrics, gates, { slices: results }), slices: results, metrics };
}
const only = (verdict: Verdict): GateResult => verdict.gates[0]!;

test('a slice that is clearly worse refuses, by name, by how much, on how many rows, though the whole is better', () => {
  const verdict = judged(cities([200, 80, 200], { seed: 3, newcomer: [0.5, 3, 0.5] }), [notWorse()]);
  expect(verdict.metrics[0]!.champion!.gain.value).toBeLessThan(0.9);
  expect(verdict.passed).toBe(false);
  expect(only(verdict)).toMatchObject({ slice: 'city = 1', rows: 80, missedBy: expect.any(Number) });
  expect(only(verdict).missedBy).toBeCloseTo(-verdict.slices[1]!.metrics[0]!.champion!.gain.value, 12);
  expect(only(verdict).reason).toMatch(
    /^rmse for city = 1 [\d.]+ is worse than the champion's [\d.]+ by [\d.]+ \[[-\d.]+, [\d.]+\] on 80 rows: with 98.3% confidence the gain is at most -[\d.]+, and must be at least 0 \(short by [\d.]+\) \(fails on 1 of 3 slices by city\)$/);
  expect(only(verdict).gate).toBe('gain in rmse over the champion at least 0 by city unless with 95% confidence not');
});

test('a slice that only looks worse passes', () => {
  const verdict = judged(cities([60, 60], { seed: 5, newcomer: [1.05, 1.05] }), [notWorse()]);
  const losses = verdict.slices.filter(({ metrics }) => metrics[0]!.champion!.gain.value < 0);
  expect(losses.length).toBeGreaterThan(0);
  expect(verdict.passed).toBe(true);
  expect(only(verdict).reason).toMatch(/which may be chance \(with 97\.5% confidence\) \(on all 2 slices by city; this is the closest\)$/);
});

test('where doubt refuses, every slice must be proven', () => {
  const sample = cities([60, 60], { seed: 5, newcomer: [0.2, 1] });
  expect(judged(sample, [notWorse({ inDoubt: 'refuse' })]).passed).toBe(false);
  expect(judged(cities([60, 60], { seed: 5, newcomer: [0.2, 0.2] }), [notWorse({ inDoubt: 'refuse' })]).passed).toBe(true);
});

test('slices that are too small are said to be, and do not block', () => {
  const verdict = judged(cities([100, 29, 5], { seed: 4, newcomer: [1, 9, 9] }), [notWorse()]);
  expect(verdict.passed).toBe(true);
  expect(only(verdict).reason).toMatch(/; not judged: 2 slices with fewer than 30 rows$/);
  expect(verdict.slices.map(({ rows, metrics }) => [rows, metrics.length])).toEqual([[100, 1], [29, 0], [5, 0]]);
  const none = judged(cities([29, 5], { seed: 4, newcomer: [9, 9] }), [notWorse()]);
  expect(only(none)).toMatchObject({ passed: true, reason: 'rmse has no slice to be judged by city; not judged: 2 slices with fewer than 30 rows' });
});

test('there is no champion: change gates do not apply to slices either', () => {
  const sample = cities([100], { seed: 4, newcomer: [9] });
  const verdict = judged({ ...sample, scored: { ...sample.scored, champion: undefined } }, [notWorse()]);
  expect(only(verdict)).toMatchObject({ passed: true, reason: 'there is no champion to beat in rmse for city = 0' });
});

test('a champion that could not be scored is said once, and its gates do not apply', () => {
  const [rmse] = evaluate(regression(), { ...cities([100], { seed: 1 }).scored, champion: undefined }, OPTIONS);
  const unscored = { version: 'abc', reason: 'objects/ab/abc.onnx is not in the store' };
  expect(judge([rmse!], [{ metric: 'rmse', against: 'champion', min: 0 }], { unscored })).toMatchObject({
    passed: true,
    reason: 'Passed its gate: the champion could not be scored in rmse. The champion, abc, could not be scored: objects/ab/abc.onnx is not in the store.',
  });
});

test('absolute thresholds hold on slices with the same certainty', () => {
  const gate: GateSpec = { metric: 'rmse', against: 'value', max: 1.3, slice: CITY };
  const doubtful = judged(cities([200, 50], { seed: 11, newcomer: [1, 1.35] }), [gate]);
  expect(doubtful.slices[1]!.metrics[0]!.value).toBeGreaterThan(1.3);
  expect(doubtful.passed).toBe(true);
  const verdict = judged(cities([200, 200], { seed: 2, newcomer: [1, 2] }), [gate]);
  expect(only(verdict)).toMatchObject({ passed: false, slice: 'city = 1' });
  expect(only(verdict).reason).toMatch(/is not at most 1\.3 on 200 rows: with 97\.5% confidence it is at least 1\.\d+, and must be at most 1\.3 \(over by 0\.\d+\)/);
});

test('a metric that is not defined anywhere fails, one that is not defined on a slice says nothing there', () => {
  const gate: GateSpec = { metric: 'r2', against: 'value', min: 0.2, slice: CITY };
  const sample = cities([60, 60], { seed: 2 });
  expect(judged(sample, [gate]).gates[0]).toMatchObject({ passed: false, reason: 'r2 is not defined on these rows' });
  const truth = Float64Array.from({ length: 120 }, (_, i) => (i < 60 ? 5 : i));
  const scored: Scored = { truth: { task: 'regression', target: numbers(truth) }, newcomer: valued(truth.map((v, i) => v + (i % 2) / 10)) };
  expect(only(judged({ ...sample, scored }, [gate]))).toMatchObject({ passed: true, reason: expect.stringMatching(/; not judged: 1 slice on which it is not defined$/) });
});

test('a metric that was not measured fails its gate, sliced or not', () => {
  expect(judge([], [notWorse()]).gates[0]).toMatchObject({ passed: false, reason: 'rmse was not measured (there are no metrics)' });
});

test('two gates on one column share its slices, each with its own confidence and least number of rows', () => {
  const gates = [notWorse(), notWorse({ metric: 'mae', confidence: 0.8, slice: { column: 'city', minRows: 100 } })];
  const { slices } = judged(cities([200, 50], { seed: 2 }), gates);
  expect(slices).toHaveLength(2);
  expect(slices[0]!.metrics.map(({ metric }) => metric)).toEqual(['rmse', 'mae']);
  expect(slices[0]!.metrics[0]!.bounds!.map(({ confidence }) => confidence)).toEqual([sliceConfidence(gates[0]!, 2), sliceConfidence(gates[1]!, 1)]);
});

test('the worst slices of every gate are shown, a bounded number', () => {
  const sizes = Array<number>(40).fill(30);
  const scale = sizes.map((_, i) => (i === 17 ? 4 : 1));
  const gates = [notWorse(), notWorse({ metric: 'mae' })];
  const { slices } = judged(cities(sizes, { seed: 9, newcomer: scale }), gates);
  const shown = worstSlices(slices, gates, 8);
  expect(shown.length).toBeLessThanOrEqual(8);
  expect(shown[0]!.slice).toBe('city = 17');
});

test('a newcomer that is as good on every slice is refused as often as was asked, not more', () => {
  const [trials, refused] = [300, { slices: 0, points: 0 }];
  for (let seed = 1; seed <= trials; seed++) {
    const sample = cities(Array<number>(12).fill(30), { seed });
    const results = evaluateSlices(regression(), sample.scored, { gates: [notWorse()], slices: sample.slices }, OPTIONS);
    const [rmse] = evaluate(regression(), sample.scored, { ...OPTIONS, resamples: 2 });
    if (!judge([rmse!], [notWorse()], { slices: results }).passed) refused.slices++;
    if (results.some(({ metrics }) => metrics[0]!.champion!.gain.value < 0)) refused.points++;
  }
  // 7% on slices as small as these, and three standard errors; held against the estimates alone, nobody would pass.
  expect(refused.slices / trials).toBeLessThan(0.07 + 3 * Math.sqrt((0.07 * 0.93) / trials));
  expect(refused.points / trials).toBeGreaterThan(0.95);
});

test('a slice is scored as if it were all there is', () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 1e6 }), fc.integer({ min: 2, max: 60 }), (seed, size) => {
    const { scored, slices } = cities([size, 40], { seed });
    const gates = [notWorse({ slice: { column: 'city', minRows: 2 } })];
    const [first] = evaluateSlices(regression(), scored, { gates, slices }, OPTIONS);
    const { rows } = slices.get('column city')![0]!;
    const take = <P extends { outputs: Table }>(p: P): P => ({ ...p, outputs: takeRows(p.outputs, rows) });
    const target = takeColumn((scored.truth as { target: Column }).target, rows);
    const alone = { truth: { task: 'regression' as const, target }, newcomer: take(scored.newcomer), champion: take(scored.champion!), baseline: take(scored.baseline!) };
    const expected = evaluate(regression(), alone, { ...OPTIONS, metrics: ['rmse'], bounds: [sliceConfidence(gates[0]!, 2)] });
    expect(first).toEqual({ by: 'column city', slice: 'city = 0', rows: size, metrics: expected });
  }), { numRuns: 20 });
});

test('a slice of an embedding asks for its rows among all', () => {
  const vectors: Table = { rows: 6, columns: { vector: { type: 'vector', width: 2, values: Float32Array.of(1, 0, 1, 0.1, 0, 1, 0.1, 1, 1, 0.2, 0.2, 1) } } };
  const alike: Table = { rows: 6, columns: { kind: { type: 'category', values: ['a', 'a', 'b', 'c', 'c', 'b'] } } };
  const gates: GateSpec[] = [{ metric: 'recall@1', against: 'baseline', min: 0, slice: { where: 'x', minRows: 1 } }];
  const scoreOf = (rows: number[]): SliceResult =>
    evaluateSlices(embedding(), { truth: { task: 'embedding', alike }, newcomer: { outputs: vectors } }, { gates, slices: new Map([['where x', [{ name: 'x', rows }]]]) }, OPTIONS)[0]!;
  // 0's nearest is 1, alike; 3's is 2 and 4's is 1, both unlike.
  expect(scoreOf([0])).toMatchObject({ rows: 1, metrics: [{ value: 1 }] });
  expect(scoreOf([0, 3, 4])).toMatchObject({ rows: 3, metrics: [{ value: expect.closeTo(1 / 3, 12) }] });
});

test('a slice of a forecast holds the periods that it names', () => {
  const spec: ModelSpec = forecast({ horizon: 2 });
  const cell = (values: number[]): Column => ({ type: 'vector', width: 2, values: Float32Array.from(values) });
  const outputs = (values: number[]): Table => ({ rows: 3, columns: { value: cell(values) } });
  const scored: Scored = {
    truth: { task: 'forecast', examples: { target: cell([1, 2, 2, 3, 3, NaN]) as never, series: ['', '', ''], origins: Int32Array.of(5, 6, 7) }, scales: new Map([['', 1]]) },
    newcomer: { outputs: outputs([1, 4, 2, 6, 3, 0]) }, baseline: { outputs: outputs([0, 0, 0, 0, 0, 0]) },
  };
  const gates: GateSpec[] = [{ metric: 'mase', against: 'baseline', min: 0, slice: { where: 'x', minRows: 1 } }];
  const [slice] = evaluateSlices(spec, scored, { gates, slices: new Map([['where x', [{ name: 'x', rows: [1, 3] }]]]) }, OPTIONS);
  // Errors 2 and 3; the baseline's 2 and 3 as well.
  expect(slice).toMatchObject({ rows: 2, metrics: [{ metric: 'mase', value: 2.5, rows: 2, baseline: { value: 2.5, gain: { value: 0 } } }] });
});
