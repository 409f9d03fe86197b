/** How long the store keeps what nothing in use needs. What a kept release, a run under way or a rule needs stays whatever is said here. */
export interface RetentionSpec {
  /** Of each model the newest so many, and all that are younger. */
  versions: KeepSpec;
  /** Of each chain, of the releases that were in use. */
  releases: KeepSpec;
  /** Recorded requests and answers, by the day on which they came. */
  requestsMs: number;
  /** What came of predictions, by the day on which it was told. */
  outcomesMs: number;
  /** Copies of sources that no version was trained on. */
  snapshotsMs: number;
  /** Of trainings that were never finished. */
  checkpointsMs: number;
  /** Files in the making, left by processes that ended in the middle. */
  scratchMs: number;
  /** Objects that nothing names any more, from when they were last read or written. */
  unusedMs: number;
}

export interface KeepSpec { keep: number; forMs: number }

/** What the collector is told of a project: it travels in the workflow's input. */
export interface CollectionInput {
  project: string;
  models: string[];
  chains: string[];
  retention: RetentionSpec;
  dryRun: boolean;
}

export interface Removed { count: number; bytes: number }

/** What was removed or, in a dry run, would be. */
export interface Collection {
  dryRun: boolean;
  at: string;
  /** The newest first, and no more than MAX_NAMED of each; the counts are of all. */
  versions: { model: string; id: string; reason: string }[];
  releases: { chain: string; number: number; reason: string }[];
  removed: Record<CollectedKind, Removed>;
  /** What is there afterwards. */
  kept: Removed & { versions: number; releases: number };
  /** What could not be told, as sentences; such things stay. */
  notes: string[];
}

export const COLLECTED = ['versions', 'releases', 'notes', 'objects', 'logs', 'checkpoints', 'scratch'] as const;
export type CollectedKind = (typeof COLLECTED)[number];

export const MAX_NAMED = 200;

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

export const DEFAULT_RETENTION: RetentionSpec = {
  versions: { keep: 10, forMs: 30 * DAY },
  releases: { keep: 10, forMs: 90 * DAY },
  requestsMs: 90 * DAY,
  outcomesMs: 365 * DAY,
  snapshotsMs: 7 * DAY,
  checkpointsMs: 7 * DAY,
  scratchMs: DAY,
  unusedMs: 7 * DAY,
};

/** Whatever is read is marked as in use at most so often; what is in use must not look unused in between. */
export const USE_MARKED_EVERY_MS = 10 * 60_000;
export const LEAST_UNUSED_MS = HOUR;
