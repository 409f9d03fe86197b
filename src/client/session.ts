import { isGrpcCancelledError, isGrpcServiceError, ServiceError, WorkflowFailedError, WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError, type Client } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure, TerminatedFailure, TimeoutFailure } from '@temporalio/common';
import { untraced, type Around } from '../domain/around';
import { ERRORS, ShoalError, type ErrorCode } from '../domain/errors';
import { nearest } from '../domain/nearest';
import type { ProjectSpec } from '../domain/spec';
import type { Tracing } from '../observe';
import type { Store } from '../store/store';
import { serverError, type Endpoint } from './connect';
import { STATUS } from './grpcStatus';
import { unlessAbsent } from './unlessAbsent';

/** How long a call waits for the server and for the workers behind it, unless it is told otherwise. */
export const TIMEOUT_MS = 60_000;

/** Of every call that waits. */
export interface Waiting {
  /** After which the call ends with TIMED_OUT. What it asked for may still be done: ask again with the same key. */
  timeoutMs?: number;
  /** Ends the call with CANCELLED. */
  signal?: AbortSignal;
}

/** A project's server and store, and what a failed call to them means: what all parts of the client stand on. */
export class Session {
  constructor(
    readonly project: ProjectSpec,
    readonly endpoint: Endpoint,
    readonly temporal: Client,
    readonly store: () => Promise<Store>,
    /** Where reports are served, where they are. */
    readonly reports: string | undefined,
    readonly tracing?: Tracing,
  ) {}

  /** A span around work, where traces are taken. */
  get around(): Around {
    return this.tracing?.around ?? untraced;
  }

  /** @throws ShoalError and nothing else, within the time */
  async within<T>({ timeoutMs = TIMEOUT_MS, signal }: Waiting, work: () => Promise<T>): Promise<T> {
    // The SDK leaves its listener on the signal it is given: each call has one of its own.
    const call = new AbortController();
    const abort = () => call.abort();
    signal?.addEventListener('abort', abort, { once: true });
    try {
      if (signal?.aborted) throw new CancelledFailure('aborted');
      const ask = () => this.temporal.withDeadline(Date.now() + timeoutMs, work);
      return await (signal ? this.temporal.withAbortSignal(call.signal, ask) : ask());
    } catch (error) {
      throw this.toShoalError(error, { timeoutMs, signal });
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  /** Undefined when the workflow is not there. */
  async query<T>(ask: () => Promise<T>, waiting: Waiting = {}): Promise<T | undefined> {
    return this.within(waiting, () => unlessAbsent(ask));
  }

  /** The ShoalError that a worker threw, as it was; or what the server says, or that nobody answers. */
  private toShoalError(error: unknown, { timeoutMs, signal }: Waiting & { timeoutMs: number }): ShoalError {
    if (error instanceof ShoalError) return error;
    if (signal?.aborted) return cancelled(error);
    const grpc = error instanceof ServiceError || error instanceof WorkflowUpdateRPCTimeoutOrCancelledError ? error.cause : error;
    if (isGrpcServiceError(grpc)) return isLate(grpc) || isGrpcCancelledError(grpc) ? timedOut(timeoutMs, error) : serverError(this.endpoint, grpc);
    if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) return timedOut(timeoutMs, error);
    if (error instanceof WorkflowFailedError || error instanceof WorkflowUpdateFailedError) {
      if (error.cause instanceof TimeoutFailure) return timedOut(timeoutMs, error);
      if (error.cause instanceof CancelledFailure || error.cause instanceof TerminatedFailure) {
        return new ShoalError('CANCELLED', `Somebody ended it on the server: ${error.cause.message}.`, { cause: error });
      }
      for (let cause: unknown = error.cause; cause instanceof Error; cause = cause.cause) {
        if (cause instanceof ApplicationFailure && cause.type && cause.type in ERRORS) {
          return new ShoalError(cause.type as ErrorCode, cause.message, { details: (cause.details?.[0] as Record<string, unknown> | undefined) ?? {}, cause: error });
        }
      }
    }
    return new ShoalError('INTERNAL', error instanceof Error ? error.message : String(error), { cause: error });
  }

  /** @throws ShoalError UNKNOWN_MODEL, UNKNOWN_CHAIN */
  known(kind: 'model' | 'chain', name: string): void {
    assertKnown(this.project, kind, name);
  }
}

export function assertKnown(project: ProjectSpec, kind: 'model' | 'chain', name: string): void {
  const names = Object.keys(kind === 'model' ? project.models : project.chains);
  if (names.includes(name)) return;
  const hint = nearest(name, names);
  throw new ShoalError(kind === 'model' ? 'UNKNOWN_MODEL' : 'UNKNOWN_CHAIN', `The project has no ${kind} "${name}".`, {
    remedy: hint ? `Did you mean "${hint}"?` : `It has: ${names.join(', ')}.`,
  });
}

const isLate = (error: { code: number }): boolean => error.code === STATUS.deadlineExceeded;

export const cancelled = (cause?: unknown) => new ShoalError('CANCELLED', 'The caller ended the call.', {
  remedy: 'What it asked for goes on; ask again with the same key to hear of it.', cause,
});

export const timedOut = (timeoutMs: number, cause?: unknown) => new ShoalError('TIMED_OUT', `There was no answer within ${timeoutMs / 1000} s.`, {
  remedy: 'The workers may be gone or have much to do: see `shoal status`, start them with `shoal up`, or see why they ended in .shoal/logs.', cause,
});
