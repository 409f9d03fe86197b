import { baselineOutputs } from '../domain/baseline';
import type { Predictions, Truth } from '../domain/evaluate';
import type { Manifest, Release, VersionRef } from '../domain/version';
import { chainHoldout, modelAnswers, releaseAnswers } from './chainHoldout';
import type { Data } from './inputs';
import { judgedRows } from './judged';

/** What a chain is judged on, and how releases and single models answer that. */
export interface JudgedChain {
  /** Of the chain's output stage. */
  manifest: Manifest;
  rows: number;
  truth: Truth;
  baseline: Predictions | undefined;
  release(release: Release): Promise<Predictions>;
  model(ref: VersionRef): Promise<Predictions>;
}

/**
 * A chain that ends in a forecast is judged as that forecast is, from rolling origins: there is no row that asks for the past, and
 * no stage before it that could change what it says.
 */
export async function judgedChain(release: Release, data: Data): Promise<JudgedChain> {
  const manifest = await data.models.manifest(release.versions[release.spec.outputStage]!);
  if (manifest.spec.task === 'forecast') {
    const { rows, truth, baseline, predict } = await judgedRows(manifest, data);
    return { manifest, rows, truth, baseline, release: ({ spec, versions }) => predict(versions[spec.outputStage]!), model: predict };
  }
  const holdout = await chainHoldout(release, data);
  const rows = holdout.rows.length;
  return {
    manifest,
    rows,
    truth: holdout.truth,
    baseline: manifest.spec.task === 'embedding' ? undefined : { outputs: baselineOutputs(manifest.baseline, rows), classes: manifest.classes },
    release: (other) => releaseAnswers(other, holdout, data),
    model: (ref) => modelAnswers(ref, holdout, data),
  };
}
