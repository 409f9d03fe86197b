import { CancellationScope, isCancellation, log, patched, upsertSearchAttributes } from '@temporalio/workflow';
import type { DataActivities } from '../activities';
import type { LookRequest } from '../activities/look';
import type { Release, VersionRef } from '../domain/version';
import { versionKey } from './candidates';
import { isOfStage, isOfStore, reasonOf } from './failures';
import type { Command, Look, ReleaseDecision, Rollout } from './messages';
import { onData } from './onData';
import type { Bookkeeping } from './releaseBookkeeping';
import { control, type Pointer } from './releasePointer';
import type { ReleaseState } from './releaseState';
import { countVerdict, type Telling } from './releaseTelling';
import { judgedInWords, promotionInWords } from './releaseWords';
import { afterLook, afterReplay, isTried, type Move } from './rolloutPlan';
import { SHOAL_VERDICT } from './searchAttributes';

const PUBLISH_AGAIN_MS = 5_000;
/** A look that fails is tried again by the workflow, which says so. */
const LOOK_ATTEMPTS = 3;
/** Before, a candidate that was held was not looked at. */
const HELD_IS_JUDGED = 'held-is-judged';

/** What a chain's release workflow does, a step at a time: between two steps all it knows is in its state. */
export class Steps {
  /** The work on the candidate under way, which a person may end. */
  private scope: CancellationScope | undefined;

  constructor(private readonly state: ReleaseState, private readonly pointer: Pointer, private readonly telling: Telling, private readonly books: Bookkeeping, private readonly ui: { show(): void }) {}

  /** Does what is due. Returns how many milliseconds to wait for the next step: 0 for none, undefined for as long as there is no news. */
  async next(): Promise<number | undefined> {
    const { state } = this;
    if (state.data.unpublished) await this.pointer.publish();
    if (state.data.unpublished) return PUBLISH_AGAIN_MS;
    const bakeWait = await this.bake();
    const { rollout } = state.data;
    if (!rollout) {
      if (await this.begin()) return 0;
      await this.books.compare();
      await this.books.keepDecisions();
      await this.books.draw();
      return bakeWait;
    }
    const held = rollout.paused !== undefined && !(isTried(rollout.phase) && patched(HELD_IS_JUDGED));
    return soonest(bakeWait, held ? undefined : await this.advance(rollout));
  }

  // The candidate under way

  /** Takes up the next candidate, where there is one. */
  private async begin(): Promise<boolean> {
    const { state } = this;
    const proposal = state.data.proposals.shift();
    if (proposal) {
      state.beginProposal(proposal, now());
      const missing = state.lacking(proposal.given);
      if (missing.length > 0) {
        this.decide({ status: 'failed', reason: `it has no version of ${missing.join(', ')}` });
        await this.pointer.publish();
      }
      return true;
    }
    const next = state.next();
    if (next.kind === 'versions' || next.kind === 'pinned') {
      const fresh = Object.values(next.versions).filter((v) => state.data.current?.versions[v.model]?.id !== v.id);
      const followed = fresh.some((v) => state.data.cascaded.includes(versionKey(v)));
      const kind = next.kind === 'versions' && followed ? 'cascade' : next.kind;
      state.begin(next.versions, { kind, by: 'shoal', reason: originInWords(kind, fresh) }, now());
      return true;
    }
    if (next.kind === 'cascade') await this.telling.cascade(next);
    const leftover = state.leftovers();
    if (leftover) await this.telling.rejected(leftover, 'the chain got worse with it, and no set of models retrained against it took its place');
    return false;
  }

  /** One step of the candidate under way. */
  private async advance(rollout: Rollout): Promise<number | undefined> {
    const { state } = this;
    const { candidate, phase } = rollout;
    const { current } = state.data;
    const { replayMs, everyMs, paired } = candidate.spec.rollout;
    /** Somebody may have ended it, or sent it elsewhere, in the meantime. */
    const isThere = () => state.data.rollout === rollout && rollout.phase === phase;
    try {
      switch (phase) {
        case 'judging': {
          const evaluation = await this.work(`judge release ${candidate.number} end to end`, (data) => data.evaluateRelease({ candidate, current }));
          if (!isThere()) return 0;
          rollout.evaluation = evaluation;
          state.say({ said: judgedInWords(evaluation) });
          if (evaluation.verdict.passed) this.enter('servable');
          else await this.refuse(judgedInWords(evaluation));
          return 0;
        }
        case 'servable': {
          const { passed, reason } = await this.work(`try whether release ${candidate.number} can be served`, (data) => data.checkServable({ release: candidate }));
          if (!isThere()) return 0;
          state.say({ said: reason });
          if (!passed) await this.refuse(reason);
          else if (current) this.enter('replay');
          else await this.move(afterReplay(rollout, { needsApproval: state.needsApproval(), first: true }));
          return 0;
        }
        case 'replay': {
          const look = await this.look({ candidate, reference: current!, recordedSince: before(rollout.startedAt, replayMs), since: rollout.startedAt, phaseAt: rollout.phaseAt, unseen: 'both' });
          if (!isThere()) return 0;
          state.looked(look);
          if (look.verdict.verdict === 'fail') await this.refuse(`on recorded requests, ${look.verdict.reason}`);
          else await this.move(afterReplay(rollout, { needsApproval: state.needsApproval(), first: false }));
          return 0;
        }
        case 'asking':
        case 'shadow':
        case 'canary': {
          if (phase === 'asking' && !patched(HELD_IS_JUDGED)) return undefined;
          const wait = untilNextLook(rollout.look, rollout.phaseAt, everyMs);
          if (wait > 0) return wait;
          const unseen = paired ? 'both' : phase === 'shadow' ? 'candidate' : 'none';
          const look = await this.look({ candidate, reference: current!, recordedSince: before(rollout.startedAt, replayMs), since: rollout.startedAt, phaseAt: rollout.phaseAt, unseen });
          if (!isThere()) return 0;
          state.looked(look);
          const move = afterLook(rollout, Date.now());
          await this.move(move);
          return move.to === 'stay' ? everyMs : 0;
        }
        case 'promoting':
          await this.promote(rollout);
          return 0;
        case 'approval':
          return undefined;
      }
    } catch (error) {
      if (!isThere()) return 0;
      if (CancellationScope.current().consideredCancelled) throw error;
      const reason = reasonOf(error);
      if (phase === 'judging' && rollout.origin.kind === 'pinned' && isOfStage(error)) {
        // Models downstream can't read what it says: they have to be retrained against it.
        await this.refuse(reason);
        return 0;
      }
      if (phase === 'promoting' || ((phase === 'judging' || phase === 'servable') && !isOfStore(error))) {
        this.decide({ status: 'failed', reason });
        await this.pointer.publish();
        return state.data.unpublished ? PUBLISH_AGAIN_MS : undefined;
      }
      // It says nothing about the candidate that the judge can't look: it keeps its place until the judge can.
      log.warn('the judge cannot look', { reason, chain: candidate.chain });
      state.doing = `candidate ${candidate.number} is held: the judge cannot look, ${reason}`;
      return everyMs;
    }
  }

  private async move(move: Move): Promise<void> {
    this.state.doing = undefined;
    switch (move.to) {
      case 'stay': return;
      case 'refused': return this.refuse(move.reason);
      case 'step':
        this.state.enterStep(move.step, now());
        return this.pointer.publish();
      default:
        this.enter(move.to);
        if (move.to === 'shadow' || move.to === 'canary') await this.pointer.publish();
    }
  }

  private enter(phase: Rollout['phase']): void {
    this.state.enter(phase, now());
    this.ui.show();
  }

  private async promote(rollout: Rollout): Promise<void> {
    const { state } = this;
    const { candidate } = rollout;
    // How to take the step back is there before it is made.
    const takeBack = state.preparePromotion();
    try {
      state.promote(now());
      await this.pointer.point();
    } catch (error) {
      if (state.data.current === candidate) takeBack();
      throw error;
    }
    // Somebody may have rolled it back in the meantime.
    if (state.data.rollout !== rollout) return;
    this.decide({ status: 'promoted', reason: promotionInWords(rollout), by: (rollout.forced ?? rollout.approved)?.by });
    await this.telling.promoted(candidate);
    await this.pointer.publish();
  }

  /** The candidate is not to be; the models are told, unless those downstream are still to be retrained against it, which no person's word asks for. */
  async refuse(reason: string, by?: string): Promise<void> {
    const { state } = this;
    const { candidate, origin } = state.data.rollout!;
    const wasRouted = state.routing()?.candidate !== undefined;
    this.decide({ status: 'refused', reason, by });
    if (wasRouted) await this.pointer.publish();
    if (origin.kind === 'proposal' || (origin.kind === 'pinned' && !by && ['cascade', 'waiting'].includes(state.next().kind))) return;
    await this.telling.rejected(candidate, reason);
  }

  private decide(decision: Omit<ReleaseDecision, 'number' | 'versions' | 'at'>): void {
    const { candidate, evaluation, look, seen } = this.state.data.rollout!;
    if (evaluation && decision.status !== 'failed') this.state.toDraw({ release: candidate, status: decision.status, evaluation, canary: seen });
    this.state.doing = undefined;
    this.state.decide({ at: now(), evaluation, look, ...decision });
    countVerdict(candidate.chain, decision.status);
    this.scope?.cancel();
    upsertSearchAttributes([{ key: SHOAL_VERDICT, value: decision.status }]);
    this.ui.show();
  }

  // What people ask for

  async approve({ by, reason }: Command): Promise<void> {
    const rollout = this.state.data.rollout!;
    rollout.approved = { by, reason };
    await this.move(rollout.phase === 'asking' ? { to: 'promoting' } : afterReplay(rollout, { needsApproval: false, first: !this.state.data.current }));
  }

  force({ by, reason }: Command): void {
    const rollout = this.state.data.rollout!;
    rollout.forced = { by, reason };
    delete rollout.paused;
    this.enter('promoting');
    this.scope?.cancel();
  }

  /** Lets a forced proposal go before the candidate under way, unless that is about to be promoted itself. */
  overtake(): void {
    if (this.state.data.rollout?.phase === 'promoting') return;
    this.state.setAside();
    this.scope?.cancel();
  }

  async rollBack(target: Release, reason: string, by: string): Promise<void> {
    const { state } = this;
    const { evaluation } = state.data;
    const from = state.rollBackTo(target);
    if (evaluation) state.toDraw({ release: from, status: 'rolled back', evaluation });
    state.record(from, { at: now(), status: 'rolled back', reason, by });
    countVerdict(from.chain, 'rolled back');
    this.scope?.cancel();
    upsertSearchAttributes([{ key: SHOAL_VERDICT, value: 'rolled back' }]);
    await this.pointer.publish();
    await this.telling.promoted(target);
    await this.telling.rejected(from, `release ${from.number} was rolled back: ${reason}`);
  }

  loadRelease = (number: number): Promise<Release> => control.loadRelease({ chain: this.state.data.definition.spec.name, number });
  findVersions = (ids: Record<string, string>): Promise<Record<string, VersionRef>> => control.findVersions({ ids });

  // What is watched

  /** A look at the release that was promoted last, when it is due; takes it back when it is worse than the one before. */
  private async bake(): Promise<number | undefined> {
    const { state } = this;
    const { bake, current } = state.data;
    if (!bake || !current) return undefined;
    const { everyMs } = current.spec.rollout;
    const ended = Date.now() >= Date.parse(bake.until);
    const wait = Date.parse(bake.look?.at ?? bake.since) + everyMs - Date.now();
    if (!ended && wait > 0) return Math.min(wait, Date.parse(bake.until) - Date.now());
    try {
      const look = await this.look({ candidate: current, reference: bake.reference, recordedSince: bake.since, since: bake.since, phaseAt: bake.since, unseen: current.spec.rollout.paired ? 'both' : 'none' });
      if (state.data.bake !== bake) return 0;
      bake.look = look;
      this.state.doing = undefined;
      if (look.verdict.verdict === 'fail') {
        await this.rollBack(bake.reference, `in use, ${look.verdict.reason}`, 'shoal');
        return 0;
      }
    } catch (error) {
      if (CancellationScope.current().consideredCancelled) throw error;
      if (state.data.bake !== bake || isCancellation(error)) return 0;
      // A release is watched until the judge has seen the whole time.
      log.warn('the judge cannot look', { reason: reasonOf(error), chain: current.chain });
      state.doing = `release ${current.number} is in place; the judge cannot look, ${reasonOf(error)}`;
      this.ui.show();
      return everyMs;
    }
    if (ended) delete state.data.bake;
    this.ui.show();
    return ended ? 0 : everyMs;
  }

  private look(request: LookRequest): Promise<Look> {
    return this.work(`compare release ${request.candidate.number} with ${request.reference.number} on requests`, (data) => data.look(request), LOOK_ATTEMPTS);
  }

  /** Work on data that a person's word may cut short. */
  private async work<T>(summary: string, ask: (data: DataActivities) => Promise<T>, attempts?: number): Promise<T> {
    this.scope = new CancellationScope();
    try {
      return await this.scope.run(() => ask(onData(this.state.data.definition.dataQueue, summary, attempts)));
    } finally {
      this.scope = undefined;
    }
  }
}

const now = () => new Date().toISOString();
const before = (iso: string, ms: number) => new Date(Date.parse(iso) - ms).toISOString();
const soonest = (a: number | undefined, b: number | undefined) => (a === undefined ? b : b === undefined ? a : Math.min(a, b));

/** A phase begins with a look. */
const untilNextLook = (look: Look | undefined, phaseAt: string, everyMs: number) => (look && look.at > phaseAt ? Date.parse(look.at) + everyMs - Date.now() : 0);

function originInWords(kind: Rollout['origin']['kind'], fresh: VersionRef[]): string {
  const names = fresh.map((v) => `${v.model} ${v.id}`).join(', ') || 'the chain is defined anew';
  switch (kind) {
    case 'pinned': return `${names}, with all else pinned`;
    case 'cascade': return `${names}, trained on each other`;
    default: return names;
  }
}
