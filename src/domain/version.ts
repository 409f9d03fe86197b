import type { LabelFindings } from './labelCheck';
import type { ChainSpec, ModelSpec } from './spec';
import type { ColumnType } from './table';

/** Something in the store, checked against `sha256` (hex) whenever it is read. */
export interface ArtifactRef { uri: string; sha256: string; bytes: number }

export interface SnapshotColumn { name: string; type: ColumnType; missing: number; distinct: number; width?: number }

/** An immutable copy of a source: Parquet, sorted by key, with the row's key in the column `__key`. */
export interface Snapshot {
  source: string;
  data: ArtifactRef;
  profile: ArtifactRef;
  rows: number;
  columns: SnapshotColumn[];
}
export const KEY_COLUMN = '__key';
/** Between the texts of a key's columns. */
export const KEY_SEPARATOR = '\u001f';
/** Between a key that several rows share and the number (from 2) of the second and later ones. */
export const DUPLICATE_MARK = '\u001e';

/** One input of a model's ONNX file, before type conversion. `date` is days since 1970, as float64. */
export interface Feature { name: string; type: ColumnType; width?: number }

/**
 * All that serving needs to know of a version, and nothing that differs between two runs of the same training:
 * the version's id is a hash of it.
 */
export interface Manifest {
  model: string;
  spec: ModelSpec;
  onnx: ArtifactRef;
  features: Feature[];
  /** Classification: the classes, in the order of `probabilities`. */
  classes?: string[];
  /** Width of the vector output. */
  width?: number;
  /** What the trivial predictor answers: the mean, the class shares, the mean vector. Seasonal naive reads the history instead. */
  baseline: Record<string, number | string | number[]>;
  snapshot: Snapshot;
  /** Upstream versions whose outputs it was trained on. */
  upstream: Record<string, VersionRef>;
  /** Cross-fitted outputs for the rows it was trained on, plain outputs for the holdout: Parquet, by key. */
  outputs: ArtifactRef;
  /** Rows that counted less in its training than others, or not at all: `weight` by key, Parquet. Absent when all counted the same. */
  weights?: ArtifactRef;
  /** Names and versions of the packages that made it. */
  packages: Record<string, string>;
}

/** `id` is the first 12 hex digits of the manifest's SHA-256. */
export interface VersionRef { model: string; id: string; manifest: ArtifactRef }

export interface TrainingSummary {
  rows: number;
  holdoutRows: number;
  /** Rows left out because the target was missing. */
  unlabelledRows: number;
  /** Rows left out because their labels are suspects, where there were any. */
  excludedRows?: number;
  epochs: number;
  bestEpoch: number;
  steps: number;
  seconds: number;
  onnxBytes: number;
  parity: { rows: number; maxDifference: number };
  /** Training and validation loss by epoch. */
  curve: { train: number[]; validation: number[] };
  /** True when an earlier run had made this version already. */
  reused: boolean;
  /** The first epoch after an interruption, when it went on from a checkpoint. */
  resumedAtEpoch?: number;
  /** Who made it, when it was not Shoal: then there are no epochs and no curve. */
  maker?: { kind: 'trainer' | 'file'; name: string; /** By its own word. */ metrics?: Record<string, number> };
}

/** A ready ONNX file that is to become a version. */
export interface ImportedFile {
  /** The file's name, for people. */
  name: string;
  onnx: ArtifactRef;
  /** Cross-fitted outputs for the rows it was trained on, as a trainer gives them. */
  outputs?: ArtifactRef;
  classes?: string[];
  /** It was not trained on the source's rows: what it says of them is as good as cross-fitted. */
  unseen?: boolean;
}

export interface TrainedVersion { version: VersionRef; summary: TrainingSummary }

/** A difference with a paired bootstrap interval; positive means the newcomer is better. */
export interface Gain {
  value: number;
  low: number;
  high: number;
  confidence: number;
  /** One-sided, for the gates that ask for certainty. */
  bounds?: Bound[];
}

/** With this confidence the true figure is at least `low`; with the same confidence it is at most `high`. */
export interface Bound { confidence: number; low: number; high: number }

export interface MetricResult {
  metric: string;
  value: number;
  /** Which way is better. */
  better: 'higher' | 'lower';
  /** How many rows (of a forecast: forecast periods; of an embedding: queries) it was measured on. */
  rows?: number;
  /** Of the value, for the gates that ask for certainty. */
  bounds?: Bound[];
  /** The same rows, scored by the others. */
  baseline?: { value: number; gain: Gain };
  champion?: { value: number; gain: Gain; version: string };
}

/** A part of the judged rows, scored as the whole is. */
export interface SliceResult {
  /** The column or predicate that makes it: see `sliceKey`. */
  by: string;
  /** In words: `city = Bern`. */
  slice: string;
  rows: number;
  metrics: MetricResult[];
}

export interface GateResult {
  gate: string;
  passed: boolean;
  reason: string;
  /** The slice that fails it most clearly. */
  slice?: string;
  rows?: number;
  /** By how much it is missed, in the unit of the metric. */
  missedBy?: number;
}

/** A champion that is in place, and can't answer the rows it would be compared on. */
export interface Unscored { version: string; reason: string }

export interface Verdict { passed: boolean; reason: string; gates: GateResult[] }

export interface Evaluation {
  version: VersionRef;
  rows: number;
  /** The first is the task's headline. */
  metrics: MetricResult[];
  /** Those that gates ask for: the worst of each gate first, a bounded number. The card has all. */
  slices?: SliceResult[];
  unscored?: Unscored;
  verdict: Verdict;
  card: ArtifactRef;
}

/** What was found out about a version's labels. */
export interface LabelCheck extends LabelFindings {
  version: string;
  /** All suspects, the worst first: `__key`, `held_out`, `given`, `suggested`, `quality` (0 to 1), `reasons`, `why`; Parquet. Absent when there is none. */
  list?: ArtifactRef;
  /** For a second training, where suspects are to be left out or to count less: see `Manifest.weights`. */
  weights?: ArtifactRef;
  /** What could not be looked for, as sentences. */
  notes: string[];
  verdict: { passed: boolean; reason: string };
}

/** What people read beside the ONNX file. */
export interface Card {
  version: VersionRef;
  manifest: Manifest;
  training: TrainingSummary;
  metrics: MetricResult[];
  slices?: SliceResult[];
  holdoutRows: number;
  verdict: Verdict;
  /** Where labels are checked. */
  labels?: LabelCheck;
}

/** A pinned set of versions of a chain, and the chain's definition at that moment. */
export interface Release {
  chain: string;
  number: number;
  spec: ChainSpec;
  /** By model: those of the stages, and those of their fallbacks. */
  versions: Record<string, VersionRef>;
  /** By stage: the stages whose outputs it needs. */
  dependencies: Record<string, string[]>;
  /** By stage: the task queue of the workers that serve it. */
  taskQueues: Record<string, string>;
}

/** Which releases answer a chain's requests: what the store's pointer holds. */
export interface Routing {
  chain: string;
  /** Counts the changes: of two, the one with the higher revision is newer. */
  revision: number;
  current: Release;
  /** Answers a share of the requests in (0, 1], or none (0) and is loaded already. */
  candidate?: { release: Release; weight: number };
  /** Stays loaded, so that a rollback to it takes no time. */
  previous?: Release;
  /** Columns that name a row. */
  keyColumns: string[];
}

/** By model, the ids of the versions that a release pins. */
export const versionIds = ({ versions }: Pick<Release, 'versions'>): Record<string, string> =>
  Object.fromEntries(Object.values(versions).map(({ model, id }) => [model, id]));

export interface Comparison { version: string; metrics: { metric: string; value: number }[]; onnxBytes: number }

export interface ReleaseEvaluation {
  rows: number;
  metrics: MetricResult[];
  /** Share of the holdout's true values inside [low, high], and the nominal share. */
  coverage?: { measured: number; nominal: number };
  /** By model of `compareWith`: its score on the same rows. */
  comparisons: Record<string, Comparison>;
  /** As those of an Evaluation; `allSlices` is SliceResult[], when there are more. */
  slices?: SliceResult[];
  allSlices?: ArtifactRef;
  unscored?: Unscored;
  verdict: Verdict;
  ablation?: Ablation;
}

/** What a component of a chain costs. `train` of the run that made its version, where that is known. */
export interface ComponentCost {
  trainSeconds?: number;
  onnxBytes: number;
  /** Milliseconds that it adds to one row (median), and to 1,000 rows asked at once. */
  rowMs?: number;
  thousandRowsMs?: number;
}

/** What a chain would lose without one of its models, and what that model costs. */
export interface Component {
  model: string;
  version: string;
  /** The chain's headline metric with this model's trivial predictor in its place, and the gain of having the model instead. */
  without: number;
  gain: Gain;
  cost: ComponentCost;
  worth: boolean;
  reason: string;
}

export interface Ablation {
  metric: string;
  /** Of the whole chain. */
  value: number;
  rows: number;
  minGain: number;
  components: Component[];
  /** Models that are not worth what they cost. */
  notWorth: string[];
  reason: string;
}

/** What a fresh process found when it was to serve a release. */
export interface Servability {
  passed: boolean;
  reason: string;
  /** What had been measured by the time it passed or failed. */
  measured: ServabilityMeasures;
}
export interface ServabilityMeasures {
  loadSeconds?: number;
  /** Rows answered one by one, and how long one took. */
  rows?: number;
  p50Ms?: number;
  p95Ms?: number;
  /** The most memory the process has held (resident set). */
  peakMb?: number;
}
