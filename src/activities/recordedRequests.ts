import type { LogCursor, RequestLog } from '../data/requestLog';
import type { Row } from '../domain/prediction';
import type { ArtifactRef } from '../domain/version';
import type { Store } from '../store/store';
import { beating } from './beating';

/** A request that was answered live: what another release needs to answer it, too. */
export interface RecordedRequest { request: string; at: string; keys: string[]; rows: Row[] }

export interface RecordedQuery {
  chain: string;
  /** Requests that came in [since, until), ISO. */
  since: string;
  until?: string;
  /** Only those that these releases answered; all when absent. */
  releases?: number[];
  /** The `cursor` of the answer before. */
  after?: LogCursor;
  limit: number;
}

/** `requests` is absent when there are none. `cursor`: give it as `after` for those that follow, also when they are yet to come. */
export interface RecordedAnswer { requests?: ArtifactRef; entries: number; cursor?: LogCursor }

export const createRecordedRequests = ({ store, log }: { store: Store; log: RequestLog }) => ({
  /** The next so many requests that were answered live, as a JSON object in the store, in the order in which they were logged. */
  recordedRequests: (query: RecordedQuery): Promise<RecordedAnswer> =>
    beating(async () => {
      const { entries, cursor } = await log.next({ ...query, arms: ['live'] });
      const requests = entries.filter(({ rows }) => rows.length > 0).map(({ request, at, keys, rows }): RecordedRequest => ({ request, at, keys, rows }));
      return { ...(requests.length > 0 && { requests: await store.putJson(requests) }), entries: requests.length, cursor };
    }),
});
