import fc from 'fast-check';
import { boundsOf } from '../../src/domain/bootstrap';
import { judge } from '../../src/domain/gates';
import type { GateSpec } from '../../src/domain/spec';
import type { Bound, GateResult, MetricResult } from '../../src/domain/version';

const CONFIDENCES = [0.8, 0.9, 0.95, 0.99];
const number = fc.double({ min: -10, max: 10, noNaN: true });

/** A metric with a gain over both others, and honest bounds of all. */
const metrics = fc.record({ value: number, gain: number, spread: fc.double({ min: 0, max: 5, noNaN: true }) }).map(({ value, gain, spread }): MetricResult => {
  const resampled = (around: number): Float64Array => Float64Array.from({ length: 50 }, (_, i) => around + spread * Math.sin(i));
  const bounds = (around: number): Bound[] => boundsOf({ value: around, resampled: resampled(around) }, { confidences: CONFIDENCES, resampling: { kind: 'units', count: 40 } });
  const over = { value: value - gain, gain: { value: gain, low: gain - spread, high: gain + spread, confidence: 0.95, bounds: bounds(gain) } };
  return { metric: 'm', value, better: 'higher', rows: 40, bounds: bounds(value), baseline: over, champion: { ...over, version: 'c' } };
});
const against = fc.constantFrom<GateSpec['against']>('value', 'baseline', 'champion');
const limits = fc.oneof(fc.record({ min: number }), fc.record({ max: number }), fc.tuple(number, number).map(([a, b]) => ({ min: Math.min(a, b), max: Math.max(a, b) })));
const gates = fc.record({ against, limits }).map(({ against: who, limits: l }): GateSpec => ({ metric: 'm', against: who, ...l }));

const decide = (metric: MetricResult, gate: GateSpec): GateResult => judge([metric], [gate]).gates[0]!;
const judgedNumber = (metric: MetricResult, gate: GateSpec): number => (gate.against === 'value' ? metric.value : metric[gate.against]!.gain.value);

test('without a confidence a gate passes exactly when the estimate lies within its bounds', () => {
  fc.assert(fc.property(metrics, gates, (metric, gate) => {
    const at = judgedNumber(metric, gate);
    expect(decide(metric, gate).passed).toBe(at >= (gate.min ?? -Infinity) && at <= (gate.max ?? Infinity));
  }));
});

test('what surely holds passes, and what passes is not surely wrong', () => {
  fc.assert(fc.property(metrics, gates, fc.constantFrom(...CONFIDENCES), (metric, gate, confidence) => {
    const [strict, plain, lenient] = [
      decide(metric, { ...gate, confidence }).passed, decide(metric, gate).passed, decide(metric, { ...gate, confidence, inDoubt: 'pass' }).passed,
    ];
    if (strict) expect(plain).toBe(true);
    if (plain) expect(lenient).toBe(true);
  }));
});

test('more confidence makes it harder to pass where doubt refuses, and harder to refuse where doubt passes', () => {
  fc.assert(fc.property(metrics, gates, fc.integer({ min: 1, max: CONFIDENCES.length - 1 }), (metric, gate, i) => {
    const [less, more] = [CONFIDENCES[i - 1]!, CONFIDENCES[i]!];
    if (decide(metric, { ...gate, confidence: more }).passed) expect(decide(metric, { ...gate, confidence: less }).passed).toBe(true);
    if (!decide(metric, { ...gate, confidence: more, inDoubt: 'pass' }).passed) expect(decide(metric, { ...gate, confidence: less, inDoubt: 'pass' }).passed).toBe(false);
  }));
});

test('a refusal says by how much, on how many rows; the bound moved by that much passes', () => {
  fc.assert(fc.property(metrics, gates, fc.constantFrom(undefined, ...CONFIDENCES), (metric, gate, confidence) => {
    const asked = { ...gate, confidence };
    const { passed, missedBy, rows, reason } = decide(metric, asked);
    if (passed) return;
    expect(missedBy).toBeGreaterThan(0);
    expect(rows).toBe(40);
    expect(reason).toMatch(/on 40 rows.*\((short|over) by /);
    const slack = missedBy! * (1 + 1e-9) + 1e-9;
    const eased = { ...asked, min: gate.min === undefined ? undefined : gate.min - slack, max: gate.max === undefined ? undefined : gate.max + slack };
    expect(decide(metric, eased).passed).toBe(true);
  }));
});

test('without a champion its gates pass, whatever they ask; those on the baseline and the value do not care', () => {
  fc.assert(fc.property(metrics, gates, fc.constantFrom(undefined, ...CONFIDENCES), (metric, gate, confidence) => {
    const alone = { ...metric, champion: undefined };
    const asked = { ...gate, confidence };
    expect(decide(alone, asked).passed).toBe(gate.against === 'champion' || decide(metric, asked).passed);
  }));
});

test('a verdict is the same after a payload', () => {
  fc.assert(fc.property(metrics, gates, fc.constantFrom(undefined, ...CONFIDENCES), (metric, gate, confidence) => {
    const asked = [{ ...gate, confidence }];
    expect(judge(JSON.parse(JSON.stringify([metric])) as MetricResult[], asked)).toEqual(judge([metric], asked));
  }));
});
