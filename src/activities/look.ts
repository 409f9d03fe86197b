import { setTimeout as sleep } from 'node:timers/promises';
import { loadTable } from '../data/loadTable';
import { observe } from '../data/observations';
import { VISIBLE_MS, type RequestLog } from '../data/requestLog';
import { judgeCanary } from '../domain/canaryJudge';
import { HOLDOUT, splitByKey } from '../domain/split';
import type { Release } from '../domain/version';
import type { Look } from '../workflows/messages';
import { answerUnseen } from './answerUnseen';
import { beating } from './beating';
import type { Data } from './inputs';

export interface LookRequest {
  /** The release in question, and the one it is compared with. */
  candidate: Release;
  reference: Release;
  /** From when on recorded requests count, which both answer; and from when on chance chose who answers. ISO. */
  recordedSince: string;
  since: string;
  /** Since when live requests are counted, ISO. */
  phaseAt: string;
  /** Who answers unseen what it was not asked. */
  unseen: 'candidate' | 'both' | 'none';
}

export type LookData = Data & { log: RequestLog; now: () => number };

export const createLook = (data: LookData) => {
  const trained = rememberTrainedKeys(data);
  return {
    /**
     * Answers unseen the requests that a release was not asked, and compares the two on all of them. The same requests and outcomes give the
     * same verdict.
     */
    look: (request: LookRequest): Promise<Look> => beating(({ report }) => look(request, { ...data, trained }, report)),
  };
};

type TrainedKeys = (releases: Release[]) => Promise<ReadonlySet<string>>;

async function look(request: LookRequest, data: LookData & { trained: TrainedKeys }, report: (value: unknown) => void): Promise<Look> {
  const { candidate, reference, recordedSince, since, phaseAt, unseen } = request;
  const { store, log } = data;
  const { chain, spec: { rollout, outputStage } } = candidate;
  let answered = 0;
  if (unseen !== 'none') answered += await answerUnseen({ release: candidate, since: recordedSince }, data, report);
  if (unseen === 'both') answered += await answerUnseen({ release: reference, since: recordedSince }, data, report);
  // What was just written can be seen a moment later.
  if (answered > 0) await sleep(VISIBLE_MS + 50);

  const { spec } = await data.models.manifest(candidate.versions[outputStage]!);
  const observations = await observe(store, {
    chain, candidate: candidate.number, reference: reference.number, since, recordedSince, spec, now: data.now(),
    // Pairs are complete a look later than their request came.
    ...(unseen === 'both' && { settleMs: 2 * rollout.everyMs + SETTLE_MS }),
    withoutLoss: await data.trained([candidate, reference]),
  });
  const { live, shadow, lastRequestAt } = await log.count({ chain, since: phaseAt, release: candidate.number });
  const { errorRate, tolerance, requests: minimum } = rollout;
  return { verdict: judgeCanary(observations, { errorRate, tolerance, minimum, output: spec.task === 'classification' ? 'class' : 'number' }), live, unseen: shadow, lastRequestAt, at: new Date(data.now()).toISOString() };
}

const SETTLE_MS = 5_000;

/** Looks at the same two releases follow each other: their keys are kept until others come. */
function rememberTrainedKeys(data: Data): TrainedKeys {
  let last: { of: string; keys: Promise<ReadonlySet<string>> } | undefined;
  return (releases) => {
    const of = releases.flatMap((release) => Object.values(release.versions).map(({ id }) => id)).join();
    if (last?.of !== of) {
      last = { of, keys: trainedKeys(releases, data) };
      last.keys.catch(() => { last = undefined; });
    }
    return last.keys;
  };
}

/** What a model was trained on says nothing of how well it predicts. */
export async function trainedKeys(releases: Release[], data: Data): Promise<ReadonlySet<string>> {
  const versions = new Map(releases.flatMap((release) => Object.values(release.versions)).map((ref) => [ref.id, ref]));
  const trained = new Set<string>();
  for (const ref of versions.values()) {
    const { spec, snapshot } = await data.models.manifest(ref);
    if (spec.task === 'forecast') continue;
    const { keys } = await loadTable(data.store, snapshot, []);
    const { folds } = splitByKey(keys, { holdout: spec.holdout, foldCount: 1 });
    keys.forEach((key, row) => { if (folds[row] !== HOLDOUT) trained.add(key); });
  }
  return trained;
}
