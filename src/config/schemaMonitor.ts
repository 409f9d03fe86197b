import { z } from 'zod';
import { LIVE_METRICS } from '../domain/liveScores';
import type { MonitorSpec } from '../domain/monitor';
import { column, expectations } from './schemaModel';
import { milliseconds, period } from './schemaRollout';

/** How a chain is watched in use, as people write it; `resolveMonitor` makes a MonitorSpec of it. */

const mOfN = z.string().regex(/^[1-9]\d? of [1-9]\d?$/).refine((text) => Number(text.split(' of ')[0]) <= Number(text.split(' of ')[1]), { message: 'so many of fewer are never out of bounds' });
expectations.add(mOfN, { expects: 'so many of so many windows, such as 3 of 5' });

const settings = z.strictObject({
  every: period.default('1h').describe('Time between two looks.'),
  window: z.union([period, z.int().min(1)]).default('1d').describe('What is judged at once: the requests of a period, or so many requests.'),
  alert: mOfN.default('3 of 5').describe('An alert is raised when so many of the newest windows are out of bounds, and cleared when as many in a row are within.'),
  metrics: z.array(z.enum(LIVE_METRICS as [string, ...string[]])).default([]).describe('Metrics that raise alerts; when empty `accuracy` of classes, `mae` of numbers.'),
  slices: z.array(column).default([]).describe('Columns of the requests by whose values the metrics are told apart.'),
  minRows: z.int().min(10).default(50).describe('With fewer rows a window has no verdict.'),
  reference: z.strictObject({
    time: column.optional().describe('A column of the source that dates its rows: the held-out rows are then cut into windows that follow each other in time.'),
    windows: z.int().min(3).default(10).describe('Windows in use, without an alert, that take the place of the held-out rows.'),
    deviations: z.number().gt(0).default(3).describe('How many standard deviations of the reference\'s windows are within bounds.'),
  }).prefault({}).describe('What is usual.'),
});

export const monitorSchema = z.union([z.literal(false).describe('Not watched.'), settings])
  .describe('How the chain is watched in use: its metrics where outcomes have come, estimates where not, and whether inputs and outputs have moved. `false` for not at all.');

export const monitorSettings = settings;

export function resolveMonitor(written: z.output<typeof monitorSchema>): MonitorSpec | undefined {
  if (written === false) return undefined;
  const { every, window, alert, metrics, slices, minRows, reference: { time, windows, deviations } } = written;
  const [m, n] = alert.split(' of ').map(Number) as [number, number];
  return {
    everyMs: milliseconds(every), window: typeof window === 'number' ? { requests: window } : { ms: milliseconds(window) }, alert: { m, n },
    metrics, slices, minRows, reference: { ...(time !== undefined && { time }), windows, deviations },
  };
}

export const DEFAULT_MONITOR: MonitorSpec = resolveMonitor(settings.parse({}))!;
