import { evaluate as evaluatePredictions, type Predictions } from '../domain/evaluate';
import { ShoalError } from '../domain/errors';
import { judge } from '../domain/gates';
import type { GateSpec } from '../domain/spec';
import type { Card, Evaluation, TrainingSummary, VersionRef } from '../domain/version';
import { beating } from './beating';
import type { Data } from './inputs';
import { judgedRows } from './judged';
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
    champion: champion && (await incumbent(champion.id, () => judged.predict(champion))),
  }, BOOTSTRAP);
  const verdict = judge(metrics, gates);
  const card: Card = { version, manifest, training, metrics, holdoutRows: judged.rows, verdict };
  return { version, rows: judged.rows, metrics, verdict, card: await data.store.putJson(card) };
}

/**
 * What is in place, or nothing when it can't answer these rows any more (a column is gone, its file is damaged): it must not block its
 * successors.
 */
export async function incumbent(version: string, answer: () => Promise<Predictions>): Promise<(Predictions & { version: string }) | undefined> {
  try {
    return { ...(await answer()), version };
  } catch (error) {
    if (error instanceof ShoalError && !error.retryable) return undefined;
    throw error;
  }
}
