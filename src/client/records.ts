import { ShoalError } from '../domain/errors';
import { cardNote, decisionNote, type AskedFor, type CardNote } from '../domain/recordNames';
import type { ProjectSpec, Task } from '../domain/spec';
import { versionIds, type Card, type LabelCheck, type Manifest, type MetricResult, type Release, type SliceResult, type TrainingSummary, type VersionRef, type Verdict } from '../domain/version';
import type { Store } from '../store/store';
import type { Action, LifecycleView, ModelView, ReleaseDecision, ReleaseRecord, ReleaseView } from '../workflows/messages';
import { assertKnown } from './session';

/** What a version is, how it was made, and what it was found to be worth. Plain JSON. */
export interface VersionCard {
  model: string;
  version: string;
  task: Task;
  verdict: Verdict;
  /** The first is the task's headline; each with the baseline's and the champion's on the same rows. */
  metrics: MetricResult[];
  slices?: SliceResult[];
  holdout: { rows: number; share: number };
  /** What the trivial predictor answers. */
  baseline: Manifest['baseline'];
  snapshot: { source: string; sha256: string; rows: number; columns: number };
  /** Version ids by model. */
  upstream: Record<string, string>;
  seed: number;
  timings: { trainSeconds: number; epochs: number; steps: number };
  packages: Record<string, string>;
  training: TrainingSummary;
  labels?: LabelCheck;
  /** The runs that made it, and that evaluated it last. */
  made?: AskedFor;
  evaluated?: AskedFor;
  manifest: Manifest;
}

export interface VersionSummary {
  model: string;
  version: string;
  /** When it was made, ISO; absent of one that was never evaluated. */
  at?: string;
  passed?: boolean;
  reason?: string;
  metric?: MetricResult;
  trigger?: string;
  /** In the current release of a chain. */
  champion: boolean;
}

export type ReleaseStatus = ReleaseDecision['status'] | 'under way';

export interface ReleaseSummary {
  chain: string;
  number: number;
  status: ReleaseStatus;
  /** It answers now. */
  current: boolean;
  at: string;
  reason: string;
  by?: string;
  versions: Record<string, string>;
  /** Newest first. */
  decisions: Pick<ReleaseDecision, 'status' | 'at' | 'reason' | 'by'>[];
}

/** What the workflows say, where they can be asked: undefined where they can't, or have forgotten. */
export interface Ledger {
  model(name: string): Promise<ModelView | undefined>;
  chain(name: string): Promise<ReleaseView | undefined>;
  steps(workflowId: string): Promise<LifecycleView | undefined>;
}

/** A server that is not there is as good as one that has forgotten: what the store keeps is still there to read. */
export function forgiving(ledger: Ledger): Ledger {
  const or = async <T>(asked: Promise<T>): Promise<T | undefined> => {
    try {
      return await asked;
    } catch (error) {
      if (error instanceof ShoalError && ['SERVER_UNREACHABLE', 'SERVER_REFUSED', 'NO_WORKER', 'TIMED_OUT'].includes(error.code)) return undefined;
      throw error;
    }
  };
  return { model: (name) => or(ledger.model(name)), chain: (name) => or(ledger.chain(name)), steps: (id) => or(ledger.steps(id)) };
}

export const NO_LEDGER: Ledger = { model: () => Promise.resolve(undefined), chain: () => Promise.resolve(undefined), steps: () => Promise.resolve(undefined) };

/** Reads back what was made and decided: from the workflows what they remember, the rest from the store. */
export class Records {
  constructor(readonly project: ProjectSpec, readonly store: Store, readonly ledger: Ledger) {}

  /** @param text a version's id or enough of its beginning; the newest when absent. @throws ShoalError UNKNOWN_VERSION */
  async findVersion(model: string, text?: string): Promise<VersionRef> {
    assertKnown(this.project, 'model', model);
    const prefix = `versions/${model}/`;
    const ids = (await this.store.listNotes(prefix)).map((name) => name.slice(prefix.length));
    const wanted = text ?? (await this.newestVersion(model));
    const alike = wanted === undefined ? [] : ids.includes(wanted) ? [wanted] : ids.filter((id) => id.startsWith(wanted));
    if (alike.length === 1) return (await this.store.readNote<VersionRef>(prefix + alike[0]!))!;
    if (alike.length > 1) throw new ShoalError('UNKNOWN_VERSION', `Several versions of ${model} begin with ${wanted}.`, { remedy: `Say which: ${alike.join(', ')}.`, details: { model, there: alike } });
    throw new ShoalError('UNKNOWN_VERSION', wanted === undefined ? `The model ${model} has no version yet.` : `There is no version ${wanted} of ${model}.`, {
      remedy: ids.length > 0 ? `There are: ${ids.slice(0, 10).join(', ')}${ids.length > 10 ? ' ...' : ''}.` : 'Make one with `shoal train`.', details: { model, there: ids },
    });
  }

  private async newestVersion(model: string): Promise<string | undefined> {
    const made = (await this.ledger.model(model))?.runs.find((run) => run.made)?.made?.version.id;
    return made ?? (await this.versions(model, { ask: false })).at(0)?.version;
  }

  /** @throws ShoalError UNKNOWN_VERSION, ARTIFACT_MISSING */
  async card(model: string, version?: string): Promise<VersionCard> {
    const { id } = await this.findVersion(model, version);
    const card = await this.cardOf(model, id);
    if (card) return card;
    throw new ShoalError('ARTIFACT_MISSING', `Version ${id} of ${model} has no card: it was never evaluated.`, { remedy: 'See `shoal status` for what became of its run.', details: { model, version: id } });
  }

  /** Nothing of a version that was never evaluated. */
  async cardOf(model: string, version: string): Promise<VersionCard | undefined> {
    const note = await this.store.readNote<CardNote>(cardNote(model, version));
    if (!note) return undefined;
    const { manifest, training, metrics, slices, holdoutRows, verdict, labels } = await this.store.readJson<Card>(note.card);
    const { spec, snapshot, upstream, packages, baseline } = manifest;
    return {
      model, version, task: spec.task, verdict, metrics, ...(slices && { slices }),
      holdout: { rows: holdoutRows, share: spec.holdout },
      baseline,
      snapshot: { source: snapshot.source, sha256: snapshot.data.sha256, rows: snapshot.rows, columns: snapshot.columns.length },
      upstream: Object.fromEntries(Object.values(upstream).map((ref) => [ref.model, ref.id])),
      seed: spec.seed,
      timings: { trainSeconds: training.seconds, epochs: training.epochs, steps: training.steps },
      packages, training, ...(labels && { labels }),
      ...(note.made && { made: note.made }), ...(note.evaluated && { evaluated: note.evaluated }),
      manifest,
    };
  }

  /** Newest first. */
  async versions(model: string, { ask = true }: { ask?: boolean } = {}): Promise<VersionSummary[]> {
    assertKnown(this.project, 'model', model);
    const prefix = `versions/${model}/`;
    const ids = (await this.store.listNotes(prefix)).map((name) => name.slice(prefix.length));
    const champion = ask ? (await this.ledger.model(model))?.champion?.id : undefined;
    const all = await Promise.all(ids.map(async (version): Promise<VersionSummary> => {
      const card = await this.cardOf(model, version);
      return {
        model, version, champion: version === champion,
        ...(card && { passed: card.verdict.passed, reason: card.verdict.reason }),
        ...(card?.metrics[0] && { metric: card.metrics[0] }),
        ...(card?.made && { at: card.made.at, trigger: card.made.trigger }),
      };
    }));
    return all.sort((a, b) => (b.at ?? '').localeCompare(a.at ?? '') || a.version.localeCompare(b.version));
  }

  /** Newest first, with the one under way. */
  async releases(chain: string): Promise<ReleaseSummary[]> {
    const view = await this.view(chain);
    const records = await this.decided(chain, view);
    const current = view?.current?.number ?? (await this.store.readNote<{ current: Release }>(`chains/${chain}/current`))?.current.number;
    const all = [...records.values()].map(({ number, decisions }): ReleaseSummary => {
      const newest = decisions[0]!;
      const { status, at, reason, by, versions } = newest;
      return {
        chain, number, status, current: number === current, at, reason, ...(by !== undefined && { by }), versions,
        decisions: decisions.map((d) => ({ status: d.status, at: d.at, reason: d.reason, ...(d.by !== undefined && { by: d.by }) })),
      };
    });
    const { rollout, activity } = view ?? {};
    if (rollout && !records.has(rollout.number)) {
      all.push({ chain, number: rollout.number, status: 'under way', current: false, at: rollout.startedAt, reason: activity!, versions: rollout.versions, decisions: [] });
    }
    return all.sort((a, b) => b.number - a.number);
  }

  view(chain: string): Promise<ReleaseView | undefined> {
    assertKnown(this.project, 'chain', chain);
    return this.ledger.chain(chain);
  }

  /** By number: every decision that the workflow remembers or the store keeps, newest first. */
  async decided(chain: string, view: ReleaseView | undefined): Promise<Map<number, ReleaseRecord>> {
    const prefix = decisionNote(chain, 0).slice(0, -1);
    const kept = await Promise.all((await this.store.listNotes(prefix)).map((name) => this.store.readNote<ReleaseRecord>(name)));
    const records = new Map(kept.flatMap((record) => (record ? [[record.number, record] as const] : [])));
    for (const decision of view?.decisions ?? []) {
      const { decisions = [], actions = [] } = records.get(decision.number) ?? {};
      const others = decisions.filter((d) => !(d.at === decision.at && d.status === decision.status));
      // The store's copy is as it was decided; the workflow's may have lost its figures since.
      const both = { ...decision, ...decisions.find((d) => d.at === decision.at && d.status === decision.status) };
      records.set(decision.number, {
        chain, number: decision.number,
        decisions: [both, ...others].sort((a, b) => b.at.localeCompare(a.at)),
        actions: mergeActions((view!.actions).filter((a) => a.number === decision.number), actions),
      });
    }
    // Releases that were in use before decisions were kept.
    const used = `chains/${chain}/releases/`;
    for (const name of await this.store.listNotes(used)) {
      const number = Number(name.slice(used.length));
      if (records.has(number) || view?.rollout?.number === number) continue;
      const release = await this.store.readNote<Release>(name);
      if (release) records.set(number, { chain, number, decisions: [{ number, at: '', versions: versionIds(release), status: 'promoted', reason: 'why is no longer known' }], actions: [] });
    }
    return records;
  }

  async release(chain: string, number: number): Promise<Release | undefined> {
    return this.store.readNote<Release>(`chains/${chain}/releases/${number}`);
  }
}

export function mergeActions(a: Action[], b: Action[]): Action[] {
  return [...a, ...b.filter((one) => !a.some((other) => other.at === one.at && other.action === one.action))].sort((x, y) => y.at.localeCompare(x.at));
}
