import type { MonitoredModel, Observed } from '../../src/domain/monitor';
import type { VersionRef } from '../../src/domain/version';
import type { RunEnd, RunRequest, Settled, UpstreamAnswer } from '../../src/workflows/messages';
import { ref } from './fixtures';

/** Messages as they should be, with every field that they can have. */
const version = ref('condition', 'aaaa');
const artifact = version.manifest;
const request: RunRequest = {
  trigger: 'code', reason: 'a test', by: 'tester', batch: 'a-batch', alongside: ['rent'], upstream: { condition: version }, tell: ['nobody'], data: 'abc',
  file: { name: 'rent.onnx', onnx: artifact, outputs: artifact, classes: ['a', 'b'], unseen: true },
};
const metric = { metric: 'rmse', kind: 'measured' as const, value: 1, low: 0.5, high: 2, threshold: 3, rows: 50, breached: false };
const pooled = [{ of: 'release 1', metric: 'rmse', value: 1, low: 0.5, high: 2, rows: 50, reference: 1 }];
const seen: Observed = {
  chain: 'flats', release: 1, at: '2026-03-01T12:00:00.000Z',
  reference: { kind: 'holdout', rows: 100, windows: 4, method: 'none' },
  alert: { m: 2, n: 3 },
  windows: [{ from: '2026-03-01T10:00:00.000Z', to: '2026-03-01T11:00:00.000Z', rows: 50, outcomes: 50, metrics: [metric], estimates: [metric], drifted: ['size'] }],
  alerts: [{ subject: 'input size', kind: 'drift', verdict: 'hold', breached: 1, of: 3, reason: 'size has moved', models: ['rent'] }],
  drift: [{ part: 'input', window: 'the newest', column: 'size', verdict: 'drifted', reason: 'it has moved', of: 'values', test: 'Kolmogorov-Smirnov p', value: 0.4, threshold: 0.1, rows: { reference: 100, current: 50 }, distance: 0.4, bound: 0.2 }],
  releases: pooled, stages: pooled, slices: pooled, notes: ['a note'], table: artifact,
};

export const GOOD = {
  modelSettled: { model: 'condition', batches: ['a-batch'], alongside: ['rent'], version, upstream: { condition: 'aaaa' }, seconds: 1, refusal: 'a reason' } satisfies Settled,
  promoted: { chain: 'flats', release: 1, version } satisfies { chain: string; release: number; version: VersionRef },
  rejected: { chain: 'flats', version, reason: 'worse' } satisfies { chain: string; version: VersionRef; reason: string },
  pardoned: { chain: 'flats' },
  cascade: request,
  retrain: request,
  observed: { seen, models: [{ name: 'rent', drift: true, degradation: true }] } satisfies { seen: Observed; models: MonitoredModel[] },
  upstreamAnswered: { versions: { condition: version } } satisfies UpstreamAnswer,
  runEnded: { model: 'rent', batches: ['a-batch'], status: 'made', reason: 'a test' } satisfies RunEnd,
};

/** The same, once for every field, with something else in its place. */
export function spoilt(value: unknown, path: string[] = []): { path: string; message: unknown }[] {
  const here = path.length === 0 ? [] : [{ path: path.join('.'), message: typeof value === 'object' ? 5 : { wrong: true } }];
  if (typeof value !== 'object' || value === null) return here;
  return [...here, ...Object.entries(value).flatMap(([key, inner]) => spoilt(inner, [...path, key])
    .map(({ path: at, message }) => ({ path: at, message: Array.isArray(value) ? value.map((v: unknown, i) => (String(i) === key ? message : v)) : { ...value, [key]: message } })))];
}
