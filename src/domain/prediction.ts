import type { ArtifactRef } from './version';

/** A request row as programs send it: plain JSON. Dates are ISO strings, missing is null or left out. */
export type Row = Record<string, unknown>;

/** Rows inline (bounded by MAX_INLINE_ROWS and MAX_INLINE_BYTES), or a JSON, JSON lines, CSV or Parquet file in the store. */
export type ChainRequest = { chain: string } & ({
  rows: Row[];
  /** One a row: what the row is called when its outcome is known; by the source's key columns when absent. The first decides which release answers. */
  keys?: string[];
} | { input: ArtifactRef });
export const MAX_INLINE_ROWS = 1_000;
/** Of JSON; what a workflow's payload can hold with room to spare. */
export const MAX_INLINE_BYTES = 256 * 1024;

/** How a stage came to its answer for a row. */
export type StageStatus = 'model' | 'fallback' | 'skipped';

/** What one stage said, column by column, so that a batch costs one object. Plain JSON. */
export interface StageAnswer {
  version: string;
  /** By output name; one entry a row; null where the stage was skipped with no fallback. */
  outputs: Record<string, unknown[]>;
  /** One entry a row. */
  status: StageStatus[];
  /** Why the fallback was used, when it was. */
  fallbackReason?: string;
}
export type StageAnswers = Record<string, StageAnswer>;

/** How a stage answered a batch: its version, and how many rows its model did not answer itself. */
export interface StageProvenance { version: string; rows: number; fallback: number; skipped: number; fallbackReason?: string }

export interface ChainAnswer {
  chain: string;
  release: number;
  rows: number;
  /** The rows' keys, by which outcomes are recorded, when the request was inline. */
  keys?: string[];
  provenance: Record<string, StageProvenance>;
  /** One object a row, with the chain's outputs (`value`, `low`, `high` ...), when the request was inline. */
  outputs?: Record<string, unknown>[];
  /** What each stage said, row by row, when the request was inline and it is small enough. */
  stages?: StageAnswers;
  /** Parquet: the chain's outputs in the order of the rows, when the request was by reference. */
  result?: ArtifactRef;
}

export function provenanceOf(answers: StageAnswers): Record<string, StageProvenance> {
  const count = (answer: StageAnswer, status: StageStatus) => answer.status.filter((s) => s === status).length;
  return Object.fromEntries(Object.entries(answers).map(([stage, a]) => [stage, {
    version: a.version, rows: a.status.length, fallback: count(a, 'fallback'), skipped: count(a, 'skipped'), fallbackReason: a.fallbackReason,
  }]));
}

/** Adds up what the parts of a data set, or the segments of a chain, say of their stages. */
export function mergeProvenance(parts: Record<string, StageProvenance>[]): Record<string, StageProvenance> {
  const merged: Record<string, StageProvenance> = {};
  for (const part of parts) {
    for (const [stage, p] of Object.entries(part)) {
      const seen = merged[stage];
      merged[stage] = seen
        ? { ...seen, rows: seen.rows + p.rows, fallback: seen.fallback + p.fallback, skipped: seen.skipped + p.skipped, fallbackReason: seen.fallbackReason ?? p.fallbackReason }
        : p;
    }
  }
  return merged;
}
