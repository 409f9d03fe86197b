/**
 * Every error a person may meet, by code. `retryable` says whether trying again, unchanged, can help:
 * it becomes Temporal's `nonRetryable`.
 */
export const ERRORS = {
  CONFIG: { retryable: false },
  SOURCE_MISSING: { retryable: false },
  SOURCE_UNREADABLE: { retryable: false },
  SOURCE_UNAVAILABLE: { retryable: true },
  SQL_REFUSED: { retryable: false },
  COLUMN_MISSING: { retryable: false },
  COLUMN_TYPE: { retryable: false },
  COLUMN_EMPTY: { retryable: false },
  NOT_FINITE: { retryable: false },
  TARGET_CONSTANT: { retryable: false },
  TOO_FEW_ROWS: { retryable: false },
  LABELS_REFUSED: { retryable: false },
  /** The data can be trained on, and a rule says not to. */
  DATA_REFUSED: { retryable: false },
  TRAINING_DIVERGED: { retryable: false },
  PARITY: { retryable: false },
  /** A trainer of somebody else's, or a file brought in, is not as agreed. */
  TRAINER_CONTRACT: { retryable: false },
  REQUEST_EMPTY: { retryable: false },
  REQUEST_TOO_LARGE: { retryable: false },
  REQUEST_ROW: { retryable: false },
  OUTCOME_ROW: { retryable: false },
  NO_RELEASE: { retryable: false },
  UNKNOWN_CHAIN: { retryable: false },
  UNKNOWN_MODEL: { retryable: false },
  UNKNOWN_RELEASE: { retryable: false },
  UNKNOWN_VERSION: { retryable: false },
  /** Somebody asked for what can't be done now. */
  COMMAND_REFUSED: { retryable: false },
  ARTIFACT_CORRUPT: { retryable: false },
  ARTIFACT_MISSING: { retryable: false },
  NO_REPORT: { retryable: false },
  /** What the store needs could not be told, so nothing was removed from it. */
  NOT_COLLECTED: { retryable: false },
  EXPRESSION: { retryable: false },
  STAGE_FAILED: { retryable: false },
  STORE_FULL: { retryable: true },
  STORE_READ_ONLY: { retryable: false },
  STORE_UNAVAILABLE: { retryable: true },
  SERVER_UNREACHABLE: { retryable: true },
  SERVER_REFUSED: { retryable: false },
  NO_WORKER: { retryable: true },
  TIMED_OUT: { retryable: true },
  /** A hook could not be told of an event. */
  UNKNOWN_SCHEDULE: { retryable: false },
  EVENT_UNDELIVERED: { retryable: true },
  NATIVE_MISSING: { retryable: false },
  /** The caller, or somebody on the server, ended it. */
  CANCELLED: { retryable: false },
  /** One key was given to two different requests. */
  KEY_REUSED: { retryable: false },
  UNKNOWN_PREDICTION: { retryable: false },
  /** A fault of Shoal itself: the same again would end the same. */
  INTERNAL: { retryable: false },
} as const satisfies Record<string, { retryable: boolean }>;

export type ErrorCode = keyof typeof ERRORS;

/** Says what is wrong and where in `message`, and what to do about it in `remedy`. */
export class ShoalError extends Error {
  readonly code: ErrorCode;
  readonly remedy: string | undefined;
  /** Machine-readable particulars: file, line, column, row, expected, found ... Plain JSON. */
  readonly details: Record<string, unknown>;

  constructor(code: ErrorCode, message: string, options: { remedy?: string; details?: Record<string, unknown>; cause?: unknown } = {}) {
    super(options.remedy ? `${message} ${options.remedy}` : message, { cause: options.cause });
    this.name = 'ShoalError';
    this.code = code;
    this.remedy = options.remedy;
    this.details = options.details ?? {};
  }

  get retryable(): boolean {
    return ERRORS[this.code].retryable;
  }
}
