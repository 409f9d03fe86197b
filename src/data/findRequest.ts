import type { Store } from '../store/store';
import { literal } from './duckdb';
import { withWorkspace } from './journalTable';
import { readEntries, REQUEST_FORM, type LoggedEntry } from './requestTable';
import { requestTable } from './requestLog';

/** Before there was any. */
const BEGINNING = '2000-01-01T00:00:00.000Z';

/** What the log has of the prediction that a workflow's id names: how each release answered it, the answer that the caller got first. */
export async function findRequest(store: Store, { chain, workflowId }: { chain: string; workflowId: string }): Promise<LoggedEntry[]> {
  return withWorkspace(store, async (workspace) => {
    const lines = await requestTable(store, workspace, { chain, since: BEGINNING }, Date.now());
    // A run's part of the id has no slash.
    const asked = `starts_with(request, ${literal(`${workflowId}/`)}) AND NOT contains(substr(request, ${workflowId.length + 2}), '/')`;
    const entries: LoggedEntry[] = [];
    for await (const some of readEntries(workspace, { chain, table: `(SELECT * FROM ${lines} WHERE ${asked})`, order: REQUEST_FORM.order.join(', ') })) entries.push(...some);
    return entries.sort((a, b) => Number(b.arm === 'live') - Number(a.arm === 'live'));
  });
}
