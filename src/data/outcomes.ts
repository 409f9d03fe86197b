import { assertOutcomes, type NewOutcome } from '../domain/outcomes';
import type { Outcome } from '../domain/requestLog';
import type { Store } from '../store/store';
import { dayOf, hourFolder, jsonLine, writeLines } from './journal';
import { compactToParquet, journalTable, withWorkspace, type LineForm, type Workspace } from './journalTable';
import { timestamp } from './requestLog';

/** One line an outcome. `recorded`: when it came, `n`: its number among those that came with it. */
const OUTCOME_FORM: LineForm = {
  fields: { key: 'VARCHAR', value: 'DOUBLE', label: 'VARCHAR', at: 'BIGINT', recorded: 'BIGINT', n: 'INTEGER' },
  select: (from) => `SELECT * REPLACE (make_timestamp("at" * 1000) AS "at", make_timestamp(recorded * 1000) AS recorded) FROM ${from}`,
  columns: { '"key"': 'VARCHAR', '"value"': 'DOUBLE', label: 'VARCHAR', '"at"': 'TIMESTAMP', recorded: 'TIMESTAMP', n: 'INTEGER' },
  order: ['"key"', '"at"', 'recorded', 'n', '"value"', 'label'],
};

const LAST_DAY = '9999-12-31';

const outcomeJournal = (chain: string): string => `outcomes/${chain}`;

/**
 * Records what came of predictions: all of them, or none when one is wrong. To say again what was said last of a key changes
 * nothing, not even when it became known: so the same may be recorded any number of times.
 *
 * @throws ShoalError OUTCOME_ROW, REQUEST_EMPTY
 */
export async function recordOutcomes(store: Store, of: { chain: string; outcomes: readonly NewOutcome[]; now: number }): Promise<{ recorded: number }> {
  const { chain, outcomes, now } = of;
  assertOutcomes(outcomes);
  const lines = outcomes.map(({ key, value, at }, n) =>
    jsonLine({ key, [typeof value === 'number' ? 'value' : 'label']: value, at: at === undefined ? now : Date.parse(at), recorded: now, n }));
  await writeLines(store, { folder: hourFolder(outcomeJournal(chain), new Date(now).toISOString()), lines, writtenAt: now });
  return { recorded: outcomes.length };
}

/** Makes Parquet of what came in hours that ended before a time (ISO). Can be interrupted, and run twice at once. */
export const compactOutcomes = (store: Store, of: { chain: string; before: string }): Promise<{ objects: number; blobs: number }> =>
  compactToParquet(store, { journal: outcomeJournal(of.chain), form: OUTCOME_FORM, before: Date.parse(of.before) });

/** What is known: by key the outcome that became known last, of those that came in [since, until), ISO. */
export async function readOutcomes(store: Store, of: { chain: string; since?: string; until?: string }): Promise<Map<string, Outcome>> {
  return withWorkspace(store, async (workspace) => {
    const table = await outcomeTable(store, workspace, of);
    const result = await workspace.db.connection.stream(`SELECT "key", "value", label, epoch_ms("at")::DOUBLE FROM ${table} ORDER BY "key"`);
    const known = new Map<string, Outcome>();
    for await (const chunk of result) {
      const vectors = [0, 1, 2, 3].map((i) => chunk.getColumnVector(i));
      for (let r = 0; r < chunk.rowCount; r++) {
        const [key, value, label, at] = vectors.map((vector) => vector.getItem(r)) as [string, number | null, string | null, number];
        known.set(key, { key, value: (value ?? label)!, at: new Date(at).toISOString() });
      }
    }
    return known;
  });
}

/** SQL of what is known, one line a key: `key`, `value` or `label`, `at`, and in `recorded` when this was first said. */
export async function outcomeTable(store: Store, workspace: Workspace, of: { chain: string; since?: string; until?: string }): Promise<string> {
  const { chain, since, until } = of;
  const days = since === undefined ? undefined : { since: dayOf(new Date(since).toISOString()), until: until === undefined ? LAST_DAY : dayOf(new Date(until).toISOString()) };
  const lines = await journalTable(store, workspace, { journal: outcomeJournal(chain), form: OUTCOME_FORM, days });
  const within = [
    ...(since === undefined ? [] : [`recorded >= ${timestamp(Date.parse(since))}`]),
    ...(until === undefined ? [] : [`recorded < ${timestamp(Date.parse(until))}`]),
  ].join(' AND ') || 'true';
  // A line that says the same as the one before is no news.
  return `(SELECT "key", "value", label, "at", recorded FROM (
    SELECT * FROM ${lines} WHERE ${within}
    QUALIFY ("value", label) IS DISTINCT FROM lag(("value", label)) OVER (PARTITION BY "key" ORDER BY "at", recorded, n)
  ) QUALIFY row_number() OVER (PARTITION BY "key" ORDER BY "at" DESC, recorded DESC, n DESC) = 1)`;
}
