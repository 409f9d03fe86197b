import type { ErrorCode } from './errors';
import type { ServableSpec } from './spec';
import type { Servability, ServabilityMeasures } from './version';

/** Far above what chains of small models take: two of them were measured at 0.2 s, 2 ms and 320 MB, nearly all of it the runtimes' own. */
export const DEFAULT_SERVABLE: ServableSpec = { memoryMb: 2_048, latencyMs: 1_000, loadSeconds: 60 };

/** Holds what was measured against the limits. What was not measured exceeds none. */
export function judgeServable(measured: ServabilityMeasures, limits: ServableSpec): Servability {
  const { loadSeconds, p50Ms, p95Ms, peakMb, rows } = measured;
  const over = [
    exceeds(loadSeconds, limits.loadSeconds) && `loading took ${figures(loadSeconds)} s, and may take ${limits.loadSeconds}`,
    exceeds(p95Ms, limits.latencyMs) && `one row takes ${figures(p95Ms)} ms (p95 of ${rows}), and may take ${limits.latencyMs}`,
    exceeds(peakMb, limits.memoryMb) && `it holds ${figures(peakMb)} MB, and may hold ${limits.memoryMb}`,
  ].filter((text) => text !== false);
  if (over.length > 0) return { passed: false, reason: `Can't be served within its limits: ${over.join('; ')}.`, measured };
  const told = `loaded in ${figures(loadSeconds!)} s, ${rows} rows one by one at ${figures(p50Ms!)} ms (p95 ${figures(p95Ms!)} ms), ${figures(peakMb!)} MB at most`;
  return { passed: true, reason: `Serves in a fresh process: ${told}.`, measured };
}

/** Errors that say something of the release, and would be the same on every machine; the others are the store's or the worker's. */
export const speaksOfRelease = (code: ErrorCode): boolean => OF_RELEASE.has(code);

const OF_RELEASE: ReadonlySet<ErrorCode> = new Set([
  'ARTIFACT_CORRUPT', 'ARTIFACT_MISSING', 'UNKNOWN_MODEL', 'STAGE_FAILED', 'EXPRESSION', 'COLUMN_MISSING', 'COLUMN_TYPE', 'COLUMN_EMPTY', 'NOT_FINITE', 'REQUEST_ROW',
  'REQUEST_EMPTY', 'TOO_FEW_ROWS',
]);

const exceeds = (value: number | undefined, limit: number): value is number => value !== undefined && value > limit;
const figures = (value: number): string => (value >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3))));
