import { Context } from '@temporalio/activity';
import { checkData } from '../data/checkData';
import { validateModelData } from '../data/validate';
import type { RequestLog } from '../data/requestLog';
import type { Validation } from '../data/validation';
import type { DataCheck } from '../domain/dataRules';
import { ShoalError } from '../domain/errors';
import type { Row } from '../domain/prediction';
import type { ModelSpec, SourceSpec } from '../domain/spec';
import type { ArtifactRef, Snapshot, VersionRef } from '../domain/version';
import type { Store } from '../store/store';
import { beating } from './beating';
import { checkSlices } from './slices';

export interface ValidateInput {
  model: ModelSpec;
  source: SourceSpec;
  snapshot: Snapshot;
  /** Inferred from the first good snapshot, by an earlier run. */
  rules?: ArtifactRef;
  champion?: VersionRef;
  /** Chains whose recent requests show whether what is served differs from what is trained on. */
  chains: string[];
}

export const createValidate = ({ store, log }: { store: Store; log: RequestLog }) => ({
  /**
   * Refuses data that can't be trained on, and data that a blocking rule speaks against (DATA_REFUSED), naming the column and the rows;
   * nothing has been changed by then. What warns is handed back.
   */
  validate: ({ model, source, snapshot, rules, champion, chains }: ValidateInput): Promise<Validation & DataCheck> =>
    beating(async () => {
      await checkSlices(model.gates, { store, snapshot });
      const validation = await validateModelData(model, snapshot, { store });
      // The moment the run asked for it: a second attempt finds the same.
      const now = new Date(Context.current().info.scheduledTimestampMs).toISOString();
      const served = await recentRequests({ chains, now }, { store, log });
      const check = await checkData({ source, model, snapshot, rules, champion, served, now }, { store });
      if (check.counts.block > 0) throw refused(model, snapshot, check);
      return { ...validation, ...check };
    }),
});

const SERVED_DAYS = 7;
const SERVED_ROWS = 5_000;

/** The newest rows that were answered, as a file for the check: what was refused for its form is nothing to learn of. */
async function recentRequests({ chains, now }: { chains: string[]; now: string }, { store, log }: { store: Store; log: RequestLog }): Promise<ArtifactRef | undefined> {
  const since = new Date(Date.parse(now) - SERVED_DAYS * 86_400_000).toISOString();
  let rows: Row[] = [];
  for (const chain of chains) {
    for await (const entries of log.read({ chain, since, until: now, arms: ['live'] })) {
      rows = [...rows, ...entries.flatMap((entry) => (entry.outputs ? entry.rows : []))].slice(-SERVED_ROWS);
    }
  }
  return rows.length > 0 ? store.putJson(rows) : undefined;
}

const NAMED = 5;

function refused(model: ModelSpec, snapshot: Snapshot, { findings, counts, report }: DataCheck): ShoalError {
  const blocking = findings.filter((finding) => finding.level === 'block');
  const told = blocking.slice(0, NAMED).map(({ rule, origin, message }) => `[${origin}: ${rule}] ${message}`);
  const more = counts.block > NAMED ? ` And ${counts.block - NAMED} more.` : '';
  const { source } = snapshot;
  const rows = snapshot.rows.toLocaleString('en-US');
  const by = counts.block === 1 ? 'a rule' : `${counts.block} rules`;
  return new ShoalError('DATA_REFUSED', `Model ${model.name}: the ${rows} rows of source ${source} are refused by ${by}. ${told.join(' ')}${more}`, {
    remedy: `Put the data right and run again. Where the data is right, change the rule under \`sources.${source}.rules\` (one declared there `
      + `takes the place of an inferred one of its column), or how much it counts under \`models.${model.name}.checks\`.`,
    details: { model: model.name, source, rows: snapshot.rows, findings: blocking, report },
  });
}
