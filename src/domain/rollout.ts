/** How a release that passed its gates comes into use. Durations in milliseconds. */
export interface RolloutSpec {
  /** Live requests that the candidate answers unseen before any user sees it; 0 for none. */
  shadow: number;
  /** Shares of the live requests that the candidate answers, rising, each in (0, 1). None: from the shadow straight to promotion. */
  steps: number[];
  /** Requests that the candidate must have answered at each step. */
  requests: number;
  /** Time between two looks of the judge. */
  everyMs: number;
  /** How long an inconclusive judge is waited for, at each step. */
  limitMs: number;
  inconclusive: 'promote' | 'refuse' | 'ask';
  /** When no request has come for so long, recorded ones stand in. */
  idleMs: number;
  /** How far back requests are taken for that. */
  replayMs: number;
  /** How long a promoted release is watched, and taken back when it is worse than the one before. */
  bakeMs: number;
  /** Probability with which a candidate that is no worse is taken for worse, or one that is worse than tolerated is promoted. */
  errorRate: number;
  tolerance: Tolerance;
  /**
   * Whether both releases' answers to one request are compared, one of them unseen: far fewer requests do. It takes for granted that an
   * answer does not change its own outcome (as a price that is shown may).
   */
  paired: boolean;
}

/** What counts as no worse. */
export interface Tolerance {
  /** Share by which the mean error may be larger, e.g. 0.05. */
  loss: number;
  /** Difference in the share of failed requests, e.g. 0.01. */
  failures: number;
  /** Share by which the time an answer takes may be longer, e.g. 0.5. */
  latency: number;
  /** How far answers may move: the probability that the candidate's is the larger, away from a half; a class's share, away from its present one. */
  output: number;
}

/** One request as the judge sees it. */
export interface Observation {
  request: string;
  /**
   * The probability with which this request went to the candidate rather than to the reference; absent where chance did not choose. Where one
   * of them answered unseen, only the other has `seconds`: the time of an unseen answer is no user's.
   */
  weight?: number;
  candidate?: Answered;
  reference?: Answered;
  /** Milliseconds since 1970: when the last thing known of it became known. Observations come in this order, and it does not depend on who answered. */
  knownAt: number;
  /** When all but the loss was known: the order for checks that need no outcome. */
  answeredAt?: number;
}

export interface Answered {
  failed: boolean;
  seconds?: number;
  /** The chain's main output, averaged over the request's rows; or the class of its first row. */
  output?: number | string;
  /** Mean over the request's rows whose outcome is known: absolute error on the trained scale, or 1 for a wrong class. */
  loss?: number;
}

export type CheckName = 'failures' | 'latency' | 'output' | 'loss';

/** What the judge says of one of the four. `effect` is on the scale of its tolerance; positive is worse. */
export interface CanaryCheck {
  check: CheckName;
  verdict: 'pass' | 'fail' | 'inconclusive' | 'not measured';
  /** Requests that say something about it. */
  requests: number;
  effect?: number;
  /** Confidence sequence of the effect. */
  low?: number;
  high?: number;
  tolerance: number;
  reason: string;
}

/**
 * `pass`: every check that is measured is no worse than tolerated. `fail`: one is worse. Both hold with the configured error rate however
 * often the judge looks.
 */
export interface CanaryVerdict {
  verdict: 'pass' | 'fail' | 'inconclusive';
  reason: string;
  checks: CanaryCheck[];
  requests: { candidate: number; reference: number; both: number };
}
