import { baselineOutputs } from '../domain/baseline';
import { evaluate as evaluatePredictions, type Predictions } from '../domain/evaluate';
import { ShoalError } from '../domain/errors';
import { judge } from '../domain/gates';
import type { Release, ReleaseEvaluation } from '../domain/version';
import { beating } from './beating';
import { chainHoldout, releaseAnswers, type ChainHoldout } from './chainHoldout';
import { BOOTSTRAP } from './evaluate';
import type { Data } from './inputs';

export const createEvaluateRelease = (data: Data) => ({
  /** Scores a candidate for a chain end to end, paired with the current release and the baseline, on rows that none of its models saw. */
  evaluateRelease: ({ candidate, current }: { candidate: Release; current?: Release }): Promise<ReleaseEvaluation> =>
    beating(async () => {
      const holdout = await chainHoldout(candidate, data);
      const { manifest, truth, rows } = holdout;
      const metrics = evaluatePredictions(manifest.spec, {
        truth,
        newcomer: await releaseAnswers(candidate, holdout, data),
        baseline: manifest.spec.task === 'embedding' ? undefined : { outputs: baselineOutputs(manifest.baseline, rows.length), classes: manifest.classes },
        champion: current && (await incumbent(current, holdout, data)),
      }, BOOTSTRAP);
      const coverage = metrics.find((m) => m.metric === 'coverage');
      return {
        rows: rows.length,
        metrics,
        coverage: coverage && 'interval' in manifest.spec ? { measured: coverage.value, nominal: manifest.spec.interval } : undefined,
        comparisons: {},
        verdict: judge(metrics, candidate.spec.gates),
      };
    }),
});

/** A release that can't answer any more must not block its successors. */
async function incumbent(current: Release, holdout: ChainHoldout, data: Data): Promise<(Predictions & { version: string }) | undefined> {
  try {
    return { ...(await releaseAnswers(current, holdout, data)), version: `release ${current.number}` };
  } catch (error) {
    if (error instanceof ShoalError && !error.retryable) return undefined;
    throw error;
  }
}
