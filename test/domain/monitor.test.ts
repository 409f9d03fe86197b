import fc from 'fast-check';
import { judgeWindows, type Judged } from '../../src/domain/alerts';
import { boost, boosted } from '../../src/domain/boosting';
import { expectedLosses, fitClasses, fitLosses } from '../../src/domain/estimate';
import { observedHealth, type Health } from '../../src/domain/health';
import { isotonic, isotonicAt } from '../../src/domain/isotonic';
import { windowMetric } from '../../src/domain/judgeWindow';
import { liveMetrics, lossesOf, type Answers } from '../../src/domain/liveScores';
import type { AlertVerdict, Observed } from '../../src/domain/monitor';
import { distanceOf, usualDistance, windowDrift } from '../../src/domain/monitorDrift';
import { random } from '../../src/domain/random';
import type { Column } from '../../src/domain/table';
import { bounds, cut, partOf, usual } from '../../src/domain/thresholds';

const normal = (next: () => number): number => Math.sqrt(-2 * Math.log(next() || 1e-12)) * Math.cos(2 * Math.PI * next());
const mean = (of: ArrayLike<number>): number => Array.from(of).reduce((sum, x) => sum + x, 0) / of.length;
const numbers = (values: number[]): Column => ({ type: 'number', values: Float64Array.from(values) });

describe('alerts by M of N windows', () => {
  const windows = fc.array(fc.constantFrom<Judged>('in', 'out', undefined), { maxLength: 20 });
  const rule = fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 0, max: 5 })).map(([m, more]) => ({ m, n: m + more }));

  it('are raised exactly when so many of the newest with a verdict are out, and cleared when as many in a row are in', () => {
    fc.assert(fc.property(windows, rule, (of, { m, n }) => {
      // As it is said, one window at a time from the newest.
      const known = of.filter((w) => w !== undefined).reverse();
      let out = 0;
      for (let i = 0; i < Math.min(n, known.length); i++) if (known[i] === 'out') out++;
      let row = 0;
      while (row < known.length && known[row] === 'in') row++;
      const expected = known.length < m ? 'no verdict' : out >= m ? 'raise' : row >= m ? 'clear' : 'hold';
      expect(judgeWindows(of, { m, n })).toMatchObject({ verdict: expected, breached: out });
    }));
  });

  it('have no verdict of fewer windows than are asked for', () => {
    expect(judgeWindows(['out', undefined, 'out'], { m: 3, n: 5 })).toEqual({ verdict: 'no verdict', breached: 2, of: 2 });
  });
});

describe('what is usual', () => {
  it('adds up as a plain mean and variance do, whatever is missing', () => {
    fc.assert(fc.property(fc.array(fc.oneof(fc.double({ min: -1e3, max: 1e3, noNaN: true }), fc.constant(NaN))), (losses) => {
      const known = losses.filter((x) => !Number.isNaN(x));
      const { rows, mean: m, variance } = partOf(losses);
      expect(rows).toBe(known.length);
      if (rows === 0) return;
      expect(m).toBeCloseTo(mean(known), 6);
      if (rows > 1) expect(variance).toBeCloseTo(known.reduce((sum, x) => sum + (x - mean(known)) ** 2, 0) / (rows - 1), 3);
      expect(cut(losses, 3).reduce((sum, p) => sum + p.rows, 0)).toBe(rows);
    }));
  });

  it.each([30, 100, 400])('holds at least 988 of 1,000 windows of %i rows within its bounds, though it was learned from windows of 100', (size) => {
    const next = random(size);
    // Days differ by 0.1, rows by 1.
    const day = (rows: number) => { const shift = 0.1 * normal(next); return Array.from({ length: rows }, () => 5 + shift + normal(next)); };
    const learned = usual(Array.from({ length: 200 }, () => partOf(day(100))))!;
    expect(Math.sqrt(learned.between)).toBeCloseTo(0.1, 1);
    const { lower, upper } = bounds(learned, { rows: size, deviations: 3, range: [0, Infinity] });
    const outside = Array.from({ length: 1_000 }, () => mean(day(size))).filter((m) => m < lower || m > upper).length;
    expect(outside).toBeLessThan(12);
    expect((upper - lower) / (6 * Math.sqrt(0.01 + 1 / size))).toBeCloseTo(1, 0);
  });

  it('stays within the range of the metric, and only the worse side is out of bounds', () => {
    const [accuracy] = liveMetrics('classification');
    const known = usual([{ rows: 50, mean: 0.99, variance: 0.01 }, { rows: 50, mean: 0.97, variance: 0.03 }])!;
    expect(bounds(known, { rows: 50, deviations: 3, range: accuracy!.range }).upper).toBe(1);
    const judged = (m: number) => windowMetric(accuracy!, { rows: 50, mean: m, variance: 0.02 }, { kind: 'measured', usual: known, deviations: 3 });
    expect([judged(0.7).breached, judged(1).breached]).toEqual([true, false]);
    expect(judged(0.7)).toMatchObject({ value: 0.7, threshold: expect.any(Number), rows: 50 });
    expect(usual([{ rows: 50, mean: 1, variance: 0 }])).toBeUndefined();
  });
});

describe('isotonic regression', () => {
  it('is the least-squares fit among functions that never fall, as the min-max formula has it', () => {
    fc.assert(fc.property(fc.array(fc.double({ min: -5, max: 5, noNaN: true }), { minLength: 1, maxLength: 12 }), (y) => {
      const fitted = isotonic(y.map((_, i) => i), y);
      y.forEach((_, i) => {
        // max over starts of min over ends of the means (Robertson, Wright & Dykstra, 1988).
        const expected = Math.max(...Array.from({ length: i + 1 }, (__, s) => Math.min(...Array.from({ length: y.length - i }, (___, e) => mean(y.slice(s, i + e + 1))))));
        expect(isotonicAt(fitted, i)).toBeCloseTo(expected, 8);
      });
    }));
  });
});

describe('boosted trees', () => {
  it('learn a step and an interaction, give the mean where there is nothing to learn, and the same each time', () => {
    const next = random(1);
    const [a, b] = [Float64Array.from({ length: 3_000 }, next), Float64Array.from({ length: 3_000 }, (_, i) => (i % 7 === 0 ? NaN : next()))];
    const target = a.map((x, i) => (x > 0.5 ? 3 : 0) + (x > 0.5 && b[i]! > 0.5 ? 2 : 0) + (Number.isNaN(b[i]!) ? 1 : 0));
    const trees = boost([a, b], target);
    const error = boosted(trees, [a, b]).map((x, i) => (x - target[i]!) ** 2);
    expect(mean(error)).toBeLessThan(0.05);
    expect(JSON.stringify(boost([a, b], target))).toBe(JSON.stringify(trees));
    expect(boosted(boost([a], new Float64Array(3_000).fill(4)), [Float64Array.of(0, NaN, 9)])).toEqual(Float64Array.of(4, 4, 4));
    expect([...boosted(boost([Float64Array.of(1, 2)], Float64Array.of(1, 3)), [Float64Array.of(5)])]).toEqual([2]);
  });

  it('do not depend on how a feature is scaled', () => {
    const next = random(2);
    const x = Float64Array.from({ length: 500 }, next);
    const target = x.map((v) => Math.sin(6 * v));
    const [plain, scaled] = [x, x.map((v) => Math.exp(3 * v))].map((f) => boosted(boost([f], target), [f]));
    expect([...plain!]).toEqual([...scaled!]);
  });
});

/** Logits of two classes; what is true follows from them, as `sharpness` times as sure as they say. */
function classes(rows: number, of: { seed: number; shift?: number; sharpness?: number }): { answers: Answers; truth: string[] } {
  const next = random(of.seed);
  const logits = Array.from({ length: rows }, () => (of.shift ?? 0) + 2 * normal(next));
  const said = logits.map((z) => 1 / (1 + Math.exp(-z)));
  const truth = logits.map((z) => (next() < 1 / (1 + Math.exp(-z * (of.sharpness ?? 1))) ? 'b' : 'a'));
  const answers: Answers = { rows, label: said.map((p) => (p > 0.5 ? 'b' : 'a')), probability: Float64Array.from(said, (p) => Math.max(p, 1 - p)), probabilities: Float64Array.from(said.flatMap((p) => [1 - p, p])) };
  return { answers, truth };
}

describe('an estimate without outcomes', () => {
  const scale = { scale: 'linear', classes: ['a', 'b'] } as const;

  it.each([['sure as it should be', 1], ['far too sure', 0.3]])('of classes follows rows that moved, of a model that is %s', (_what, sharpness) => {
    const reference = classes(8_000, { seed: 1, sharpness });
    const moved = classes(8_000, { seed: 2, sharpness, shift: 3 });
    for (const whole of [true, false]) {
      const only = (a: Answers): Answers => (whole ? a : { rows: a.rows, label: a.label, probability: a.probability });
      const estimator = fitClasses(only(reference.answers), reference.truth, ['a', 'b'])!;
      const measured = mean(lossesOf('accuracy', moved.answers, moved.truth, scale)!);
      expect(Math.abs(measured - mean(lossesOf('accuracy', reference.answers, reference.truth, scale)!))).toBeGreaterThan(0.02);
      expect(mean(expectedLosses(estimator, 'accuracy', { answers: only(moved.answers), features: [] })!)).toBeCloseTo(measured, 1);
      const loss = expectedLosses(estimator, 'log_loss', { answers: only(moved.answers), features: [] });
      if (whole) expect(Math.abs(mean(loss!) / mean(lossesOf('log_loss', moved.answers, moved.truth, scale)!) - 1)).toBeLessThan(0.1);
      else expect(loss).toBeUndefined();
    }
  });

  it('of numbers follows rows that moved to where the errors are larger', () => {
    const next = random(3);
    const make = (from: number) => {
      const x = Float64Array.from({ length: 4_000 }, () => from + next() * (1 - from));
      return { x, value: x, truth: Array.from(x, (v) => v + v * normal(next)) };
    };
    const [reference, moved] = [make(0), make(0.6)];
    const losses = (of: typeof reference, metric: 'mae' | 'rmse') => lossesOf(metric, { rows: of.x.length, value: of.value }, of.truth, scale)!;
    const estimator = fitLosses([reference.x], losses(reference, 'mae'));
    for (const metric of ['mae', 'rmse'] as const) {
      const estimated = mean(expectedLosses(estimator, metric, { answers: { rows: moved.x.length, value: moved.value }, features: [moved.x] })!);
      expect(mean(losses(moved, metric))).toBeGreaterThan(1.4 * mean(losses(reference, metric)));
      expect(Math.abs(estimated / mean(losses(moved, metric)) - 1)).toBeLessThan(0.08);
    }
  });

  it('of numbers with a few very large errors is of as many as there are', () => {
    const next = random(6);
    const make = (from: number) => {
      const x = Float64Array.from({ length: 6_000 }, () => from + next() * (1 - from));
      // Errors of a lognormal's tail: the largest of thousands are a good part of the sum of their squares.
      return { x, value: x, truth: Array.from(x, (v) => v + (0.2 + v) * Math.exp(1.2 * normal(next))) };
    };
    const root = (squares: Float64Array) => Math.sqrt(mean(squares));
    const [reference, moved] = [make(0), make(0.6)];
    const answers = (of: typeof reference): Answers => ({ rows: of.x.length, value: of.value });
    const estimator = fitLosses([reference.x], lossesOf('mae', answers(reference), reference.truth, scale)!);
    const estimated = root(expectedLosses(estimator, 'rmse', { answers: answers(moved), features: [moved.x] })!);
    expect(Math.abs(estimated / root(lossesOf('rmse', answers(moved), moved.truth, scale)!) - 1)).toBeLessThan(0.12);
  });

  it('is not given where the answers do not allow it', () => {
    expect(fitClasses({ rows: 2, label: ['a', 'b'] }, ['a', 'b'], ['a', 'b'])).toBeUndefined();
    expect(expectedLosses(fitLosses([], new Float64Array()), 'mae', { answers: { rows: 0 }, features: [] })).toBeUndefined();
    expect(lossesOf('mae', { rows: 1, label: ['a'] }, [1], scale)).toBeUndefined();
  });
});

describe('drift of a window', () => {
  it('is told where the values moved, and not where windows of the reference differ as much', () => {
    const next = random(4);
    // Weeks: the values of a window lie where its season has them.
    const reference = numbers(Array.from({ length: 3_000 }, (_, i) => Math.sin(i / 300) + 0.3 * normal(next)));
    const of = { size: 200, deviations: 3, against: 5_000 };
    const bound = usualDistance(reference, of)!;
    const season = numbers(Array.from({ length: 200 }, () => 0.9 + 0.3 * normal(next)));
    const moved = numbers(Array.from({ length: 200 }, () => 4 + 0.3 * normal(next)));
    expect(windowDrift('x', { reference, current: season }, { bound: undefined, minRows: 30 }).verdict).toBe('drifted');
    expect(windowDrift('x', { reference, current: season }, { bound, minRows: 30 })).toMatchObject({ verdict: 'stable', reason: expect.stringMatching(/no further than windows of the reference/) });
    const shuffledBound = usualDistance(numbers(Array.from({ length: 3_000 }, () => normal(next))), of)!;
    expect(windowDrift('x', { reference, current: moved }, { bound: shuffledBound, minRows: 30 })).toMatchObject({ verdict: 'drifted', distance: expect.any(Number) });
    expect(windowDrift('x', { reference, current: numbers([9, 9]) }, { bound, minRows: 30 }).verdict).toBe('no verdict');
    expect(windowDrift('d', { reference: { type: 'date', values: Float64Array.of(1) }, current: { type: 'date', values: Float64Array.of(9) } }, { bound, minRows: 1 }).verdict).toBe('no verdict');
  });

  it('is not seen where nothing moved, of many categories as of few, and is where they moved', () => {
    const out = { unmoved: [] as boolean[], moved: [] as boolean[] };
    for (const [seed, categories] of [5, 6, 7, 8].flatMap((s) => [10, 100, 400].map((c) => [s, c] as const))) {
      const next = random(seed);
      // Some are frequent, most are rare.
      const sample = (rows: number, skew: number): Column => ({ type: 'category', values: Array.from({ length: rows }, () => `c${Math.floor(categories * next() ** skew)}`) });
      const reference = sample(2_400, 3);
      const bound = usualDistance(reference, { size: 400, deviations: 3, against: 5_000 })!;
      for (let i = 0; i < 30; i++) {
        out.unmoved.push(distanceOf(reference, sample(400, 3))! > bound);
        out.moved.push(distanceOf(reference, sample(400, 1.5))! > bound);
      }
    }
    expect(mean(out.unmoved.map(Number))).toBeLessThan(0.05);
    expect(mean(out.moved.map(Number))).toBeGreaterThan(0.9);
  });

  it('has a distance between 0 and 1 that is 0 of equal samples and 1 of samples apart', () => {
    fc.assert(fc.property(fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1 }), fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1 }), (a, b) => {
      const category = (v: number[]): Column => ({ type: 'category', values: v.map(String) });
      for (const make of [numbers, category]) {
        const distance = distanceOf(make(a), make(b))!;
        expect(distance).toBeGreaterThanOrEqual(0);
        expect(distance).toBeLessThanOrEqual(1 + 1e-12);
        expect(distanceOf(make(a), make(a))).toBeCloseTo(0, 6);
        expect(distanceOf(make(a), make(a.map((x) => x + 100)))).toBeCloseTo(1, 9);
      }
    }));
  });
});

describe('the health of a chain', () => {
  const seen = (at: number, alerts: Partial<AlertVerdict>[]): Observed => ({
    chain: 'c', release: 1, at: new Date(at).toISOString(), reference: { kind: 'holdout', rows: 9, windows: 3, method: 'm' }, alert: { m: 2, n: 3 }, windows: [], drift: [], releases: [], stages: [], slices: [], notes: [],
    alerts: alerts.map((a) => ({ subject: 's', kind: 'drift', verdict: 'clear', breached: 0, of: 3, reason: 'so', models: [], ...a })),
  });

  it('tells each alert once and each recovery once, whatever is told twice or late', () => {
    const step = fc.record({ drift: fc.constantFrom('raise', 'clear', 'hold', 'no verdict'), worse: fc.constantFrom('raise', 'clear', 'hold', 'no verdict'), again: fc.boolean() });
    fc.assert(fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      let health: Health | undefined;
      const told: string[] = [];
      const raised = { drift: false, degraded: false };
      const expected: string[] = [];
      steps.forEach(({ drift, worse, again }, i) => {
        const look = seen(i + 1, [{ subject: 'input x', verdict: drift as 'raise' }, { subject: 'metric mae', kind: 'degraded', verdict: worse as 'raise' }]);
        for (const each of again ? [look, look, seen(0, [{ subject: 'input x', verdict: 'raise' }])] : [look]) {
          const next = observedHealth(health, each);
          health = next.health;
          told.push(...next.changes.map(({ type, subjects }) => (type === 'recovered' ? `recovered ${subjects[0]}` : type)));
        }
        for (const [kind, verdict] of [['degraded', worse], ['drift', drift]] as const) {
          if (verdict === 'raise' && !raised[kind]) expected.push(kind);
          if (verdict === 'clear' && raised[kind]) expected.push(`recovered ${kind}`);
          if (verdict === 'raise' || verdict === 'clear') raised[kind] = verdict === 'raise';
        }
        const judged = drift !== 'no verdict' || worse !== 'no verdict';
        expect(health!.state).toBe(raised.degraded ? 'degraded' : raised.drift ? 'drift' : judged ? 'ok' : 'no verdict');
      });
      expect(told).toEqual(expected);
    }));
  });

  it('asks for the models that a new alert concerns, and says since when', () => {
    const first = observedHealth(undefined, seen(1, [{ subject: 'input x', verdict: 'raise', models: ['a', 'b'] }]));
    expect(first.changes).toEqual([{ type: 'drift', reason: 'so', models: ['a', 'b'], subjects: ['input x'] }]);
    const second = observedHealth(first.health, seen(2, [{ subject: 'input x', verdict: 'raise', models: ['a', 'b'] }, { subject: 'input y', verdict: 'raise', models: ['c'] }]));
    expect(second.changes).toEqual([{ type: 'drift', reason: 'so', models: ['c'], subjects: ['input y'] }]);
    expect(second.health).toMatchObject({ state: 'drift', since: first.health.since });
  });
});
