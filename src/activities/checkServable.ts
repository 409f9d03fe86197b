import { Context } from '@temporalio/activity';
import { sampleRows } from '../data/rows';
import { ShoalError } from '../domain/errors';
import type { Row } from '../domain/prediction';
import { DEFAULT_SERVABLE, speaksOfRelease } from '../domain/servable';
import type { ServableSpec } from '../domain/spec';
import { KEY_COLUMN, type Release, type Servability } from '../domain/version';
import { beating } from './beating';
import type { Data } from './inputs';

/** A release to be served, the rows it is asked, and what that may take. */
export interface ServingTrial { release: Release; rows: Row[]; limits: ServableSpec }

/** Serves a release where it can harm nobody: in a fresh process. */
export type RunServing = (trial: ServingTrial, run: { signal: AbortSignal }) => Promise<Servability>;

const SAMPLE = 200;

export const createCheckServable = ({ store, models, runServing }: Data & { runServing: RunServing }) => ({
  /**
   * Whether a fresh process can load every version of a release and answer requests with it, within the chain's limits of time and memory.
   * What is wrong with the release is a failed check with its reason, whatever became of that process; that the store or the worker are
   * not available is an error.
   */
  checkServable: ({ release, limits = release.spec.servable ?? DEFAULT_SERVABLE }: { release: Release; limits?: ServableSpec }): Promise<Servability> =>
    beating(async () => {
      try {
        return await runServing({ release, rows: await requests(release, { store, models }), limits }, { signal: Context.current().cancellationSignal });
      } catch (error) {
        if (!(error instanceof ShoalError) || !speaksOfRelease(error.code)) throw error;
        return { passed: false, reason: `Can't be served: ${error.message}`, measured: {} };
      }
    }),
});

/** Rows of the output model's data, as requests. */
async function requests(release: Release, { store, models }: Data): Promise<Row[]> {
  const { spec, snapshot } = await models.manifest(release.versions[release.spec.outputStage]!);
  const rows = await sampleRows(await store.localFile(snapshot.data), SAMPLE, KEY_COLUMN);
  return rows.map(({ [KEY_COLUMN]: _key, ...row }) => (spec.task === 'forecast' ? { ...row, [spec.at]: row[spec.at] ?? row[spec.time] } : row));
}
