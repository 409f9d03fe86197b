import { baselineOutputs } from '../domain/baseline';
import type { Predictions, Truth } from '../domain/evaluate';
import type { Slice } from '../domain/slices';
import type { SliceSpec } from '../domain/spec';
import type { Manifest, Release, VersionRef } from '../domain/version';
import type { Latency } from '../serve/latency';
import { chainHoldout, modelAnswers, releaseAnswers, releaseLatency, type ChainHoldout } from './chainHoldout';
import type { Data } from './inputs';
import { judgedRows } from './judged';
import { rowSlices } from './slices';

/** What a chain is judged on, and how releases and single models answer that. */
export interface JudgedChain {
  /** Of the chain's output stage. */
  manifest: Manifest;
  rows: number;
  /** None of a chain that ends in a forecast. */
  holdout?: ChainHoldout;
  truth: Truth;
  baseline: Predictions | undefined;
  release(release: Release): Promise<Predictions>;
  /** How long a release takes for one row, all its stages together. */
  latency(release: Release): Promise<Latency>;
  model(ref: VersionRef): Promise<Predictions>;
  slices(of: SliceSpec): Promise<Slice[]>;
}

/**
 * A chain that ends in a forecast is judged as that forecast is, from rolling origins: there is no row that asks for the past, and
 * no stage before it that could change what it says.
 */
export async function judgedChain(release: Release, data: Data): Promise<JudgedChain> {
  const manifest = await data.models.manifest(release.versions[release.spec.outputStage]!);
  if (manifest.spec.task === 'forecast') {
    const { rows, truth, baseline, predict, latency, slices } = await judgedRows(manifest, data);
    const output = ({ spec, versions }: Release): VersionRef => versions[spec.outputStage]!;
    return { manifest, rows, truth, baseline, slices, release: (other) => predict(output(other)), latency: (other) => latency(output(other)), model: predict };
  }
  const holdout = await chainHoldout(release, data);
  const rows = holdout.rows.length;
  return {
    manifest,
    rows,
    holdout,
    truth: holdout.truth,
    baseline: manifest.spec.task === 'embedding' ? undefined : { outputs: baselineOutputs(manifest.baseline, rows), classes: manifest.classes },
    release: (other) => releaseAnswers(other, holdout, data),
    latency: (other) => releaseLatency(other, holdout, data),
    model: (ref) => modelAnswers(ref, holdout, data),
    slices: (of) => rowSlices(of, holdout.rows, { store: data.store, snapshot: manifest.snapshot }),
  };
}
