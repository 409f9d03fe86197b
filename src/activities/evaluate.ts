import { evaluate as evaluatePredictions, type Predictions } from '../domain/evaluate';
import { ShoalError } from '../domain/errors';
import { judge } from '../domain/gates';
import type { GateSpec } from '../domain/spec';
import type { Card, Evaluation, TrainingSummary, VersionRef } from '../domain/version';
import { beating } from './beating';
import type { Data } from './inputs';
import { judgedRows, type Judged } from './judged';
import { recall } from './memory';

export const BOOTSTRAP = { resamples: 1_000, seed: 1, confidence: 0.95 };

export const createEvaluate = (data: Data) => ({
  /** Scores a version, its champion and the baseline on the same rows, which none was trained on, and holds its gates against it. */
  evaluate: (input: { version: VersionRef; training: TrainingSummary; gates: GateSpec[]; champion?: VersionRef }): Promise<Evaluation> =>
    beating(async () => {
      const { version, gates } = input;
      const champion = input.champion?.id === version.id ? undefined : input.champion;
      const work = () => evaluateVersion({ ...input, champion }, data);
      const { result } = await recall(data.store, 'evaluations', { version: version.id, champion: champion?.id, gates }, work, (e) => [e.card]);
      return result;
    }),
});

async function evaluateVersion(
  { version, training, gates, champion }: { version: VersionRef; training: TrainingSummary; gates: GateSpec[]; champion?: VersionRef }, data: Data,
): Promise<Evaluation> {
  const manifest = await data.models.manifest(version);
  const judged = await judgedRows(manifest, data);
  const metrics = evaluatePredictions(manifest.spec, {
    truth: judged.truth,
    newcomer: await judged.predict(version),
    baseline: judged.baseline,
    champion: champion && (await incumbent(judged, champion)),
  }, BOOTSTRAP);
  const verdict = judge(metrics, gates);
  const card: Card = { version, manifest, training, metrics, holdoutRows: judged.rows, verdict };
  return { version, rows: judged.rows, metrics, verdict, card: await data.store.putJson(card) };
}

/** A champion that can't answer these rows any more (a column is gone, its file is damaged) must not block its successors. */
async function incumbent(judged: Judged, champion: VersionRef): Promise<(Predictions & { version: string }) | undefined> {
  try {
    return { ...(await judged.predict(champion)), version: champion.id };
  } catch (error) {
    if (error instanceof ShoalError && !error.retryable) return undefined;
    throw error;
  }
}
