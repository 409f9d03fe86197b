import { ShoalError } from '../domain/errors';
import type { AskedFor } from '../domain/recordNames';
import { lifecycleWorkflowId, type Action, type PhasePassed, type ReleaseDecision, type Rollout, type RunRecord, type Step } from '../workflows/messages';
import { pick } from './lineage';
import { mergeActions, type Records, type ReleaseStatus, type ReleaseSummary, type VersionCard } from './records';

/** A version by its id or enough of its beginning, or by the run that made it; a release by its number. The newest when left out. */
export type ExplainQuestion = { model: string; version?: string; run?: number } | { chain: string; number?: number };

/** Why a version is what it is. Plain JSON. */
export interface VersionExplanation {
  kind: 'version';
  model: string;
  /** Absent of a run that came to none. */
  version?: string;
  /** What asked for the run that made it, and what came of that. */
  asked?: AskedFor;
  run?: Pick<RunRecord, 'run' | 'startedAt' | 'endedAt' | 'status' | 'reason'>;
  /** The run's steps, where the server still knows them. */
  steps?: Step[];
  card?: VersionCard;
  /** What chains made of it. */
  releases: ReleaseSummary[];
  /** Whether the server was there to tell, or all is from the store. */
  from: 'server' | 'store';
}

/** Why a release is in place, or is not. Plain JSON. */
export interface ReleaseExplanation {
  kind: 'release';
  chain: string;
  number: number;
  status: ReleaseStatus;
  current: boolean;
  versions: Record<string, string>;
  /** Those that were not in the release in place before it, and why they were made. */
  fresh: { model: string; version: string; asked?: AskedFor; reason?: string }[];
  origin?: Rollout['origin'];
  trail: PhasePassed[];
  /** Newest first; each with the figures it rests on, where they are known. */
  decisions: ReleaseDecision[];
  /** Who stepped in, newest first. */
  actions: Action[];
  /** Of one under way: what it is doing. */
  activity?: string;
  from: 'server' | 'store';
}

export type Explanation = VersionExplanation | ReleaseExplanation;

export const explanationOf = (of: ExplainQuestion, records: Records): Promise<Explanation> =>
  ('model' in of ? explainVersion(of, records) : explainRelease(of, records));

async function explainVersion({ model, version, run }: { model: string; version?: string; run?: number }, records: Records): Promise<VersionExplanation> {
  const view = await records.ledger.model(model);
  const from = view ? 'server' : 'store';
  const newest = version === undefined ? view?.runs.find((r) => run === undefined || r.run === run) : undefined;
  if (run !== undefined && !newest) {
    throw new ShoalError('UNKNOWN_VERSION', `Run ${run} of ${model} is not among those that are remembered.`, { remedy: view?.runs.length ? `They are: ${view.runs.map((r) => r.run).join(', ')}.` : 'The server remembers none.' });
  }
  // A run that came to no version has a reason, too.
  const id = newest && !newest.made ? undefined : (newest?.made?.version.id ?? (await records.findVersion(model, version)).id);
  const card = id === undefined ? undefined : await records.cardOf(model, id);
  const record = newest ?? (view?.runs.find((r) => r.made?.version.id === id && r.status !== 'unchanged') ?? view?.runs.find((r) => r.made?.version.id === id));
  const asked: AskedFor | undefined = record
    ? { run: record.run, trigger: record.request.trigger, reason: record.request.reason, by: record.request.by, at: record.startedAt }
    : card?.made;
  const steps = asked && (await records.ledger.steps(lifecycleWorkflowId(model, asked.run)))?.steps;
  return {
    kind: 'version', model, ...(id !== undefined && { version: id }), ...(asked && { asked }),
    ...(record && { run: { run: record.run, startedAt: record.startedAt, endedAt: record.endedAt, status: record.status, reason: record.reason } }),
    ...(steps && { steps }), ...(card && { card }),
    releases: id === undefined ? [] : await releasesWith(model, id, records),
    from,
  };
}

async function releasesWith(model: string, version: string, records: Records): Promise<ReleaseSummary[]> {
  const all = await Promise.all(Object.keys(records.project.chains).map((chain) => records.releases(chain)));
  return all.flat().filter((r) => r.versions[model] === version).sort((a, b) => b.at.localeCompare(a.at));
}

async function explainRelease({ chain, number: asked }: { chain: string; number?: number }, records: Records): Promise<ReleaseExplanation> {
  const view = await records.view(chain);
  const releases = await records.releases(chain);
  const { number, status, current, versions } = pick(releases, { chain, number: asked });
  const record = (await records.decided(chain, view)).get(number);
  const rollout = view?.rollout?.number === number ? view.rollout : undefined;
  const decisions = record?.decisions ?? [];
  const first = decisions.find((d) => d.trail) ?? decisions.at(-1);
  const actions = mergeActions((view?.actions ?? []).filter((a) => a.number === number), record?.actions ?? []);
  const origin = rollout?.origin ?? first?.origin;
  return {
    kind: 'release', chain, number, status, current, versions,
    fresh: await freshIn({ versions, startedAt: rollout?.startedAt ?? first?.trail?.[0]?.at ?? first?.at ?? '' }, releases, records),
    ...(origin && { origin }),
    trail: rollout?.trail ?? first?.trail ?? [],
    decisions, actions,
    ...(rollout && { activity: view!.activity }),
    from: view ? 'server' : 'store',
  };
}

/** Compared with the release that was in place when it began. */
async function freshIn(of: { versions: Record<string, string>; startedAt: string }, releases: ReleaseSummary[], records: Records): Promise<ReleaseExplanation['fresh']> {
  const inPlace = releases
    .flatMap(({ versions, decisions }) => decisions.filter((d) => d.status === 'promoted' && d.at < of.startedAt).map((d) => ({ at: d.at, versions })))
    .sort((a, b) => b.at.localeCompare(a.at))[0]?.versions ?? {};
  const fresh = Object.entries(of.versions).filter(([model, id]) => inPlace[model] !== id);
  return Promise.all(fresh.map(async ([model, version]) => {
    const card = await records.cardOf(model, version);
    return { model, version, ...(card?.made && { asked: card.made }), ...(card && { reason: card.verdict.reason }) };
  }));
}
