import { diagnose } from '../domain/diagnosis';
import { reportNote, type ReportName } from '../domain/reportNames';
import type { FallbackSpec, ModelSpec } from '../domain/spec';
import type { Ablation, ArtifactRef, Card, MetricResult, Release, ReleaseEvaluation, SliceResult, VersionRef } from '../domain/version';
import {
  releaseReport, versionReport,
  type CanaryLook, type DriftRow, type ReleaseReportData, type SliceRow, type StageShare, type Suspects, type VersionReportData,
} from '../report';
import { beating } from './beating';
import type { Data } from './inputs';
import { judgedRows } from './judged';
import { judgedChain } from './judgedChain';
import { recall } from './memory';

/** What others have found out, as the report takes it. */
export interface VersionExtras { slices?: SliceRow[]; suspects?: Suspects; drift?: DriftRow[] }

export interface VersionReportInput { version: VersionRef; /** Of its evaluation. */ card: ArtifactRef; extras?: VersionExtras }
export interface ReleaseReportInput {
  release: Release;
  status: ReleaseReportData['status'];
  evaluation: ReleaseEvaluation;
  /** What the judge saw of it, look by look. */
  canary?: CanaryLook[];
}

/**
 * Draws what has been decided: reports decide nothing. The same input gives the same file; a version's or a release's note names the
 * report that was asked for last.
 */
export const createReport = (data: Data) => ({
  reportVersion: (input: VersionReportInput): Promise<ArtifactRef> =>
    beating(() => {
      const { model, id } = input.version;
      return noted({ model, version: id }, input, async () => versionReport(await versionData(input, data)), data);
    }),

  reportRelease: (input: ReleaseReportInput): Promise<ArtifactRef> =>
    beating(() => {
      const { chain, number } = input.release;
      return noted({ chain, number }, input, async () => releaseReport(await releaseData(input, data)), data);
    }),
});

async function noted(of: ReportName, input: unknown, write: () => Promise<string>, { store }: Data): Promise<ArtifactRef> {
  const note = reportNote(of);
  const work = async () => store.put(Buffer.from(await write()), 'html');
  const { result } = await recall(store, 'reports', { note, input }, work, (ref) => [ref]);
  await store.writeNote(note, result);
  return result;
}

async function versionData({ version, card: ref, extras }: VersionReportInput, data: Data): Promise<VersionReportData> {
  const { manifest, training, metrics, slices, holdoutRows, verdict, labels } = await data.store.readJson<Card>(ref);
  const judged = await judgedRows(manifest, data);
  const predictions = await judged.predict(version);
  const { snapshot } = manifest;
  return {
    model: version.model,
    task: manifest.spec.task,
    version: version.id,
    verdict,
    metrics,
    scale: scaleOf(manifest.spec),
    holdoutRows,
    training,
    diagnosis: diagnose(manifest.spec, { truth: judged.truth, predictions, baseline: judged.baseline }),
    slices: slicesOf(slices, metrics),
    suspects: labels && { rows: labels.rows, total: labels.suspects, byReason: Object.entries(labels.byReason).map(([reason, rows]) => ({ reason, rows })), examples: labels.examples },
    ...extras,
    madeFrom: {
      source: snapshot.source,
      rows: snapshot.rows,
      snapshot: snapshot.data.sha256,
      inputs: manifest.features.map(({ name, type, width }) => ({ name, type: width === undefined ? type : `${type} of ${width}` })),
      upstream: Object.values(manifest.upstream).map(({ model, id }) => ({ model, version: id })),
      packages: manifest.packages,
    },
  };
}

async function releaseData({ release, status, evaluation, canary }: ReleaseReportInput, data: Data): Promise<ReleaseReportData> {
  const { spec, versions, dependencies } = release;
  const judged = await judgedChain(release, data);
  const manifests = Object.fromEntries(await Promise.all(Object.values(versions).map(async (ref) => [ref.model, await data.models.manifest(ref)] as const)));
  return {
    chain: release.chain,
    number: release.number,
    status,
    verdict: evaluation.verdict,
    metrics: evaluation.metrics,
    scale: scaleOf(judged.manifest.spec),
    holdoutRows: evaluation.rows,
    stages: spec.stages.map(({ model, fallback }) => ({
      stage: model,
      task: manifests[model]!.spec.task,
      version: versions[model]!.id,
      needs: dependencies[model] ?? [],
      onnxBytes: manifests[model]!.onnx.bytes,
      fallback: fallback && inWords(fallback),
    })),
    outputStage: spec.outputStage,
    diagnosis: diagnose(judged.manifest.spec, { truth: judged.truth, predictions: await judged.release(release), baseline: judged.baseline }),
    comparisons: Object.entries(evaluation.comparisons).map(([model, comparison]) => ({ model, ...comparison })),
    shares: evaluation.ablation && sharesOf(evaluation.ablation, evaluation.metrics),
    slices: slicesOf(evaluation.slices, evaluation.metrics),
    canary,
  };
}

function sharesOf({ metric, components }: Ablation, metrics: readonly MetricResult[]): StageShare[] {
  const better = metrics.find((m) => m.metric === metric)?.better ?? 'lower';
  return components.map(({ model, without, gain, cost, worth }) => ({
    stage: model, metric, better, without, gain: gain.value, low: gain.low, high: gain.high, seconds: cost.trainSeconds, bytes: cost.onnxBytes, worth,
  }));
}

function slicesOf(slices: readonly SliceResult[] | undefined, metrics: readonly MetricResult[]): SliceRow[] | undefined {
  return slices?.flatMap(({ slice, rows, metrics: measured }) => measured.map(({ metric, better, value }) => (
    { slice, rows, metric, better, value, overall: metrics.find((m) => m.metric === metric)?.value ?? NaN })));
}

const inWords = (fallback: FallbackSpec): string =>
  (fallback.kind === 'model' ? `the model ${fallback.model}` : fallback.kind === 'baseline' ? 'its baseline' : 'a fixed value');

const scaleOf = (spec: ModelSpec): 'linear' | 'log10' | undefined => ('scale' in spec ? spec.scale : undefined);
