import { provenanceOf, type Row, type StageAnswers } from '../domain/prediction';
import type { LogArm, LogEntry } from '../domain/requestLog';
import { versionIds, type Release } from '../domain/version';

/** What is known of a request beside its answer. */
export interface Asked { request: string; at: string; arm: LogArm; weight: number; keys: string[] }

/** How a release answered, or why it did not. */
export type Reply = { outputs: Record<string, unknown>[]; answers: StageAnswers } | { failure: string };

/** The log's entry of one release's answer to one request. */
export function predictionEntry(of: { release: Release; asked: Asked; rows: Row[]; reply: Reply; seconds: number }): LogEntry {
  const { release, asked, rows, reply, seconds } = of;
  const { request, at, arm, weight, keys } = asked;
  return {
    chain: release.chain, request, at, release: release.number, arm, weight,
    versions: versionIds(release),
    keys, rows,
    ...('failure' in reply ? { failure: reply.failure } : { outputs: reply.outputs }),
    seconds,
    fallbacks: 'failure' in reply ? {} : fallbacksOf(reply.answers),
  };
}

const fallbacksOf = (answers: StageAnswers): Record<string, number> =>
  Object.fromEntries(Object.entries(provenanceOf(answers)).flatMap(([stage, { fallback }]) => (fallback > 0 ? [[stage, fallback]] : [])));
