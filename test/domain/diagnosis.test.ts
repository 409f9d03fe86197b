import fc from 'fast-check';
import { evaluate } from '../../src/domain/evaluate';
import { diagnose } from '../../src/domain/diagnosis';
import { diagnoseEmbedding } from '../../src/domain/diagnosis-embedding';
import { diagnoseRegression, histogram } from '../../src/domain/diagnosis-regression';
import { wilson } from '../../src/domain/proportion';
import type { ClassificationSpec } from '../../src/domain/spec';
import { FORECAST_SPEC, forecastDiagnosis } from '../report/data';

const numbers = (values: ArrayLike<number>) => ({ type: 'number' as const, values: Float64Array.from(values) });

describe('a share', () => {
  // Newcombe (1998), "Two-sided confidence intervals for the single proportion", table I, method 3.
  it.each([[81, 263, 0.2553, 0.3662], [15, 148, 0.0624, 0.1605], [0, 20, 0, 0.1611], [1, 29, 0.0061, 0.1718]])('%d of %d has Wilson\'s interval', (k, n, low, high) => {
    const interval = wilson(k, n);
    expect(interval.low).toBeCloseTo(low, 4);
    expect(interval.high).toBeCloseTo(high, 4);
  });
});

describe('a histogram', () => {
  it('holds every value once, in bins of equal width from the smallest to the largest', () => {
    fc.assert(fc.property(fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 300 }), (values) => {
      const { edges, counts } = histogram(Float64Array.from(values));
      expect(counts.reduce((a, b) => a + b, 0)).toBe(values.length);
      expect(edges).toHaveLength(counts.length + 1);
      // Of -0 and 0 either will do.
      expect(edges[0]! + 0).toBe(Math.min(...values) + 0);
      expect(edges[edges.length - 1]).toBeCloseTo(Math.max(...values), 6);
      expect(counts.length).toBeLessThanOrEqual(40);
    }));
  });
});

describe('a regression\'s diagnosis', () => {
  const truth = Float64Array.from({ length: 500 }, (_, i) => (i % 50 === 0 ? NaN : i + 1));
  const value = truth.map((_, i) => i + 2);
  const outputs = { rows: 500, columns: { value: numbers(value), low: numbers(value.map((v) => v - 2)), high: numbers(value.map((v, i) => (i < 250 ? v + 2 : v - 1.5))) } };
  const d = diagnoseRegression({ target: 'y', scale: 'linear', interval: 0.8, seed: 1 }, { truth, outputs })!;

  it('leaves out rows without a truth, and says the error as truth less prediction', () => {
    expect([d.rows, d.points.length]).toEqual([490, 490]);
    expect([d.residuals.mean, d.residuals.median]).toEqual([-1, 1]);
  });

  it('puts every row into one group, ordered by prediction, with its share within the interval', () => {
    expect(d.groups).toHaveLength(10);
    expect(d.groups.reduce((sum, g) => sum + g.rows, 0)).toBe(490);
    d.groups.forEach((g, i) => expect(g.from).toBeGreaterThanOrEqual(d.groups[i - 1]?.to ?? -Infinity));
    expect(d.groups.map((g) => g.covered!.value)).toEqual([1, 1, 1, 1, 1, 0, 0, 0, 0, 0]);
  });

  it('is nothing without a single truth', () => {
    expect(diagnoseRegression({ target: 'y', scale: 'log10', interval: 0.8, seed: 1 }, { truth: Float64Array.of(-1, NaN), outputs: { rows: 2, columns: { value: numbers([1, 1]) } } })).toBeUndefined();
  });
});

describe('a classification\'s diagnosis', () => {
  it('is calibrated as badly as the metric says, and right as often', () => {
    fc.assert(fc.property(fc.array(fc.record({ truth: fc.constantFrom('a', 'b', 'c'), said: fc.constantFrom('a', 'b', 'c'), p: fc.double({ min: 0.34, max: 1, noNaN: true }) }), { minLength: 1, maxLength: 200 }), (rows) => {
      const classes = ['a', 'b', 'c'];
      const predictions = { classes, outputs: { rows: rows.length, columns: {
        label: { type: 'category' as const, values: rows.map((r) => r.said) }, probability: numbers(rows.map((r) => r.p)),
        probabilities: { type: 'vector' as const, width: 3, values: Float32Array.from(rows.flatMap((r) => classes.map((c) => (c === r.said ? r.p : (1 - r.p) / 2)))) },
      } } };
      const spec = { task: 'classification', name: 'm', target: 't' } as ClassificationSpec;
      const truth = { task: 'classification' as const, target: { type: 'category' as const, values: rows.map((r) => r.truth) } };
      const d = diagnose(spec, { truth, predictions });
      if (d?.task !== 'classification') throw new Error();
      const metrics = new Map(evaluate(spec, { truth, newcomer: predictions }, { resamples: 1, seed: 1, confidence: 0.95 }).map((m) => [m.metric, m.value]));
      const gap = d.reliability.reduce((sum, b) => sum + Math.abs(b.said - b.right.value) * b.rows, 0) / d.rows;
      expect(gap).toBeCloseTo(metrics.get('calibration_error')!, 9);
      expect(d.accuracy).toBeCloseTo(metrics.get('accuracy')!, 9);
      expect(d.confusion.flat().reduce((a, b) => a + b, 0)).toBe(rows.length);
    }));
  });
});

describe('an embedding\'s diagnosis', () => {
  it('counts how often alike rows are nearer, as a comparison of all pairs does', () => {
    const vectors = [[1, 0], [0.9, 0.1], [0.2, 1], [0, 1], [0.7, 0.7], [1, 0.4]];
    const groups = ['x', 'x', 'y', 'y', 'x', null];
    const cosine = (a: number[], b: number[]) => (a[0]! * b[0]! + a[1]! * b[1]!) / Math.hypot(...a) / Math.hypot(...b);
    const near: number[] = [];
    const far: number[] = [];
    for (let i = 0; i < 5; i++) for (let j = i + 1; j < 5; j++) (groups[i] === groups[j] ? near : far).push(cosine(vectors[i]!, vectors[j]!));
    const wins = near.flatMap((n) => far.map((f) => (n > f ? 1 : n === f ? 0.5 : 0)));
    const d = diagnoseEmbedding({ rows: 6, columns: { g: { type: 'category', values: groups } } }, { rows: 6, columns: { vector: { type: 'vector', width: 2, values: Float32Array.from(vectors.flat()) } } }, 1)!;
    expect(d.separation).toBeCloseTo(wins.reduce<number>((a, b) => a + b, 0) / wins.length, 6);
    expect(d.rows).toBe(5);
    expect([d.alike, d.others].map((counts) => counts.reduce((a, b) => a + b, 0))).toEqual([near.length, far.length]);
  });

  it('is nothing where no two rows are alike', () => {
    expect(diagnoseEmbedding({ rows: 2, columns: { g: { type: 'category', values: ['x', 'y'] } } }, { rows: 2, columns: { vector: { type: 'vector', width: 1, values: Float32Array.of(1, 2) } } }, 1)).toBeUndefined();
  });
});

describe('a forecast\'s diagnosis', () => {
  const d = forecastDiagnosis();
  if (d.task !== 'forecast') throw new Error();

  it('forecasts every period of the holdout once, each from the end of the forecast before', () => {
    for (const { truth, forecasts } of d.series) {
      expect(forecasts.flatMap((f) => f.periods.map((p) => p.period))).toEqual(truth.map((p) => p.period));
      for (const { origin, periods } of forecasts) {
        expect(periods[0]!.period).toBe(origin);
        expect(periods.length).toBeLessThanOrEqual(FORECAST_SPEC.horizon);
      }
    }
    expect(d.series.map((s) => s.name)).toEqual(['east', 'west']);
  });

  it('adds up to the metrics over its steps', () => {
    expect(d.steps.map((s) => s.step)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(d.steps.reduce((sum, s) => sum + s.rows, 0)).toBe(d.rows);
    expect(d.steps.every((s) => s.baseline! > s.error)).toBe(true);
  });
});
