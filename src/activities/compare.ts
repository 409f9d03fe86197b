import { evaluate as evaluatePredictions } from '../domain/evaluate';
import type { Comparison, Release, VersionRef } from '../domain/version';
import { beating } from './beating';
import type { Data } from './inputs';
import { judgedChain } from './judgedChain';
import { BOOTSTRAP } from './verdict';

export const createCompare = (data: Data) => ({
  /** Scores models that are no part of a chain on the chain's own holdout. */
  compare: ({ release, versions }: { release: Release; versions: Record<string, VersionRef> }): Promise<Record<string, Comparison>> =>
    beating(async () => {
      const { manifest: { spec }, truth, model: answersOf } = await judgedChain(release, data);
      const scored = await Promise.all(Object.entries(versions).map(async ([model, ref]): Promise<[string, Comparison]> => {
        const metrics = evaluatePredictions(spec, { truth, newcomer: await answersOf(ref) }, BOOTSTRAP);
        const { onnx } = await data.models.manifest(ref);
        return [model, { version: ref.id, metrics: metrics.map(({ metric, value }) => ({ metric, value })), onnxBytes: onnx.bytes }];
      }));
      return Object.fromEntries(scored);
    }),
});
