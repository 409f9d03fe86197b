import type { ReleaseReportInput } from '../activities/report';
import type { ChainNeeds } from '../domain/garbage';
import { topologicalOrder } from '../domain/graph';
import { chainModels } from '../domain/spec';
import { versionIds, type Release, type ReleaseEvaluation, type Routing, type VersionRef } from '../domain/version';
import { newMisfits, nextSet, versionKey, type NextSet } from './candidates';
import { observedHealth, type Health, type HealthChange } from '../domain/health';
import type { Observed } from '../domain/monitor';
import { activityOf } from './releaseWords';
import type {
  Action, Bake, ChainDefinition, Command, Ignored, Look, Phase, PhasePassed, SeenCheck, Proposal, ReleaseDecision, ReleaseEvent, ReleaseRecord, ReleaseView, Rollout, Settled,
} from './messages';

const KEPT_DECISIONS = 20;
/** Older decisions keep their reason. */
const KEPT_EVALUATIONS = 4;
const KEPT_ACTIONS = 20;
const KEPT_SEEN = 120;
const KEPT_EVENTS = 120;
const KEPT_UNRECORDED = 20;
const KEPT_UNDRAWN = 20;
const KEPT_ANSWERS = 100;
const KEPT_VERSIONS = 200;
const KEPT_IGNORED = 5;

/** Plain JSON, so that it can be carried through continue-as-new. */
export interface ReleaseStateData {
  definition: ChainDefinition;
  /** Of the routing. */
  revision: number;
  current?: Release;
  previous?: Release;
  evaluation?: ReleaseEvaluation;
  settled: Record<string, Settled>;
  /** By model and id, the upstream versions that a version was trained on; the newest last. */
  trainedOn: Record<string, Record<string, string>>;
  /** Candidates that had their verdict, as their key: the same set is not judged twice. */
  judged: string[];
  /** New versions against which downstream models were asked to retrain. */
  cascaded: string[];
  proposals: Proposal[];
  rollout?: Rollout;
  bake?: Bake;
  /** What is alerted, and what the monitor saw last. */
  health?: Health;
  /** Why the pointer does not say yet what is said here. */
  unpublished?: string;
  /** Decisions that the hooks are still to be told of; there are none where there are no hooks. */
  untold?: ReleaseDecision[];
  decisions: ReleaseDecision[];
  actions: Action[];
  events?: ReleaseEvent[];
  /** Decisions that the store does not keep yet. */
  unrecorded?: ReleaseRecord[];
  /** What was decided of which no report is drawn yet. */
  undrawn?: ReleaseReportInput[];
  /** By the key of a person's or a program's command, what it was answered. */
  answers?: Record<string, { number: number } | null>;
  ignored?: Ignored[];
  numbers: number;
}

/** What a chain's release workflow knows, and what follows from it. Knows nothing of Temporal. */
export class ReleaseState {
  /** What it does at the moment, where that is more than its data says. */
  doing: string | undefined;
  /** Nothing is left to do but to wait for requests, time or people. */
  idle = false;
  constructor(readonly data: ReleaseStateData) {}

  static fresh(definition: ChainDefinition): ReleaseState {
    return new ReleaseState({
      definition, revision: 0, settled: {}, trainedOn: {}, judged: [], cascaded: [], proposals: [], decisions: [], actions: [], numbers: 0,
    });
  }

  /** Of the chain, upstream first. */
  get models(): string[] {
    const { spec, upstream } = this.data.definition;
    return topologicalOrder(chainModels(spec), (model) => upstream[model] ?? []).order;
  }

  configure(definition: ChainDefinition): boolean {
    // Who is told is no part of what the chain is.
    const judged = ({ hooks: _hooks, ...rest }: ChainDefinition) => JSON.stringify(rest);
    const changed = judged(definition) !== judged(this.data.definition);
    this.data.definition = definition;
    if (changed) this.data.cascaded = [];
    return changed;
  }

  hear(settled: Settled): void {
    this.data.settled[settled.model] = settled;
    if (settled.version) this.remember(settled.version, settled.upstream);
  }

  private remember(version: VersionRef, upstream: Record<string, string>): void {
    const { [versionKey(version)]: _known, ...others } = this.data.trainedOn;
    this.data.trainedOn = Object.fromEntries([...Object.entries(others), [versionKey(version), upstream] as const].slice(-KEPT_VERSIONS));
  }

  next(): NextSet {
    const { definition, settled, current, trainedOn, cascaded } = this.data;
    return nextSet({ definition, models: this.models, settled, current, trainedOn, cascaded, isJudged: (versions) => this.isJudged(versions) });
  }

  private isJudged(versions: Record<string, VersionRef>): boolean {
    const key = candidateKey(this.releaseOf(versions, 0));
    return this.data.judged.includes(key) || (this.data.current !== undefined && candidateKey(this.data.current) === key);
  }

  releaseOf(versions: Record<string, VersionRef>, number: number): Release {
    const { spec, dependencies, taskQueues } = this.data.definition;
    return { chain: spec.name, number, spec, versions, dependencies, taskQueues };
  }

  /** A new candidate takes the next number, whatever becomes of it. */
  begin(versions: Record<string, VersionRef>, origin: Rollout['origin'], at: string): Rollout {
    return this.beginWith(this.releaseOf(versions, ++this.data.numbers), origin, at);
  }

  private beginWith(candidate: Release, origin: Rollout['origin'], at: string): Rollout {
    this.data.rollout = { candidate, origin, phase: 'judging', step: 0, weight: 0, startedAt: at, phaseAt: at, pausedMs: 0 };
    this.came(at);
    return this.data.rollout;
  }

  /** Queues a proposal: one that is forced before those that are not. Returns its number. */
  propose(given: Record<string, VersionRef>, { by, reason, force }: Command & { force: boolean }): number {
    const number = ++this.data.numbers;
    const { proposals } = this.data;
    proposals.splice(force ? this.forcedProposals : proposals.length, 0, { given, by, reason, force, number });
    return number;
  }

  private get forcedProposals(): number {
    return this.data.proposals.filter(({ force }) => force).length;
  }

  /** Models of which neither a proposal nor the current release has a version. */
  lacking(given: Record<string, VersionRef>): string[] {
    return this.models.filter((model) => !given[model] && !this.data.current?.versions[model]);
  }

  /** Takes up a proposal, with all it does not name as in the release that is in place now. */
  beginProposal(proposal: Proposal, at: string): void {
    const { by, reason, given, number, force } = proposal;
    const versions = Object.fromEntries(this.models.flatMap((model) => {
      const version = given[model] ?? this.data.current?.versions[model];
      return version ? [[model, version]] : [];
    }));
    const rollout = this.beginWith(this.releaseOf(versions, number), { kind: 'proposal', by, reason }, at);
    rollout.proposal = proposal;
    if (!force) return;
    rollout.forced = { by, reason };
    this.enter('promoting', at);
  }

  /**
   * The release that the candidate under way was compared with is no longer in place: a proposal is taken up anew, and judged against the new
   * one; what else is to be tried is found anew.
   */
  setAside(): void {
    const { rollout, proposals } = this.data;
    if (rollout?.proposal) proposals.splice(this.forcedProposals, 0, rollout.proposal);
    delete this.data.rollout;
  }

  pause(command: Command, at: string): void {
    this.data.rollout!.paused = { ...command, at };
  }

  resume(at: string): void {
    const rollout = this.data.rollout!;
    rollout.pausedMs += Date.parse(at) - Math.max(Date.parse(rollout.paused!.at), Date.parse(rollout.phaseAt));
    delete rollout.paused;
  }

  enter(phase: Phase, at: string): void {
    const rollout = this.data.rollout!;
    Object.assign(rollout, { phase, phaseAt: at, pausedMs: 0 });
    if (phase !== 'canary') rollout.step = 0;
    rollout.weight = phase === 'canary' ? this.steps[rollout.step]! : phase === 'asking' ? rollout.weight : 0;
    this.came(at);
  }

  enterStep(step: number, at: string): void {
    const rollout = this.data.rollout!;
    Object.assign(rollout, { step, phaseAt: at, pausedMs: 0, weight: this.steps[step]! });
    this.came(at);
  }

  /** The candidate has come to where it is now. */
  private came(at: string): void {
    const { phase, step, weight, candidate, trail } = this.data.rollout!;
    const where = { phase, ...(phase === 'canary' && { step, weight }) };
    this.data.rollout!.trail = [...(trail ?? []), { ...where, at }];
    this.tell({ kind: 'phase', at, number: candidate.number, ...where });
  }

  /** What was found of the candidate where it is. */
  say(said: Pick<PhasePassed, 'said' | 'verdict' | 'requests'>): void {
    const { trail } = this.data.rollout!;
    if (trail) Object.assign(trail.at(-1)!, said);
  }

  private tell(event: ReleaseEvent extends infer E ? (E extends ReleaseEvent ? Omit<E, 'seq'> : never) : never): void {
    const { events = [] } = this.data;
    this.data.events = [...events, { seq: (events.at(-1)?.seq ?? 0) + 1, ...event } as ReleaseEvent].slice(-KEPT_EVENTS);
  }

  get steps(): number[] {
    return this.data.rollout!.candidate.spec.rollout.steps;
  }

  /** Whether a person must approve the candidate, and has not. */
  needsApproval(): boolean {
    const { rollout, definition, current } = this.data;
    if (!rollout || rollout.approved) return false;
    const { versions, spec } = rollout.candidate;
    return spec.approval === 'manual'
      || definition.approval.some((model) => versions[model] && versions[model].id !== current?.versions[model]?.id);
  }

  /** What the pointer should say. */
  routing(): Routing | undefined {
    const { current, previous, rollout, revision, definition } = this.data;
    if (!current) return undefined;
    const candidate = rollout && ['shadow', 'canary', 'asking', 'promoting'].includes(rollout.phase) ? { release: rollout.candidate, weight: rollout.weight } : undefined;
    return { chain: definition.spec.name, revision, current, candidate, previous, keyColumns: definition.keyColumns };
  }

  /** How to put back what is in place now. */
  preparePromotion(): () => void {
    const { current, previous, evaluation, bake } = this.data;
    return () => Object.assign(this.data, { current, previous, evaluation, bake });
  }

  /** The candidate becomes what answers. */
  promote(at: string): void {
    const { current, rollout } = this.data;
    const { candidate, evaluation } = rollout!;
    const { bakeMs } = candidate.spec.rollout;
    const bake: Bake | undefined = current && bakeMs > 0
      ? { release: candidate.number, reference: current, since: at, until: new Date(Date.parse(at) + bakeMs).toISOString() }
      : undefined;
    Object.assign(this.data, { current: candidate, previous: current, evaluation, bake });
  }

  /** An earlier release answers again; returns the one that did. */
  rollBackTo(target: Release): Release {
    const from = this.data.current!;
    if (this.data.rollout?.candidate.number === from.number) delete this.data.rollout;
    Object.assign(this.data, { previous: from, current: target, evaluation: undefined, bake: undefined });
    this.setAside();
    return from;
  }

  /** Notes a look of the judge, and of the last ones what they came to. */
  looked(look: Look): void {
    const rollout = this.data.rollout!;
    rollout.look = look;
    const { verdict, reason, requests } = look.verdict;
    this.say({ said: reason, verdict, requests: requests.candidate });
    const seen = look.verdict.checks.flatMap(({ check, verdict, effect, low, high, tolerance }): SeenCheck[] =>
      (verdict === 'not measured' || effect === undefined || low === undefined || high === undefined ? [] : [{ at: look.at, check, effect, low, high, tolerance, verdict }]));
    rollout.seen = [...(rollout.seen ?? []), ...seen].slice(-KEPT_SEEN);
  }

  /** Takes up what a monitor saw of the release in place; what it saw of another says nothing of this one. */
  observed(seen: Observed): HealthChange[] {
    if (seen.release !== this.data.current?.number) return [];
    const { health, changes } = observedHealth(this.data.health, seen);
    this.data.health = health;
    return changes;
  }

  /** Ends the rollout. */
  decide(decision: Omit<ReleaseDecision, 'number' | 'versions'>): Release {
    const { candidate, origin, trail } = this.data.rollout!;
    delete this.data.rollout;
    this.record(candidate, { origin, trail, ...decision });
    return candidate;
  }

  record(release: Release, decision: Omit<ReleaseDecision, 'number' | 'versions'>): void {
    // A judge that failed has judged nothing: the set is tried again with the next news.
    if (decision.status !== 'failed') this.data.judged = [candidateKey(release), ...this.data.judged.filter((key) => key !== candidateKey(release))].slice(0, KEPT_DECISIONS);
    const earlier = this.data.decisions.map(({ evaluation, look, ...rest }, i) => (i < KEPT_EVALUATIONS ? { ...rest, evaluation, look } : rest));
    const decided = { number: release.number, versions: versionIds(release), ...decision };
    this.data.decisions = [decided, ...earlier].slice(0, KEPT_DECISIONS);
    if (this.data.definition.hooks) this.data.untold = [...(this.data.untold ?? []), decided];
    const { at, status, reason, by } = decision;
    this.tell({ kind: 'decision', at, number: release.number, status, reason, ...(by !== undefined && { by }) });
    const record = { chain: release.chain, number: release.number, decisions: [decided], actions: this.data.actions.filter((a) => a.number === release.number) };
    this.data.unrecorded = [...(this.data.unrecorded ?? []), record].slice(-KEPT_UNRECORDED);
  }

  toDraw(report: ReleaseReportInput): void {
    this.data.undrawn = [...(this.data.undrawn ?? []), report].slice(-KEPT_UNDRAWN);
  }

  get hasUntold(): boolean {
    return this.data.untold !== undefined;
  }

  /** Takes the oldest of the decisions that hooks are to be told of. */
  nextUntold(): ReleaseDecision | undefined {
    const [decision, ...rest] = this.data.untold ?? [];
    if (rest.length > 0) this.data.untold = rest;
    else delete this.data.untold;
    return decision;
  }

  /** As the first command of the same key was answered; undefined when it is new. */
  answered(command: Command): { answer: { number: number } | null } | undefined {
    const { answers = {} } = this.data;
    const { key } = command;
    return key !== undefined && Object.hasOwn(answers, key) ? { answer: answers[key]! } : undefined;
  }

  keepAnswer({ key }: Command, answer: { number: number } | null): void {
    if (key !== undefined) this.data.answers = Object.fromEntries([...Object.entries(this.data.answers ?? {}), [key, answer] as const].slice(-KEPT_ANSWERS));
  }

  /** The new versions of a candidate, which are not offered again; the ones in place count as the newest. Nothing when none is in place. */
  reject(candidate: Release): VersionRef[] {
    const { current, settled, trainedOn } = this.data;
    if (!current) return [];
    return Object.values(candidate.versions).filter((version) => {
      const before = current.versions[version.model];
      if (!before || before.id === version.id) return false;
      const known = settled[version.model];
      if (known?.version?.id === version.id) settled[version.model] = { ...known, version: before, upstream: trainedOn[versionKey(before)] ?? {} };
      return true;
    });
  }

  /** New versions that fit nothing that is in place, when nobody is going to be retrained against them any more. */
  leftovers(): Release | undefined {
    const { current, settled } = this.data;
    if (!current || this.next().kind !== 'none') return undefined;
    const newest = Object.fromEntries(this.models.map((model) => [model, settled[model]?.version ?? current.versions[model]!]));
    return newMisfits({ models: this.models, trainedOn: this.data.trainedOn, current }, newest).length > 0 ? this.releaseOf(newest, 0) : undefined;
  }

  act(action: string, { by, reason }: Command, of: { at: string; number?: number }): void {
    this.data.actions = [{ action, by, reason, ...of }, ...this.data.actions].slice(0, KEPT_ACTIONS);
    this.tell({ kind: 'action', action, by, reason, ...of });
  }

  ignore(ignored: Ignored): void {
    this.data.ignored = [ignored, ...(this.data.ignored ?? [])].slice(0, KEPT_IGNORED);
  }

  /** What it took to train each model's newest version. */
  costs(): Record<string, { seconds: number }> {
    return Object.fromEntries(Object.values(this.data.settled).flatMap(({ model, seconds }) => (seconds === undefined ? [] : [[model, { seconds }]])));
  }

  /** Versions of the models the chain is compared with. */
  comparisons(): Record<string, VersionRef> {
    const { definition, settled } = this.data;
    return Object.fromEntries(definition.spec.compareWith.flatMap((model) => (settled[model]?.version ? [[model, settled[model].version]] : [])));
  }

  /** What of the store it may come back to: of earlier releases the retention says. */
  needs(): ChainNeeds & { holds: unknown } {
    const { current, previous, evaluation, settled, proposals, rollout, bake, decisions, undrawn } = this.data;
    const inUse = [current, previous, rollout?.candidate, bake?.reference].flatMap((release) => (release ? [release.number] : []));
    const since = [
      ...(rollout ? [Date.parse(rollout.startedAt) - rollout.candidate.spec.rollout.replayMs] : []),
      ...(bake ? [Date.parse(bake.since)] : []),
    ];
    return {
      holds: { current, previous, evaluation, settled, proposals, rollout, bake, undrawn, decisions: decisions.map((decision) => decision.evaluation) },
      inUse: [...new Set(inUse)],
      decided: decisions.map(({ number }) => number),
      ...(since.length > 0 && { logSince: new Date(Math.min(...since)).toISOString() }),
    };
  }

  view(): ReleaseView {
    const { definition, current, previous, evaluation, decisions, actions, settled, rollout, bake, health } = this.data;
    const { candidate, proposal: _proposal, ...underWay } = rollout ?? {};
    const { reference, ...baking } = bake ?? {};
    return {
      chain: definition.spec.name,
      current,
      previous: previous && { number: previous.number },
      evaluation,
      activity: this.doing ?? activityOf(this),
      idle: this.idle,
      rollout: rollout && { ...(underWay as Omit<Rollout, 'candidate' | 'proposal'>), number: candidate!.number, versions: versionIds(candidate!) },
      bake: bake && { ...(baking as Omit<Bake, 'reference'>), reference: reference!.number },
      health,
      decisions,
      actions,
      events: this.data.events,
      ignored: this.data.ignored,
      models: Object.fromEntries([...this.models, ...definition.spec.compareWith].map((model) => [
        model,
        { version: settled[model]?.version?.id, refusal: settled[model]?.refusal, batches: settled[model]?.batches ?? [] },
      ])),
    };
  }
}

const candidateKey = ({ versions, spec, taskQueues }: Release): string => {
  // How a release comes into use is no part of what it is.
  const { rollout: _rollout, approval: _approval, monitor: _monitor, ...judged } = spec;
  return JSON.stringify([Object.values(versions).map(versionKey).sort(), judged, taskQueues]);
};
