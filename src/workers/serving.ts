import { CancelledFailure } from '@temporalio/common';
import type { RunServing, ServingTrial } from '../activities/checkServable';
import { ShoalError, type ErrorCode } from '../domain/errors';
import { judgeServable } from '../domain/servable';
import type { ServabilityMeasures } from '../domain/version';
import { endedBy, runProcess } from './ownProcess';

/** From the worker to the process. */
export interface ServingOrder extends ServingTrial { storePath: string }

export type ServingPhase = 'starting' | 'loading' | 'answering';

/** From the process to the worker. */
export type ServingMessage =
  /** It lives, and what it has measured so far. */
  | { type: 'progress'; phase: ServingPhase; measured: ServabilityMeasures }
  | { type: 'done'; measured: ServabilityMeasures }
  | { type: 'refused'; code: ErrorCode; message: string; details: Record<string, unknown> }
  | { type: 'crashed'; message: string };

export interface ServingOptions {
  storePath: string;
  /** How long nothing may be heard of the process before it is ended. */
  silence?: { startSeconds: number; answerSeconds: number };
}

/**
 * Tries a release in a fresh process. A process that crashes, or hangs, or is killed for the memory it takes, is a release that can't be
 * served; one that does not even start is the machine's fault.
 */
export const createRunServing = ({ storePath, silence = { startSeconds: 60, answerSeconds: 20 } }: ServingOptions): RunServing => async (trial, { signal }) => {
  const { limits } = trial;
  const allowed: Record<ServingPhase, number> = {
    starting: silence.startSeconds,
    loading: limits.loadSeconds,
    answering: Math.max(silence.answerSeconds, (20 * limits.latencyMs) / 1_000),
  };
  const watch = watchdog(signal);
  let phase: ServingPhase = 'starting';
  let measured: ServabilityMeasures = {};
  let outcome: Exclude<ServingMessage, { type: 'progress' }> | undefined;
  watch.expect(allowed.starting);
  const ending = await runProcess<ServingMessage>({
    script: 'servingProcess.js',
    order: { storePath, ...trial } satisfies ServingOrder,
    signal: watch.signal,
    onMessage: (message) => {
      if (message.type !== 'progress') {
        outcome = message;
        return;
      }
      ({ phase, measured } = message);
      watch.expect(allowed[phase]);
    },
  }).finally(watch.end);

  switch (outcome?.type) {
    case 'done': return judgeServable(outcome.measured, limits);
    case 'refused': throw new ShoalError(outcome.code, outcome.message, { details: outcome.details });
    case 'crashed': throw new Error(outcome.message);
    case undefined: {
      if (signal.aborted) throw new CancelledFailure('the check was cancelled');
      const why = watch.signal.aborted ? `nothing was heard of it for ${allowed[phase]} s` : `it ended by ${endedBy(ending)}${ending.killedBy === 'SIGKILL' ? ' (out of memory?)' : ''}`;
      if (phase === 'starting') throw new Error(`The process that was to serve ${trial.release.chain} did not start: ${why}. ${ending.said}`);
      return { passed: false, reason: `Can't be served: while the process was ${phase === 'loading' ? 'loading it' : 'answering'}, ${why}. ${ending.said}`.trim(), measured };
    }
  }
};

/** A signal that is given when the caller gives it, or when what is expected does not come in time. */
function watchdog(signal: AbortSignal): { signal: AbortSignal; expect(seconds: number): void; end(): void } {
  const control = new AbortController();
  const pass = () => control.abort();
  if (signal.aborted) pass();
  signal.addEventListener('abort', pass);
  let timer: NodeJS.Timeout | undefined;
  return {
    signal: control.signal,
    expect: (seconds) => {
      clearTimeout(timer);
      timer = setTimeout(pass, 1_000 * seconds);
    },
    end: () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', pass);
    },
  };
}
