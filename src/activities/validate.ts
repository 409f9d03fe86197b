import { Context } from '@temporalio/activity';
import { checkData } from '../data/checkData';
import { validateModelData } from '../data/validate';
import type { Validation } from '../data/validation';
import type { DataCheck } from '../domain/dataRules';
import { ShoalError } from '../domain/errors';
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
  /** Recent requests' rows, to see skew by: a Parquet, JSON or JSON-lines file. */
  served?: ArtifactRef;
}

export const createValidate = ({ store }: { store: Store }) => ({
  /**
   * Refuses data that can't be trained on, and data that a blocking rule speaks against (DATA_REFUSED), naming the column and the rows;
   * nothing has been changed by then. What warns is handed back.
   */
  validate: ({ model, source, snapshot, rules, champion, served }: ValidateInput): Promise<Validation & DataCheck> =>
    beating(async () => {
      await checkSlices(model.gates, { store, snapshot });
      const validation = await validateModelData(model, snapshot, { store });
      // The moment the run asked for it: a second attempt finds the same.
      const now = new Date(Context.current().info.scheduledTimestampMs).toISOString();
      const check = await checkData({ source, model, snapshot, rules, champion, served, now }, { store });
      if (check.counts.block > 0) throw refused(model, snapshot, check);
      return { ...validation, ...check };
    }),
});

const NAMED = 5;

function refused(model: ModelSpec, snapshot: Snapshot, { findings, counts, report }: DataCheck): ShoalError {
  const blocking = findings.filter((finding) => finding.level === 'block');
  const told = blocking.slice(0, NAMED).map(({ rule, origin, message }) => `[${origin}: ${rule}] ${message}`);
  const more = counts.block > NAMED ? ` And ${counts.block - NAMED} more.` : '';
  const source = snapshot.source;
  return new ShoalError('DATA_REFUSED',
    `Model ${model.name}: the ${snapshot.rows.toLocaleString('en-US')} rows of source ${source} are refused by ${counts.block === 1 ? 'a rule' : `${counts.block} rules`}. ${told.join(' ')}${more}`, {
      remedy: `Put the data right and run again. Where the data is right, change the rule under \`sources.${source}.rules\` (one declared there for a column takes the place of an inferred one), `
        + `or how much it counts under \`models.${model.name}.checks\`.`,
      details: { model: model.name, source, rows: snapshot.rows, findings: blocking, report },
    });
}
