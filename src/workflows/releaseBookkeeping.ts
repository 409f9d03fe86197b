import { CancellationScope, log, patched, proxyActivities } from '@temporalio/workflow';
import type { ControlActivities } from '../activities';
import { reasonOf } from './failures';
import { onData } from './onData';
import type { ReleaseState } from './releaseState';

/** Tried again with the next news. */
const keeper = proxyActivities<ControlActivities>({ startToCloseTimeout: '10 seconds', scheduleToCloseTimeout: '30 seconds', retry: { maximumAttempts: 3 } });
const REPORT_ATTEMPTS = 3;

/** What is found out and kept about releases while there is none to decide on. It decides nothing, and a failure of it is only noted. */
export class Bookkeeping {
  /** Releases whose ablation was tried. */
  private readonly unweighed = new Set<number>();

  constructor(private readonly state: ReleaseState, private readonly ui: { show(): void }) {}

  /** Scores the models the chain is compared with on the same rows, and what each of its own adds. */
  async compare(): Promise<void> {
    const { state } = this;
    const { current, evaluation, definition } = state.data;
    if (!current || !evaluation) return;
    const versions = state.comparisons();
    const due = Object.entries(versions).filter(([model, version]) => evaluation.comparisons[model]?.version !== version.id);
    if (due.length > 0) {
      await this.note(`comparing release ${current.number} with ${due.map(([model]) => model).join(', ')}`, async (what) => {
        evaluation.comparisons = await onData(definition.dataQueue, what).compare({ release: current, versions });
      });
    }
    if (!evaluation.ablation && !this.unweighed.has(current.number) && current.spec.stages.length > 1) {
      await this.note(`weighing what each model adds to release ${current.number}`, async (what) => {
        // Tried once: without it a release is none the worse.
        this.unweighed.add(current.number);
        evaluation.ablation = await onData(definition.dataQueue, what).ablate({ release: current, costs: state.costs() });
      });
    }
  }

  /** Puts what was decided into the store, where it can be read when it is no longer remembered here. */
  async keepDecisions(): Promise<void> {
    const { unrecorded } = this.state.data;
    if (!unrecorded?.length || !patched('decision-records')) return;
    try {
      await keeper.recordDecisions({ records: unrecorded });
      // Another may have come in the meantime.
      this.state.data.unrecorded = this.state.data.unrecorded?.slice(unrecorded.length);
    } catch (error) {
      if (CancellationScope.current().consideredCancelled) throw error;
      log.warn('decisions could not be recorded', { reason: reasonOf(error) });
    }
  }

  /** Draws the reports of what was decided, the current release's once what its models add is known. */
  async draw(): Promise<void> {
    const { state } = this;
    if (!state.data.undrawn?.length || !patched('release-report')) return;
    for (let report = state.data.undrawn.shift(); report; report = state.data.undrawn.shift()) {
      const evaluation = report.release.number === state.data.current?.number ? state.data.evaluation ?? report.evaluation : report.evaluation;
      await this.note(`drawing the report of release ${report.release.number}`, async (what) => {
        await onData(state.data.definition.dataQueue, what, REPORT_ATTEMPTS).reportRelease({ ...report, evaluation });
      });
    }
  }

  private async note(what: string, work: (what: string) => Promise<void>): Promise<void> {
    this.state.doing = what;
    this.ui.show();
    try {
      await work(what);
    } catch (error) {
      if (CancellationScope.current().consideredCancelled) throw error;
      log.warn(`${what} failed`, { error: reasonOf(error) });
    }
    this.state.doing = undefined;
  }
}
