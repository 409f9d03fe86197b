import { evaluate as evaluatePredictions, type Predictions } from '../domain/evaluate';
import { judge } from '../domain/gates';
import { takeRows, type Table } from '../domain/table';
import type { Manifest, Release, ReleaseEvaluation } from '../domain/version';
import { runStagesOnTable, tableOutputs } from '../serve/stages';
import { loadTable } from '../data/loadTable';
import { beating } from './beating';
import { BOOTSTRAP } from './evaluate';
import { upstreamOutputs, type Data } from './inputs';
import { constantOutputs, holdoutRows, truthColumns } from './judged';

export const createEvaluateRelease = (data: Data) => ({
  /** Scores a candidate for a chain end to end, paired with the current release and the baseline, on rows that none of its models saw. */
  evaluateRelease: ({ candidate, current }: { candidate: Release; current?: Release }): Promise<ReleaseEvaluation> =>
    beating(async () => {
      const holdout = await chainHoldout(candidate, data);
      const { manifest, truth } = holdout;
      const newcomer = await answers(candidate, holdout, data);
      const metrics = evaluatePredictions(manifest.spec, {
        truth,
        newcomer,
        baseline: { outputs: constantOutputs(manifest, holdout.rows.length), classes: manifest.classes },
        champion: current && { ...(await answers(current, holdout, data)), version: `release ${current.number}` },
      }, BOOTSTRAP);
      const coverage = metrics.find((m) => m.metric === 'coverage');
      return {
        rows: holdout.rows.length,
        metrics,
        coverage: coverage && 'interval' in manifest.spec ? { measured: coverage.value, nominal: manifest.spec.interval } : undefined,
        comparisons: {},
        verdict: judge(metrics, candidate.spec.gates),
      };
    }),
});
