import type { Row } from './prediction';

/**
 * `live`: the answer that the caller got. `shadow`: what another release would have answered to the same request; nobody saw it.
 * `abandoned`: a candidate failed on a live request, and the current release answered in its place.
 */
export type LogArm = 'live' | 'shadow' | 'abandoned';

/** How one release answered one request: what is logged of every prediction. Plain JSON. */
export interface LogEntry {
  chain: string;
  /** The id of the `chain` workflow that was asked. With `release` and `arm` it names the entry: a second one of that name is the same. */
  request: string;
  /** When the request came, ISO: also for a shadow answer that is made later. */
  at: string;
  release: number;
  arm: LogArm;
  /** The probability with which requests went to this release when it was asked; 1 of a shadow answer. */
  weight: number;
  /** Version ids by model. */
  versions: Record<string, string>;
  /** One a row. */
  keys: string[];
  rows: Row[];
  /** The chain's outputs, one object a row; absent when the release failed to answer. */
  outputs?: Record<string, unknown>[];
  failure?: string;
  /** Time the stages took, without waiting in queues. */
  seconds: number;
  /** Rows that a stage's fallback answered, by stage; stages without any are left out. */
  fallbacks: Record<string, number>;
}

/** The true value for an earlier prediction, joined by the row's key. Of several for one key the newest counts. */
export interface Outcome {
  key: string;
  /** A number, or a class's name. */
  value: number | string;
  /** When it became known, ISO. */
  at: string;
}
