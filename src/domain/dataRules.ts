import type { ColumnType } from './table';
import type { ArtifactRef } from './version';

/** What data must be like before it is trained on: declared in temporal.yaml, inferred from the first good snapshot, or built in. */

/** What a violation does: ends the run, is noted, nothing. */
export const LEVELS = ['block', 'warn', 'off'] as const;
export type Level = (typeof LEVELS)[number];

export type Origin = 'declared' | 'inferred' | 'built in';

export type ColumnCheck =
  | { check: 'present' }
  | { check: 'type'; type: ColumnType }
  /** Share of rows without a value. */
  | { check: 'missing'; max: number }
  /** Of numbers, or of dates as ISO text; a date without a time is the whole day. */
  | { check: 'range'; min?: number | string; max?: number | string }
  | { check: 'values'; values: string[] }
  | { check: 'unique' }
  /** The newest date is not older than this. */
  | { check: 'fresh'; maxAgeMs: number }
  /** No date lies after today. */
  | { check: 'future' }
  /** Text that is not, here and there, a number; or numbers that are not, here and there, text. */
  | { check: 'mixed' }
  /** Not constant, nor nearly. */
  | { check: 'varies' }
  /** No NaN and no infinity. */
  | { check: 'finite' };

export type TableCheck =
  | { check: 'rows'; min?: number; max?: number }
  /** Against the champion's snapshot, else the one the rules were inferred from: shares of its rows lost, or gained. */
  | { check: 'rowChange'; fall?: number; growth?: number }
  /** Share of rows whose key an earlier row has, too. */
  | { check: 'duplicateKeys'; max: number };

/** `tolerate`: the share of rows that may violate it. */
export type ColumnRule = ColumnCheck & { column: string; tolerate?: number; level: Level };
export type TableRule = TableCheck & { level: Level };
export type DataRule = ColumnRule | TableRule;
export type CheckName = DataRule['check'];

export const isColumnRule = (rule: DataRule): rule is ColumnRule => 'column' in rule;

export type RuleInForce = DataRule & { origin: Origin };

/** Kept between runs: the rules that the first good snapshot gave, and for which reading of the source they hold. */
export interface RuleSet {
  /** The part of the source's definition that decides what its columns mean. */
  reads: { sql?: string; format?: string; table?: string; query?: string; key: string[] };
  /** SHA-256 of the snapshot it was begun with, and its rows. */
  snapshot: string;
  rows: number;
  rules: DataRule[];
}

/** Beside the rules' own names: what is checked of a model rather than of a column. */
export type FindingName = CheckName | 'leakage' | 'drift' | 'skew' | 'knownLater';

export interface Example { key: string; value: string }

/** Something a person should know of the data. Plain JSON, bounded in size. */
export interface DataFinding {
  rule: FindingName;
  level: Exclude<Level, 'off'>;
  origin: Origin;
  column?: string;
  /** A whole sentence. */
  message: string;
  /** Rows at fault, where it is rows. */
  rows?: number;
  examples?: Example[];
  expected?: string;
  found?: string;
}

/** What a run's `validate` step says of the data. */
export interface DataCheck {
  /** The worst first; all of them are in the report. */
  findings: DataFinding[];
  counts: { block: number; warn: number };
  /** JSON: every finding, every rule, drift and skew column by column. */
  report: ArtifactRef;
  /** The inferred rules, to be handed to the next run when this one comes to a version that passes. */
  rules: ArtifactRef;
}

export interface DriftCheck {
  /** What happens when at least `share` of the compared columns moved. A single one is a warning. */
  level: Level;
  share: number;
  distance: number;
  pValue: number;
  minRows: number;
}

/** How a model's data are checked. A level is the most that a finding of the kind can be. */
export interface ChecksSpec {
  inferred: Level;
  leakage: { level: Level; /** R2 or AUC of one input from which it warns, and from which it blocks. */ warnAt: number; blockAt: number };
  drift: DriftCheck;
  skew: DriftCheck;
}

const DRIFT: DriftCheck = { level: 'warn', share: 0.5, distance: 0.1, pValue: 0.05, minRows: 30 };
/** Thresholds of drift as in drift.ts, of a data set as in Evidently's, of leakage as in leakage.ts. */
export const DEFAULT_CHECKS: ChecksSpec = {
  inferred: 'block',
  leakage: { level: 'block', warnAt: 0.95, blockAt: 0.999 },
  drift: DRIFT,
  skew: DRIFT,
};

const STRENGTH: Record<Level, number> = { off: 0, warn: 1, block: 2 };
export const weaker = (a: Level, b: Level): Level => (STRENGTH[a] <= STRENGTH[b] ? a : b);

/**
 * All rules of a run. What is declared of a column (or of the table) takes the place of what is inferred or built in of the same kind;
 * declared `off`, the check is not made.
 */
export function rulesInForce(from: { declared: readonly DataRule[]; inferred: readonly DataRule[]; builtIn: readonly DataRule[]; cap: Level }): RuleInForce[] {
  const place = (rule: DataRule) => `${rule.check} ${isColumnRule(rule) ? rule.column : ''}`;
  const declared = new Set(from.declared.map(place));
  const others = (rules: readonly DataRule[], origin: Origin): RuleInForce[] =>
    rules.filter((rule) => !declared.has(place(rule))).map((rule) => ({ ...rule, origin }));
  return [
    ...from.declared.map((rule): RuleInForce => ({ ...rule, origin: 'declared' })),
    ...others(from.inferred, 'inferred').map((rule) => ({ ...rule, level: weaker(rule.level, from.cap) })),
    ...others(from.builtIn, 'built in'),
  ].filter((rule) => rule.level !== 'off');
}

/** Blocking ones first. */
export const worstFirst = (findings: readonly DataFinding[]): DataFinding[] =>
  [...findings].sort((a, b) => STRENGTH[b.level] - STRENGTH[a.level]);
