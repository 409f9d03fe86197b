import type { Diagnosis } from '../domain/diagnosis';
import type { Task } from '../domain/spec';
import type { GateResult, MetricResult, TrainingSummary, Verdict } from '../domain/version';

/**
 * All that a report shows, as plain data: numbers and names. A part that is left out has no section. Numbers that are not finite are
 * shown as none. `low` and `high` are the ends of an interval of 95% unless something else is said.
 */
export interface VersionReportData {
  model: string;
  task: Task;
  /** The version's id. */
  version: string;
  verdict: Verdict;
  metrics: MetricResult[];
  /** The model's trained scale, where it matters to what its metrics mean. */
  scale?: 'linear' | 'log10';
  holdoutRows: number;
  training: Pick<TrainingSummary, 'rows' | 'unlabelledRows' | 'epochs' | 'bestEpoch' | 'seconds' | 'onnxBytes' | 'curve' | 'resumedAtEpoch'>;
  diagnosis?: Diagnosis;
  slices?: SliceRow[];
  suspects?: Suspects;
  drift?: DriftRow[];
  madeFrom: MadeFrom;
}

/** What a version was made of, and with. */
export interface MadeFrom {
  source: string;
  rows: number;
  /** The snapshot's SHA-256. */
  snapshot: string;
  inputs: { name: string; type: string }[];
  upstream: { model: string; version: string }[];
  packages: Record<string, string>;
}

export interface ReleaseReportData {
  chain: string;
  number: number;
  /** What has become of it so far. */
  status: 'candidate' | 'promoted' | 'refused' | 'rolled back';
  verdict: Verdict;
  metrics: MetricResult[];
  scale?: 'linear' | 'log10';
  holdoutRows: number;
  /** In an order in which each comes after those it needs. */
  stages: ReleaseStage[];
  outputStage: string;
  /** What each stage is worth: the chain without it. */
  shares?: StageShare[];
  diagnosis?: Diagnosis;
  /** Models that are no part of the chain, on the same rows. */
  comparisons?: Rival[];
  slices?: SliceRow[];
  drift?: DriftRow[];
  canary?: CanaryLook[];
}

export interface ReleaseStage { stage: string; task: Task; version: string; needs: string[]; onnxBytes: number; fallback?: string }
export interface Rival { model: string; version: string; onnxBytes: number; metrics: { metric: string; value: number }[] }

/** A stage's share of the chain's error: what its headline metric loses when the stage answers as its trivial predictor does. */
export interface StageShare {
  stage: string;
  metric: string;
  better: 'higher' | 'lower';
  /** The chain's metric with the stage's trivial predictor in its place. */
  without: number;
  /** Of having the stage, in the metric's unit; positive is better. */
  gain: number;
  low: number;
  high: number;
  /** Of training, where known. */
  seconds?: number;
  bytes: number;
  /** Whether it is worth its cost, where that was decided. */
  worth?: boolean;
}

/** One part of the judged rows. */
export interface SliceRow {
  /** In words: `city = Bern`. */
  slice: string;
  rows: number;
  metric: string;
  better: 'higher' | 'lower';
  value: number;
  /** Of all rows. */
  overall: number;
  low?: number;
  high?: number;
}

export interface Suspects {
  /** Rows that were looked at, and how many of them are suspects. */
  rows: number;
  total: number;
  byReason: { reason: string; rows: number }[];
  /** The worst first. */
  examples: { key: string; given: string; suggested: string; why: string }[];
}

/** How far a column's distribution has moved. */
export interface DriftRow {
  column: string;
  test: string;
  statistic: number;
  threshold: number;
  /** A distance says drift when it is above its threshold, a p-value when it is below. */
  driftsWhen: 'above' | 'below';
  drifted: boolean;
  /** For people. */
  reason?: string;
}

/** What the judge of a canary saw of one check, at one time. */
export interface CanaryLook {
  /** ISO. */
  at: string;
  /** `failures`, `latency`, `output`, `loss`. */
  check: string;
  /** On the scale of `tolerance`; positive is worse. */
  effect: number;
  /** Confidence sequence of the effect. */
  low: number;
  high: number;
  tolerance: number;
  verdict: 'pass' | 'fail' | 'inconclusive';
}

export type { GateResult, MetricResult };
