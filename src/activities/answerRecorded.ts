import { Context } from '@temporalio/activity';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RequestLog } from '../data/requestLog';
import { ShoalError, type ErrorCode } from '../domain/errors';
import type { Row } from '../domain/prediction';
import type { LogEntry } from '../domain/requestLog';
import type { ArtifactRef, Release } from '../domain/version';
import type { Models } from '../serve/models';
import { chainOutputs, runStages } from '../serve/stages';
import type { Store } from '../store/store';
import { beating } from './beating';
import { predictionEntry, type Reply } from './predictionEntry';
import type { RecordedRequest } from './recordedRequests';

/** Entries that wait in memory to be logged. */
const GROUP = 500;

export interface RecordedAnswers { answered: number; failed: number }

export const createAnswerRecorded = ({ store, models, log }: { store: Store; models: Models; log: RequestLog }) => ({
  /**
   * Lets a release, all of whose stages these workers serve, answer recorded requests unseen, and logs what it says as `shadow`.
   *
   * Each request is answered by itself, as when it came: what a request's columns are checked against, what fails, what a fallback
   * answers for and how long it took are matters of a whole request, and would be others in a batch. (A request of a few rows takes
   * about a millisecond.) The versions are loaded before.
   *
   * A request that the release can't answer is logged as its failure. A store that fails is an error, and the activity's.
   */
  answerRecorded: ({ release, requests }: { release: Release; requests: ArtifactRef }): Promise<RecordedAnswers> =>
    beating(async ({ report }) => {
      const signal = Context.current().cancellationSignal;
      const recorded = await store.readJson<RecordedRequest[]>(requests);
      // One that can't be loaded fails the requests that need it, as it would have.
      await Promise.allSettled(Object.values(release.versions).map((ref) => models.warm([ref])));
      const done = { answered: 0, failed: 0 };
      let entries: LogEntry[] = [];
      for (const request of recorded) {
        const entry = await answer(request, { release, models, signal });
        done[entry.failure === undefined ? 'answered' : 'failed']++;
        if (entries.push(entry) === GROUP) {
          await log.append(entries);
          entries = [];
        }
        report(done);
        await nextTurn();
        signal.throwIfAborted();
      }
      await log.append(entries);
      return done;
    }),
});

interface Asking { release: Release; models: Models; signal: AbortSignal }

async function answer({ rows, ...asked }: RecordedRequest, asking: Asking): Promise<LogEntry> {
  const started = performance.now();
  const reply = await replyTo(rows, asking);
  const seconds = (performance.now() - started) / 1000;
  return predictionEntry({ release: asking.release, asked: { ...asked, arm: 'shadow', weight: 1 }, rows, reply, seconds });
}

async function replyTo(rows: Row[], { release, models, signal }: Asking): Promise<Reply> {
  try {
    const stages = release.spec.stages.map((stage) => stage.model);
    const answers = await runStages({ release, stages, rows, earlier: {} }, { models, signal });
    return { answers, outputs: chainOutputs(release, rows, answers) };
  } catch (error) {
    if (signal.aborted || isOfStore(error)) throw error;
    return { failure: error instanceof Error ? error.message : String(error) };
  }
}

const OF_STORE = new Set<string>(['STORE_FULL', 'STORE_READ_ONLY', 'STORE_UNAVAILABLE', 'ARTIFACT_MISSING', 'ARTIFACT_CORRUPT'] satisfies ErrorCode[]);

const isOfStore = (error: unknown): boolean => error instanceof ShoalError && OF_STORE.has(error.code);
