import { cardNote, type AskedFor, type CardNote } from '../domain/recordNames';
import type { GateSpec } from '../domain/spec';
import type { ArtifactRef, Card, Evaluation, LabelCheck, TrainingSummary, VersionRef } from '../domain/version';
import type { Store } from '../store/store';
import { beating } from './beating';
import type { Data } from './inputs';
import { judgedRows, type Judged } from './judged';
import { recall } from './memory';
import { judgeCase, type Contestant } from './verdict';

export interface EvaluationInput {
  version: VersionRef;
  training: TrainingSummary;
  gates: GateSpec[];
  champion?: VersionRef;
  /** For the card. */
  labels?: LabelCheck;
  /** For the record. */
  asked?: AskedFor;
}

export const createEvaluate = (data: Data) => ({
  /** Scores a version, its champion and the baseline on the same rows, which none was trained on, and holds its gates against it. */
  evaluate: (input: EvaluationInput): Promise<Evaluation> =>
    beating(async () => {
      const { version, gates, labels } = input;
      const champion = input.champion?.id === version.id ? undefined : input.champion;
      const work = () => evaluateVersion({ ...input, champion }, data);
      // A champion that can't be scored now may be mended.
      const lasts = ({ unscored }: Evaluation): boolean => unscored === undefined;
      const { result } = await recall(data.store, 'evaluations', { version: version.id, champion: champion?.id, gates, ...(labels && { labels }) }, work, (e) => [e.card], lasts);
      await noteCard(data.store, { version, card: result.card, asked: input.asked });
      return result;
    }),
});

async function evaluateVersion({ version, training, gates, champion, labels }: EvaluationInput, data: Data): Promise<Evaluation> {
  const manifest = await data.models.manifest(version);
  const judged = await judgedRows(manifest, data);
  const { metrics, slices, shown, unscored, verdict } = await judgeCase({
    spec: manifest.spec,
    truth: judged.truth,
    baseline: judged.baseline,
    newcomer: contestant(version, judged, data),
    champion: champion && { ...contestant(champion, judged, data), version: champion.id },
    gates,
    slices: judged.slices,
  });
  const card: Card = { version, manifest, training, metrics, slices, holdoutRows: judged.rows, verdict, labels };
  return { version, rows: judged.rows, metrics, slices: shown, unscored, verdict, card: await data.store.putJson(card) };
}

/** The newest card counts; who asked for the version first is kept. */
async function noteCard(store: Store, { version, card, asked }: { version: VersionRef; card: ArtifactRef; asked?: AskedFor }): Promise<void> {
  const name = cardNote(version.model, version.id);
  const known = await store.readNote<CardNote>(name);
  await store.writeNote(name, { card, made: known?.made ?? asked, evaluated: asked } satisfies CardNote);
}

const contestant = (ref: VersionRef, judged: Judged, data: Data): Contestant => ({
  predictions: () => judged.predict(ref),
  onnxBytes: async () => (await data.models.manifest(ref)).onnx.bytes,
  latency: () => judged.latency(ref),
});
