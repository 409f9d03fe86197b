import type { ArtifactRef } from './version';

/** A request row as programs send it: plain JSON. Dates are ISO strings, missing is null or left out. */
export type Row = Record<string, unknown>;

/** Rows inline (bounded: MAX_INLINE_ROWS) or a JSON, CSV or Parquet file by reference. */
export type ChainRequest = { chain: string } & ({ rows: Row[] } | { input: ArtifactRef });
export const MAX_INLINE_ROWS = 1_000;

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

export interface Provenance { chain: string; release: number; stages: Record<string, { version: string; fallback: number; skipped: number; fallbackReason?: string }> }

export interface ChainAnswer {
  chain: string;
  release: number;
  rows: number;
  /** One object a row, with the chain's outputs (`value`, `low`, `high` ...); by reference when the request was. */
  outputs?: Record<string, unknown>[];
  stages: Record<string, StageAnswer> | Provenance['stages'];
  result?: ArtifactRef;
}
