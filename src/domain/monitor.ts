import type { ArtifactRef } from './version';
import type { MonitoredDrift } from './monitorDrift';
import type { SourceSpec } from './spec';

/** How a chain is watched in use. */
export interface MonitorSpec {
  everyMs: number;
  /** What is judged at once: the requests of a period, or so many of them. Live answers of the release in place. */
  window: { ms: number } | { requests: number };
  /** An alert is raised when `m` of the newest `n` windows with a verdict are out of bounds, and cleared when the newest `m` are all within. */
  alert: { m: number; n: number };
  /** Metrics that raise alerts; the task's own when empty. */
  metrics: string[];
  /** Columns of the requests by whose values metrics are told apart. */
  slices: string[];
  /** With fewer rows a window has no verdict. */
  minRows: number;
  reference: {
    /** The source's column that dates the held-out rows: so the windows of the reference follow each other in time, as those in use do. */
    time?: string;
    /** Windows in use that take the place of the held-out rows once there are so many. */
    windows: number;
    /** How many standard deviations of the reference's windows are within bounds. */
    deviations: number;
  };
}

/** A model that an alert may ask to retrain. */
export interface MonitoredModel { name: string; drift: boolean; degradation: boolean }

/** Where the true values of a stage's own target may be found: outcomes of chains that predict it, and its source. */
export interface StageTruth { stage: string; chains: string[]; source: SourceSpec }

/** What a scheduled run of `monitor` is told. Plain JSON. */
export interface MonitorInput { chain: string; monitor: MonitorSpec; dataQueue: string; models: MonitoredModel[]; stages: StageTruth[] }

/** A metric of a window: measured on rows whose outcome is known, or estimated where too few have come. */
export interface WindowMetric {
  metric: string;
  kind: 'measured' | 'estimated';
  value: number;
  /** 95%, of chance in the rows. */
  low: number;
  high: number;
  /** The bound that it must not pass, on its worse side. */
  threshold?: number;
  rows: number;
  breached?: boolean;
}

export interface ObservedWindow {
  /** ISO; the end is not included. */
  from: string;
  to: string;
  rows: number;
  /** Rows whose outcome is known. */
  outcomes: number;
  metrics: WindowMetric[];
  /** Where there are enough: what the estimate would have said of the measured rows. */
  estimates: WindowMetric[];
  /** Columns that have moved since the reference; undefined where there is no verdict. */
  drifted?: string[];
}

/** A column of a window, held against the reference. */
export interface WindowDrift extends MonitoredDrift { part: 'input' | 'output'; window: string }

export type AlertKind = 'drift' | 'degraded';
/** What the newest windows say of one thing that is watched. */
export interface AlertVerdict {
  /** `metric accuracy`, `input size`, `output value` */
  subject: string;
  kind: AlertKind;
  verdict: 'raise' | 'clear' | 'hold' | 'no verdict';
  breached: number;
  of: number;
  reason: string;
  /** Models that it concerns. */
  models: string[];
}

/** A metric over the newest windows together. */
export interface PooledMetric { of: string; metric: string; value: number; low: number; high: number; rows: number; reference?: number }

/** What one look of the monitor found: bounded, plain JSON. */
export interface Observed {
  chain: string;
  release: number;
  /** Up to when requests and outcomes count, ISO. */
  at: string;
  reference: { kind: 'holdout' | 'live'; rows: number; windows: number; method: string };
  alert: { m: number; n: number };
  /** The newest last. */
  windows: ObservedWindow[];
  alerts: AlertVerdict[];
  drift: WindowDrift[];
  releases: PooledMetric[];
  stages: PooledMetric[];
  slices: PooledMetric[];
  /** What could not be looked at, as sentences. */
  notes: string[];
  /** All windows, metrics and columns: Parquet. */
  table?: ArtifactRef;
}
