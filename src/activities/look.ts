import { splitByKey, HOLDOUT } from '../domain/split';
import { loadTable } from '../data/loadTable';
import { observe } from '../data/observations';
import type { RequestLog } from '../data/requestLog';
import { judgeCanary } from '../domain/canaryJudge';
import type { Observation } from '../domain/rollout';
import type { Release } from '../domain/version';
import type { Look } from '../workflows/messages';
import { answerUnseen } from './answerUnseen';
import { beating } from './beating';
import type { Data } from './inputs';

export interface LookRequest {
  /** The release in question, and the one it is compared with. */
  candidate: Release;
  reference: Release;
  /** From when on requests count, ISO. */
  since: string;
  /** Since when live requests are counted, ISO. */
  phaseAt: string;
  /** Who answers unseen what it was not asked. */
  unseen: 'candidate' | 'reference' | 'both' | 'none';
}

export const createLook = (data: Data & { log: RequestLog; now: () => number }) => ({
  /**
   * Answers unseen the requests that a release was not asked, and compares the two on all of them. The same requests and outcomes give the
   * same verdict.
   */
  look: (request: LookRequest): Promise<Look> => beating(async ({ report }) => look(request, data, report)),
});

async function look(request: LookRequest, data: Data & { log: RequestLog; now: () => number }, report: (value: unknown) => void): Promise<Look> {
  const { candidate, reference, since, phaseAt, unseen } = request;
  const { store, log } = data;
  const { chain } = candidate;
  if (unseen === 'candidate' || unseen === 'both') await answerUnseen({ release: candidate, since }, data, report);
  if (unseen === 'reference' || unseen === 'both') await answerUnseen({ release: reference, since }, data, report);

  const manifest = await data.models.manifest(candidate.versions[candidate.spec.outputStage]!);
  const observed = await observe({ chain, candidate: candidate.number, reference: reference.number, since, spec: manifest.spec }, { store, log });
  const seen = await trainedKeys([candidate, reference], data);
  const observations = observed.map(({ keys, ...observation }) => (keys.some((key) => seen.has(key)) ? withoutLoss(observation) : observation));
  const { errorRate, tolerance, requests: minimum } = candidate.spec.rollout;
  const counts = await log.count({ chain, since: phaseAt, release: candidate.number });
  return {
    verdict: judgeCanary(observations, { errorRate, tolerance, minimum }),
    live: counts.live,
    unseen: counts.shadow,
    lastRequestAt: counts.lastRequestAt,
    at: new Date(data.now()).toISOString(),
  };
}

/** What a model was trained on says nothing about how well it predicts. */
async function trainedKeys(releases: Release[], data: Data): Promise<ReadonlySet<string>> {
  const seen = new Set<string>();
  for (const ref of releases.flatMap((release) => Object.values(release.versions))) {
    const { spec, snapshot } = await data.models.manifest(ref);
    if (spec.task === 'forecast') continue;
    const { keys } = await loadTable(data.store, snapshot, []);
    const { folds } = splitByKey(keys, { holdout: spec.holdout, foldCount: 1 });
    keys.forEach((key, row) => { if (folds[row] !== HOLDOUT) seen.add(key); });
  }
  return seen;
}

function withoutLoss({ candidate, reference, ...rest }: Observation): Observation {
  const stripped = ({ loss: _loss, ...answered }: NonNullable<Observation['candidate']>) => answered;
  return { ...rest, candidate: candidate && stripped(candidate), reference: reference && stripped(reference) };
}
