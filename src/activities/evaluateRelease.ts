import { evaluate as evaluatePredictions } from '../domain/evaluate';
import { judge } from '../domain/gates';
import type { Release, ReleaseEvaluation } from '../domain/version';
import { beating } from './beating';
import { BOOTSTRAP, incumbent } from './evaluate';
import type { Data } from './inputs';
import { judgedChain } from './judgedChain';

export const createEvaluateRelease = (data: Data) => ({
  /** Scores a candidate for a chain end to end, paired with the current release and the baseline, on rows that none of its models saw. */
  evaluateRelease: ({ candidate, current }: { candidate: Release; current?: Release }): Promise<ReleaseEvaluation> =>
    beating(async () => {
      const judged = await judgedChain(candidate, data);
      const { manifest, truth, rows, baseline } = judged;
      const metrics = evaluatePredictions(manifest.spec, {
        truth,
        newcomer: await judged.release(candidate),
        baseline,
        champion: current && (await incumbent(`release ${current.number}`, () => judged.release(current))),
      }, BOOTSTRAP);
      const coverage = metrics.find((m) => m.metric === 'coverage');
      return {
        rows,
        metrics,
        coverage: coverage && 'interval' in manifest.spec ? { measured: coverage.value, nominal: manifest.spec.interval } : undefined,
        comparisons: {},
        verdict: judge(metrics, candidate.spec.gates),
      };
    }),
});
