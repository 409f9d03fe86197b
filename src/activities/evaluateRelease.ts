import type { ModelSpec } from '../domain/spec';
import type { MetricResult, Release, ReleaseEvaluation } from '../domain/version';
import { beating } from './beating';
import type { Data } from './inputs';
import { judgedChain, type JudgedChain } from './judgedChain';
import { judgeCase, type Contestant } from './verdict';

export const createEvaluateRelease = (data: Data) => ({
  /** Scores a candidate for a chain end to end, paired with the current release and the baseline, on rows that none of its models saw. */
  evaluateRelease: ({ candidate, current }: { candidate: Release; current?: Release }): Promise<ReleaseEvaluation> =>
    beating(async () => {
      const judged = await judgedChain(candidate, data);
      const { manifest: { spec }, truth, rows, baseline } = judged;
      const { metrics, slices, shown, unscored, verdict } = await judgeCase({
        spec,
        truth,
        baseline,
        newcomer: contestant(candidate, judged, data),
        champion: current && { ...contestant(current, judged, data), version: `release ${current.number}` },
        gates: candidate.spec.gates,
        slices: judged.slices,
      });
      const more = slices && slices.length > shown!.length;
      return {
        rows, metrics, coverage: coverageOf(metrics, spec), comparisons: {}, slices: shown, allSlices: more ? await data.store.putJson(slices) : undefined, unscored, verdict,
      };
    }),
});

const contestant = (release: Release, judged: JudgedChain, data: Data): Contestant => ({
  predictions: () => judged.release(release),
  onnxBytes: async () => {
    const manifests = await Promise.all(Object.values(release.versions).map((ref) => data.models.manifest(ref)));
    return manifests.reduce((sum, { onnx }) => sum + onnx.bytes, 0);
  },
  latency: () => judged.latency(release),
});

function coverageOf(metrics: readonly MetricResult[], spec: ModelSpec): ReleaseEvaluation['coverage'] {
  const coverage = metrics.find(({ metric }) => metric === 'coverage');
  return coverage && 'interval' in spec ? { measured: coverage.value, nominal: spec.interval } : undefined;
}
