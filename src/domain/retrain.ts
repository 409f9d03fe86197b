import type { ScheduleSpec } from './schedule';

/** When a model is trained by itself. Plain JSON. */
export interface RetrainSpec {
  schedule?: RetrainSchedule;
  /** How many rows, new or changed since the newest version's snapshot, start a run; and how often the source is looked at. */
  newData?: { rows?: number; share?: number; everyMs: number };
  /** Whether a chain's monitor may ask for a run. */
  drift: boolean;
  degradation: boolean;
  limits: RetrainLimits;
}

export type RetrainSchedule = Pick<ScheduleSpec, 'when' | 'jitterMs' | 'overlap' | 'catchUpMs' | 'pauseOnFailure'>;

/** What keeps retraining from looping: the least time between two starts, and how many there may be in 24 hours. Only of runs that nobody asked for. */
export interface RetrainLimits { cooldownMs: number; budget: number }

const DAY_MS = 24 * 3_600_000;

/**
 * When the next run that nobody asked for may start, and why not now; undefined when it may start at once.
 *
 * @param starts of the runs before that nobody asked for, ISO
 */
export function heldUntil(starts: readonly string[], { cooldownMs, budget }: RetrainLimits, now: string): { until: string; why: string } | undefined {
  const at = Date.parse(now);
  const recent = starts.map((start) => Date.parse(start)).filter((start) => start > at - DAY_MS).sort((a, b) => a - b);
  const last = recent.at(-1) ?? Math.max(...starts.map((start) => Date.parse(start)), -Infinity);
  const overBudget = recent.length >= budget ? recent[recent.length - budget]! + DAY_MS : -Infinity;
  const until = Math.max(last + cooldownMs, overBudget);
  if (!(until > at)) return undefined;
  const why = overBudget === until ? `its budget of ${budget} ${budget === 1 ? 'run' : 'runs'} a day is spent` : 'its last run began not long ago (`cooldown`)';
  return { until: new Date(until).toISOString(), why };
}

/** How many of the rows are new or changed. */
export interface NewRows { rows: number; changed: number; /** SHA-256 of the snapshot's data. */ data: string }

/** Why these rows call for a run; undefined when they do not. */
export function callForRun({ rows, changed }: NewRows, { rows: least, share }: { rows?: number; share?: number }): string | undefined {
  const part = rows === 0 ? 0 : changed / rows;
  const enough = (least !== undefined && changed >= least) || (share !== undefined && part >= share);
  if (changed === 0 || !enough) return undefined;
  return `${changed.toLocaleString('en-US')} of ${rows.toLocaleString('en-US')} rows are new or changed (${(100 * part).toFixed(part < 0.1 ? 1 : 0)}%)`;
}
