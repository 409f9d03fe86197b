/** Why a row's label, or the row, is not to be trusted. */
export const SUSPECT_REASONS = ['label', 'conflict', 'duplicate', 'outlier'] as const;
export type SuspectReason = (typeof SUSPECT_REASONS)[number];

/** One thing that was found about one row. */
export interface Finding {
  row: number;
  reason: SuspectReason;
  /** For people. */
  why: string;
}
