import { Context } from '@temporalio/activity';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RequestLog } from '../data/requestLog';
import { ShoalError, type ErrorCode } from '../domain/errors';
import type { Row } from '../domain/prediction';
import type { LogEntry } from '../domain/requestLog';
import type { Release } from '../domain/version';
import { chainOutputs, runStages } from '../serve/stages';
import type { Data } from './inputs';
import { predictionEntry, type Reply } from './predictionEntry';

/** Entries that wait in memory to be logged. */
const GROUP = 500;
/** Requests that one look catches up with. */
const LIMIT = 20_000;

/**
 * Lets a release answer the live requests since a time that it was not asked, and logs what it says as `shadow`; returns how many.
 *
 * Each request is answered by itself, as when it came: what a request's columns are checked against, what fails and what a fallback answers
 * for are matters of a whole request. (One of a few rows takes about a millisecond.) A request that the release can't answer is logged as its
 * failure; a store that fails is an error. Done twice, it answers what is left.
 */
export async function answerUnseen(
  { release, since }: { release: Release; since: string }, { models, log }: Data & { log: RequestLog }, report: (value: unknown) => void,
): Promise<number> {
  const signal = Context.current().cancellationSignal;
  const requests = await log.unanswered({ chain: release.chain, since, release: release.number, limit: LIMIT });
  if (requests.length === 0) return 0;
  // One that can't be loaded fails the requests that need it, as it would have.
  await Promise.allSettled(Object.values(release.versions).map((ref) => models.warm([ref])));
  let entries: LogEntry[] = [];
  for (const [i, { request, at, keys, rows }] of requests.entries()) {
    const started = performance.now();
    const reply = await replyTo(rows, { release, models, signal });
    const seconds = (performance.now() - started) / 1000;
    entries.push(predictionEntry({ release, asked: { request, at, keys, arm: 'shadow', weight: 1 }, rows, reply, seconds }));
    if (entries.length === GROUP || i === requests.length - 1) {
      await log.append(entries);
      entries = [];
    }
    report({ unseen: i + 1, of: requests.length });
    await nextTurn();
    signal.throwIfAborted();
  }
  return requests.length;
}

async function replyTo(rows: Row[], { release, models, signal }: Pick<Data, 'models'> & { release: Release; signal: AbortSignal }): Promise<Reply> {
  try {
    const stages = release.spec.stages.map((stage) => stage.model);
    const answers = await runStages({ release, stages, rows, earlier: {} }, { models, signal });
    return { answers, outputs: chainOutputs(release, rows, answers) };
  } catch (error) {
    if (signal.aborted || isOfStore(error)) throw error;
    return { failure: error instanceof Error ? error.message : String(error) };
  }
}

const OF_STORE = new Set<string>(['STORE_FULL', 'STORE_READ_ONLY', 'STORE_UNAVAILABLE', 'ARTIFACT_MISSING'] satisfies ErrorCode[]);

const isOfStore = (error: unknown): boolean => error instanceof ShoalError && OF_STORE.has(error.code);
