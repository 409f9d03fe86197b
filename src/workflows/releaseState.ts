import { chainModels } from '../domain/spec';
import type { Release, ReleaseEvaluation, VersionRef } from '../domain/version';
import type { ChainDefinition, ReleaseDecision, ReleaseView, Settled } from './messages';

const KEPT_DECISIONS = 20;

/** Plain JSON, so that it can be carried through continue-as-new. */
export interface ReleaseStateData {
  definition: ChainDefinition;
  current?: Release;
  evaluation?: ReleaseEvaluation;
  settled: Record<string, Settled>;
  /** Candidates that were judged, as their key: the same set is not judged twice. */
  judged: string[];
  decisions: ReleaseDecision[];
  numbers: number;
}

/** What a chain's release workflow knows, and which candidate follows from it. Knows nothing of Temporal. */
export class ReleaseState {
  activity = 'waiting for its models';
  /** Nothing is left to judge. */
  idle = false;
  constructor(readonly data: ReleaseStateData) {}

  static fresh(definition: ChainDefinition): ReleaseState {
    return new ReleaseState({ definition, settled: {}, judged: [], decisions: [], numbers: 0 });
  }

  get models(): string[] {
    return chainModels(this.data.definition.spec);
  }

  configure(definition: ChainDefinition): boolean {
    const changed = JSON.stringify(definition) !== JSON.stringify(this.data.definition);
    this.data.definition = definition;
    return changed;
  }

  /**
   * The newest versions as a release, when every model has one and each was trained on the upstream versions that are in the
   * set with it. While a downstream model is still being retrained on a new upstream version there is no candidate: the set moves
   * together or not at all.
   */
  candidate(): Release | undefined {
    const { definition, settled, numbers } = this.data;
    const versions: Record<string, VersionRef> = {};
    for (const model of this.models) {
      const version = settled[model]?.version;
      if (!version) return undefined;
      versions[model] = version;
    }
    for (const model of this.models) {
      for (const [upstream, id] of Object.entries(settled[model]!.upstream)) {
        if (versions[upstream] && versions[upstream].id !== id) return undefined;
      }
    }
    const { spec, dependencies, taskQueues } = definition;
    const release: Release = { chain: spec.name, number: numbers + 1, spec, versions, dependencies, taskQueues };
    return this.data.judged.includes(candidateKey(release)) ? undefined : release;
  }

  /** Why there is no candidate, in words. */
  waitingFor(): string {
    const { settled, current } = this.data;
    const missing = this.models.filter((model) => !settled[model]?.version);
    if (missing.length > 0) {
      return `waiting for ${missing.map((m) => (settled[m]?.refusal ? `${m} (${settled[m].refusal})` : m)).join(', ')} to have a version`;
    }
    const behind = this.models.filter((model) =>
      Object.entries(settled[model]!.upstream).some(([upstream, id]) => settled[upstream]?.version && settled[upstream].version.id !== id));
    if (behind.length > 0) {
      return `waiting for ${behind.map((m) => (settled[m]!.refusal ? `${m} (${settled[m]!.refusal})` : m)).join(', ')} to be retrained on new upstream versions`;
    }
    return current ? `release ${current.number} is in place` : 'the last candidate was refused';
  }

  decide(candidate: Release, decision: Omit<ReleaseDecision, 'number' | 'versions'>): void {
    this.data.numbers = candidate.number;
    // A judge that failed has judged nothing: the set is tried again with the next news.
    if (decision.status !== 'failed') this.data.judged = [candidateKey(candidate), ...this.data.judged].slice(0, KEPT_DECISIONS);
    const versions = Object.fromEntries(Object.values(candidate.versions).map((v) => [v.model, v.id]));
    this.data.decisions = [{ number: candidate.number, versions, ...decision }, ...this.data.decisions].slice(0, KEPT_DECISIONS);
    if (decision.status === 'promoted') {
      this.data.current = candidate;
      this.data.evaluation = decision.evaluation;
    }
  }

  /** Versions of the models the chain is compared with. */
  comparisons(): Record<string, VersionRef> {
    const { definition, settled } = this.data;
    return Object.fromEntries(definition.spec.compareWith.flatMap((model) => (settled[model]?.version ? [[model, settled[model].version]] : [])));
  }

  view(): ReleaseView {
    const { definition, current, evaluation, decisions, settled } = this.data;
    return {
      chain: definition.spec.name,
      current,
      evaluation,
      activity: this.activity,
      idle: this.idle,
      decisions,
      models: Object.fromEntries([...this.models, ...definition.spec.compareWith].map((model) => [
        model,
        { version: settled[model]?.version?.id, refusal: settled[model]?.refusal, batches: settled[model]?.batches ?? [] },
      ])),
    };
  }
}

const candidateKey = ({ versions, spec, taskQueues }: Release): string =>
  JSON.stringify([Object.values(versions).map((v) => `${v.model}@${v.id}`).sort(), spec, taskQueues]);
