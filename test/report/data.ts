import { diagnose } from '../../src/domain/diagnosis';
import { random } from '../../src/domain/random';
import { naiveScales, type SeriesSet } from '../../src/domain/series';
import type { ClassificationSpec, EmbeddingSpec, ForecastSpec, RegressionSpec } from '../../src/domain/spec';
import { examplesAt } from '../../src/domain/examples';
import type { MetricResult } from '../../src/domain/version';
import type { ReleaseReportData, VersionReportData } from '../../src/report';

/** Reports with every part there is, from made-up numbers that are the same every time. */

export const HOSTILE = '</title><script>alert(1)</script>" onload=\'alert(2)\' <img src=x onerror=alert(3)> & \u202egnp\u0000';

const next = random(7);
const normal = (): number => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
const numbers = (values: ArrayLike<number>) => ({ type: 'number' as const, values: Float64Array.from(values) });

const metric = (name: string, better: 'higher' | 'lower', of: { value: number; baseline: number; champion: number }): MetricResult => {
  const gain = (other: number) => {
    const value = better === 'higher' ? of.value - other : other - of.value;
    return { value, low: value - 0.02, high: value + 0.02, confidence: 0.95 };
  };
  return {
    metric: name, value: of.value, better, rows: 800,
    baseline: { value: of.baseline, gain: gain(of.baseline) }, champion: { value: of.champion, gain: gain(of.champion), version: 'a1b2c3d4e5f6' },
  };
};

export const METRICS: MetricResult[] = [
  metric('rmse', 'lower', { value: 0.548, baseline: 0.977, champion: 0.561 }),
  metric('r2', 'higher', { value: 0.686, baseline: -0.0001, champion: 0.72 }),
  { metric: 'coverage', value: 0.816, better: 'higher', rows: 800 },
];

function regressionDiagnosis() {
  const truth = Float64Array.from({ length: 2_600 }, () => 10 ** (6 + normal()));
  const value = truth.map((y) => y * 10 ** (0.4 * normal()));
  const spec = { task: 'regression', target: 'worldwide_gross', scale: 'log10', interval: 0.8, seed: 1 } as RegressionSpec;
  return diagnose(spec, {
    truth: { task: 'regression', target: numbers(truth) },
    predictions: { outputs: { rows: truth.length, columns: { value: numbers(value), low: numbers(value.map((v) => v / 3.3)), high: numbers(value.map((v) => v * 3.3)) } } },
  })!;
}

export function classificationDiagnosis(classes: string[], rows = 900) {
  const pick = (): number => Math.min(classes.length - 1, Math.floor(next() ** 2 * classes.length));
  const truth = Array.from({ length: rows }, pick);
  const said = truth.map((t) => (next() < 0.6 ? t : pick()));
  const probability = truth.map((t, i) => (said[i] === t ? 0.5 : 0.3) + 0.45 * next());
  const probabilities = Float32Array.from({ length: rows * classes.length }, (_, i) => {
    const [row, k] = [Math.floor(i / classes.length), i % classes.length];
    return k === said[row] ? probability[row]! : (1 - probability[row]!) / (classes.length - 1);
  });
  return diagnose({ task: 'classification', target: 'genre', seed: 1 } as ClassificationSpec, {
    truth: { task: 'classification', target: { type: 'category', values: truth.map((t) => classes[t]!) } },
    predictions: {
      classes,
      outputs: { rows, columns: {
        label: { type: 'category', values: said.map((t) => classes[t]!) }, probability: numbers(probability), probabilities: { type: 'vector', width: classes.length, values: probabilities },
      } },
    },
  })!;
}

export const FORECAST_SPEC = {
  name: 'market', task: 'forecast', target: 'gross', frequency: 'month', horizon: 6, context: 12, season: 12, interval: 0.8, scale: 'linear', inputs: [], seed: 1, series: 'shop',
} as unknown as ForecastSpec;

export function forecastDiagnosis() {
  const values = (shift: number) => Float64Array.from({ length: 84 }, (_, i) => 100 + shift + i + 30 * Math.sin((2 * Math.PI * i) / 12) + 5 * normal());
  const names = ['east', 'west'];
  const set: SeriesSet = {
    frequency: 'month', unplaced: 0,
    series: new Map(names.map((name, n) => [name, { name, first: 400, end: 484, values: values(50 * n), known: {} }])),
  };
  const places = names.flatMap((name) => Array.from({ length: 24 }, (_, i) => ({ name, origin: 460 + i })));
  const examples = examplesAt(set, FORECAST_SPEC, { series: places.map((p) => p.name), origins: places.map((p) => p.origin) });
  const { width } = examples.target;
  const value = examples.target.values.map((y, i) => (Number.isNaN(y) ? 120 : y) + 6 * normal() + (i % width));
  const column = (of: Float32Array) => ({ type: 'vector' as const, width, values: of });
  return diagnose(FORECAST_SPEC, {
    truth: { task: 'forecast', examples, scales: naiveScales(set, FORECAST_SPEC, 460) },
    predictions: { outputs: { rows: places.length, columns: { value: column(value), low: column(value.map((v) => v - 10)), high: column(value.map((v) => v + 10)) } } },
    baseline: { outputs: { rows: places.length, columns: { value: column(value.map((v) => v + 20 * normal())) } } },
  })!;
}

function embeddingDiagnosis() {
  const rows = 300;
  const group = Array.from({ length: rows }, () => Math.floor(next() * 5));
  const values = Float32Array.from({ length: rows * 8 }, (_, i) => normal() + (i % 8 === group[Math.floor(i / 8)] ? 2 : 0));
  return diagnose({ task: 'embedding', seed: 1 } as EmbeddingSpec, {
    truth: { task: 'embedding', alike: { rows, columns: { group: { type: 'category', values: group.map(String) } } } },
    predictions: { outputs: { rows, columns: { vector: { type: 'vector', width: 8, values } } } },
  })!;
}

const GENRES = ['Drama', 'Comedy', 'Action', 'Adventure', 'Thriller/Suspense', 'Horror', 'Romantic Comedy', 'Black Comedy', 'Documentary', 'Western', 'Musical', 'Concert/Performance'];

export const diagnoses = {
  regression: regressionDiagnosis(), classification: classificationDiagnosis(GENRES), forecast: forecastDiagnosis(), embedding: embeddingDiagnosis(),
};

const slices = ['city = Bern', 'city = Genf', 'city = Zug', 'rooms from 5'].map((slice, i) => ({
  slice, rows: 40 + 100 * i, metric: 'rmse', better: 'lower' as const, value: 0.5 + 0.12 * i, overall: 0.548, low: 0.44 + 0.12 * i, high: 0.56 + 0.12 * i,
}));

const drift = [
  { column: 'budget', test: 'Wasserstein distance', statistic: 0.31, threshold: 0.1, driftsWhen: 'above' as const, drifted: true, reason: 'the median went from 20M to 31M' },
  { column: 'running_time', test: 'Kolmogorov-Smirnov p', statistic: 0.4, threshold: 0.05, driftsWhen: 'below' as const, drifted: false },
  { column: 'distributor', test: 'chi-squared p', statistic: 1e-40, threshold: 0.05, driftsWhen: 'below' as const, drifted: true },
  { column: 'constant', test: 'Wasserstein distance', statistic: 0, threshold: 0.1, driftsWhen: 'above' as const, drifted: false },
];

export const versionData = (task: keyof typeof diagnoses): VersionReportData => ({
  model: 'gross',
  task,
  version: '112074a581de',
  verdict: {
    passed: false,
    reason: 'Refused by 1 of 2 gates: r2 0.686 is worse than the champion\'s 0.720 by 0.034 [0.014, 0.054] on 800 rows.',
    gates: [{ gate: 'gain in rmse over the baseline at least 0', passed: true, reason: 'rmse 0.548 beats the baseline\'s 0.977' }, { gate: 'gain in r2 over the champion at least 0', passed: false, reason: 'r2 0.686 is worse' }],
  },
  metrics: METRICS,
  scale: 'log10',
  holdoutRows: 800,
  training: {
    rows: 2_376, unlabelledRows: 41, epochs: 63, bestEpoch: 43, seconds: 19.3, onnxBytes: 815_000, resumedAtEpoch: 12,
    curve: { train: Array.from({ length: 63 }, (_, i) => 0.1 + 3 / (i + 1)), validation: Array.from({ length: 63 }, (_, i) => 0.166 + 2 / (i + 1) + 0.0005 * Math.abs(i - 42)) },
  },
  diagnosis: diagnoses[task],
  slices,
  drift,
  suspects: {
    rows: 2_000, total: 61, byReason: [{ reason: 'label', rows: 40 }, { reason: 'conflict', rows: 12 }, { reason: 'duplicate', rows: 9 }, { reason: 'outlier', rows: 0 }],
    examples: [{ key: 'Bulworth, 1998-05-15', given: 'Comedy', suggested: 'Drama', why: 'Drama is given 93%' }],
  },
  madeFrom: {
    source: 'films', rows: 3_201, snapshot: 'ab'.repeat(32), inputs: [{ name: 'budget', type: 'number' }, { name: 'genre.probabilities', type: 'vector of 12' }],
    upstream: [{ model: 'genre', version: 'e4bd3340aa71' }], packages: { shoal: '0.1.0' },
  },
});

export const releaseData = (): ReleaseReportData => ({
  chain: 'box-office',
  number: 3,
  status: 'promoted',
  verdict: { passed: true, reason: 'Passed its gate: rmse 0.548 beats the baseline\'s 0.977.', gates: [{ gate: 'gain in rmse over the baseline at least 0', passed: true, reason: 'rmse 0.548 beats the baseline\'s 0.977' }] },
  metrics: METRICS,
  scale: 'log10',
  holdoutRows: 800,
  stages: [
    { stage: 'title-embedding', task: 'embedding', version: 'cd412843bdd6', needs: [], onnxBytes: 658_000 },
    { stage: 'genre', task: 'classification', version: 'e4bd3340aa71', needs: ['title-embedding'], onnxBytes: 842_000, fallback: 'its baseline' },
    { stage: 'market', task: 'forecast', version: '520f7ebbecc5', needs: [], onnxBytes: 126_000, fallback: 'its baseline' },
    { stage: 'gross', task: 'regression', version: '112074a581de', needs: ['genre', 'market'], onnxBytes: 815_000 },
  ],
  outputStage: 'gross',
  shares: [
    { stage: 'title-embedding', metric: 'rmse', better: 'lower', without: 0.552, gain: 0.004, low: -0.001, high: 0.009, seconds: 42.7, bytes: 658_000, worth: false },
    { stage: 'genre', metric: 'rmse', better: 'lower', without: 0.571, gain: 0.023, low: 0.011, high: 0.034, seconds: 61.8, bytes: 842_000, worth: true },
    { stage: 'market', metric: 'rmse', better: 'lower', without: 0.553, gain: 0.005, low: 0.001, high: 0.009, bytes: 126_000, worth: true },
    { stage: 'gross', metric: 'rmse', better: 'lower', without: 0.977, gain: 0.429, low: 0.4, high: 0.46, seconds: 19.3, bytes: 815_000 },
  ],
  diagnosis: diagnoses.regression,
  comparisons: [{ model: 'one-big-network', version: 'ffffffffffff', onnxBytes: 1_800_000, metrics: [{ metric: 'rmse', value: 0.547 }, { metric: 'r2', value: 0.686 }] }],
  slices,
  drift,
  canary: ['loss', 'failures', 'latency', 'output'].flatMap((check, c) => Array.from({ length: 20 }, (_, i) => {
    const reach = 0.4 / Math.sqrt(i + 1);
    const effect = 0.02 * c + 0.2 * reach * Math.sin(i);
    return {
      at: new Date(Date.UTC(2026, 10, 20, 8, 30 * i)).toISOString(), check, effect, low: effect - reach, high: effect + reach, tolerance: 0.05,
      verdict: check === 'output' ? 'fail' as const : check === 'latency' ? 'inconclusive' as const : 'pass' as const,
    };
  })),
});
