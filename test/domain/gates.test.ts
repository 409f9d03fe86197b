import { judge } from '../../src/domain/gates';
import type { GateSpec } from '../../src/domain/spec';
import type { MetricResult } from '../../src/domain/version';

const rmse: MetricResult = {
  metric: 'rmse', value: 0.412, better: 'lower', rows: 1612,
  baseline: { value: 0.701, gain: { value: 0.289, low: 0.25, high: 0.33, confidence: 0.95 } },
  champion: { value: 0.4, version: 'abc', gain: { value: -0.012, low: -0.03, high: 0.004, confidence: 0.95 } },
};
const first: MetricResult = { ...rmse, champion: undefined };
const decide = (gate: GateSpec, metrics: MetricResult[] = [rmse]): { passed: boolean; reason: string } => judge(metrics, [gate]).gates[0]!;

test('a gain over the baseline is told with its interval and rows', () => {
  expect(decide({ metric: 'rmse', against: 'baseline', min: 0 })).toEqual({
    gate: 'gain in rmse over the baseline at least 0', passed: true, rows: 1612,
    reason: 'rmse 0.412 beats the baseline\'s 0.701 by 0.289 [0.250, 0.330] on 1,612 rows',
  });
});

test('a loss to the champion is told as a loss, and what was asked', () => {
  expect(decide({ metric: 'rmse', against: 'champion', min: 0 })).toMatchObject({
    passed: false,
    reason: 'rmse 0.412 is worse than the champion\'s 0.400 by 0.012 [-0.004, 0.030] on 1,612 rows, but the gain must be at least 0 (short by 0.012)',
    rows: 1612, missedBy: expect.closeTo(0.012, 12),
  });
});

test('a tolerated loss passes', () => {
  expect(decide({ metric: 'rmse', against: 'champion', min: -0.02 }).passed).toBe(true);
});

test('without bounds a gain must not be a loss', () => {
  expect(decide({ metric: 'rmse', against: 'champion' }).passed).toBe(false);
  expect(decide({ metric: 'rmse', against: 'baseline' }).passed).toBe(true);
});

test('gates against a champion do not apply to a first version', () => {
  expect(decide({ metric: 'rmse', against: 'champion', min: 0 }, [first])).toMatchObject({ passed: true,
    reason: 'there is no champion to beat in rmse' });
});

test.each<[GateSpec, boolean]>([
  [{ metric: 'rmse', against: 'value', max: 0.5 }, true],
  [{ metric: 'rmse', against: 'value', max: 0.4 }, false],
  [{ metric: 'rmse', against: 'value', min: 0.412, max: 0.412 }, true],
  [{ metric: 'rmse', against: 'value', min: 0.5 }, false],
  [{ metric: 'rmse', against: 'value' }, true],
])('the value itself: %j is %s', (gate, passed) => {
  expect(decide(gate).passed).toBe(passed);
});

test('the reason of a value gate names the bound, and by how much it is missed', () => {
  expect(decide({ metric: 'rmse', against: 'value', max: 0.4 }).reason).toBe('rmse 0.412 is not at most 0.4 on 1,612 rows (over by 0.012)');
  expect(decide({ metric: 'rmse', against: 'value', min: 0.5 }).reason).toBe('rmse 0.412 is not at least 0.5 on 1,612 rows (short by 0.088)');
});

test.each<[string, MetricResult[], RegExp]>([
  ['a metric that was not measured', [], /mase was not measured/],
  ['an undefined metric', [{ ...first, metric: 'mase', value: NaN }], /mase is not defined/],
  ['an undefined metric that came through JSON', [{ ...first, metric: 'mase', value: null as unknown as number }], /mase is not defined/],
  ['a baseline that is missing', [{ metric: 'mase', value: 1, better: 'lower' }], /of the baseline is not known/],
  ['an undefined gain', [{ ...first, metric: 'mase',
    baseline: { value: NaN, gain: { value: NaN, low: NaN, high: NaN, confidence: 0.9 } } }], /of the baseline is not known/],
])('%s fails its gate and says so', (_, metrics, reason) => {
  expect(decide({ metric: 'mase', against: 'baseline', min: 0 }, metrics)).toMatchObject({ passed: false,
    reason: expect.stringMatching(reason) });
});

test('the verdict is one line: what refused it, or what it passed', () => {
  const gates: GateSpec[] = [{ metric: 'rmse', against: 'baseline', min: 0 }, { metric: 'rmse', against: 'value', max: 0.4 }];
  expect(judge([rmse], gates)).toMatchObject({ passed: false,
    reason: 'Refused by 1 of 2 gates: rmse 0.412 is not at most 0.4 on 1,612 rows (over by 0.012).' });
  expect(judge([rmse], gates.slice(0, 1))).toMatchObject({ passed: true,
    reason: expect.stringMatching(/^Passed its gate: rmse 0.412 beats/) });
  expect(judge([rmse], [])).toEqual({ passed: true, reason: 'There is no gate to pass.', gates: [] });
});
