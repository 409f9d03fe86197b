import { getExternalWorkflowHandle, isCancellation, log, metricMeter, uuid4 } from '@temporalio/workflow';
import type { Release } from '../domain/version';
import { announce, eventId } from './announce';
import { versionKey, type NextSet } from './candidates';
import { reasonOf } from './failures';
import { cascade, modelWorkflowId, pardoned, promoted, rejected } from './messages';
import { eventOfDecision } from './releaseEvents';
import type { ReleaseState } from './releaseState';

const KEPT_CASCADED = 100;

/** Who is told of what a chain decides: its models, and the project's hooks. */
export class Telling {
  constructor(private readonly state: ReleaseState) {}

  /** Asks the models downstream of new versions to be retrained against them, so that the set can be judged together. */
  async cascade({ roots, models, upstream }: Extract<NextSet, { kind: 'cascade' }>): Promise<void> {
    const { state } = this;
    const chain = state.data.definition.spec.name;
    const names = Object.values(roots).map((v) => `${v.model} ${v.id}`).join(', ');
    state.data.cascaded = [...state.data.cascaded, ...Object.values(roots).map(versionKey)].slice(-KEPT_CASCADED);
    const request = { trigger: 'cascade' as const, reason: `${chain} needs it on ${names}`, by: chain, batch: uuid4(), alongside: models, upstream };
    state.act('cascade', { by: 'shoal', reason: `${models.join(', ')} to be retrained on ${names}` }, { at: new Date().toISOString() });
    // The last of them first, so that whoever waits for another is there to hear it.
    const told: string[] = [];
    for (const model of [...models].reverse()) if (await this.tell(model, (handle) => handle.signal(cascade, request))) told.push(model);
    for (const root of Object.keys(roots)) {
      const settled = state.data.settled[root];
      // Until they have answered, this batch is waited for.
      if (settled) state.data.settled[root] = { ...settled, batches: [request.batch, ...settled.batches], alongside: told };
    }
  }

  async promoted(release: Release): Promise<void> {
    await Promise.all(Object.values(release.versions).map((version) => this.tell(version.model, (handle) =>
      handle.signal(promoted, { chain: release.chain, release: release.number, version }))));
  }

  async rejected(release: Release, reason: string): Promise<void> {
    await Promise.all(this.state.reject(release).map((version) => this.tell(version.model, (handle) => handle.signal(rejected, { chain: release.chain, version, reason }))));
  }

  pardoned(): void {
    const chain = this.state.data.definition.spec.name;
    void Promise.all(this.state.models.map((model) => this.tell(model, (handle) => handle.signal(pardoned, { chain }))));
  }

  /** Tells the hooks of what was decided since the last time. */
  async hooks(): Promise<void> {
    const { definition: { spec, hooks } } = this.state.data;
    for (let decision = this.state.nextUntold(); decision; decision = this.state.nextUntold()) await announce(hooks, eventOfDecision(spec.name, decision, eventId));
  }

  /** Returns whether it is there to hear it. */
  private async tell(model: string, say: (handle: ReturnType<typeof getExternalWorkflowHandle>) => Promise<void>): Promise<boolean> {
    try {
      await say(getExternalWorkflowHandle(modelWorkflowId(model)));
      return true;
    } catch (error) {
      if (isCancellation(error)) throw error;
      log.warn(`model ${model} could not be told`, { error: reasonOf(error) });
      return false;
    }
  }
}

/** Counts a verdict on a release, for whoever watches the worker's metrics. */
export const countVerdict = (chain: string, status: string): void =>
  metricMeter.createCounter('shoal_verdicts', undefined, 'Decisions on releases.').add(1, { chain, status });
