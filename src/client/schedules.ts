import { ScheduleAlreadyRunning, ScheduleNotFoundError, ScheduleOverlapPolicy, type ScheduleDescription, type ScheduleOptions } from '@temporalio/client';
import { createHash } from 'node:crypto';
import { ShoalError } from '../domain/errors';
import { nearest } from '../domain/nearest';
import type { ScheduleSpec } from '../domain/schedule';
import { canonicalJson } from '../store/canonicalJson';
import { scheduleDefinitions } from './scheduled';
import type { Session, Waiting } from './session';

const OVERLAP = { skip: ScheduleOverlapPolicy.SKIP, bufferOne: ScheduleOverlapPolicy.BUFFER_ONE, allowAll: ScheduleOverlapPolicy.ALLOW_ALL } as const;
/** What never ends must not keep its schedule from starting the next for ever. */
const RUN_TIMEOUT = '1 day';

/** A Temporal Schedule of the project. */
export interface ScheduleView {
  id: string;
  /** What it does. */
  note: string;
  /** ISO. */
  next?: string;
  /** What it started last, the newest first. */
  starts: { at: string; workflowId: string }[];
  /** Why it starts nothing. */
  paused?: string;
}

/** Ids of schedules. */
export interface SchedulesApplied { created: string[]; updated: string[]; removed: string[] }

/** The project's Temporal Schedules. */
export class Schedules {
  constructor(private readonly session: Session) {}

  /** Makes, changes and removes them to be as the project says. One that is paused stays paused; one that is as it should be is not touched. */
  async apply(waiting: Waiting = {}): Promise<SchedulesApplied> {
    const wanted = scheduleDefinitions(this.session.project);
    const applied: SchedulesApplied = { created: [], updated: [], removed: [] };
    for (const spec of wanted) {
      const outcome = await this.session.within(waiting, () => this.applyOne(spec));
      if (outcome) applied[outcome].push(spec.id);
    }
    const surplus = (await this.ids(waiting)).filter((id) => !wanted.some((spec) => spec.id === id));
    for (const id of surplus) {
      await this.session.within(waiting, () => this.session.temporal.schedule.getHandle(id).delete());
      applied.removed.push(id);
    }
    return applied;
  }

  private async applyOne(spec: ScheduleSpec): Promise<'created' | 'updated' | undefined> {
    const { schedule } = this.session.temporal;
    const options = this.optionsOf(spec);
    const there = await this.describe(spec.id);
    try {
      if (!there) {
        await schedule.create({ ...options, scheduleId: spec.id, memo: { shoalProject: this.session.project.name, note: spec.note } });
        return 'created';
      }
      if (there.action.memo?.shoalHash === options.action.memo!.shoalHash) return undefined;
      const { action, ...rest } = options;
      await schedule.getHandle(spec.id).update(({ state }) => ({ ...rest, action: { ...action, workflowId: there.action.workflowId }, state: { paused: state.paused, note: state.note } }));
      return 'updated';
    } catch (error) {
      // Another `shoal up` was faster.
      if (error instanceof ScheduleAlreadyRunning) return undefined;
      // The SDK's word for what the server calls an invalid argument.
      if (!(error instanceof TypeError)) throw error;
      throw new ShoalError('CONFIG', `The server refuses the schedule ${spec.id}, ${JSON.stringify(spec.when)}: ${error.message}.`, {
        remedy: 'Mend `schedule` in temporal.yaml.', details: { schedule: spec.id }, cause: error,
      });
    }
  }

  private optionsOf({ id, when, jitterMs, overlap, catchUpMs, pauseOnFailure, workflow: { type, args, summary } }: ScheduleSpec) {
    const { name, temporal: { taskQueue } } = this.session.project;
    const options = {
      spec: { ...('cron' in when ? { cronExpressions: when.cron, timezone: when.timezone } : { intervals: [{ every: when.everyMs }] }), jitter: jitterMs },
      policies: { overlap: OVERLAP[overlap], catchupWindow: catchUpMs, pauseOnFailure },
      action: { type: 'startWorkflow' as const, workflowType: type, workflowId: id, args, taskQueue, workflowExecutionTimeout: RUN_TIMEOUT, staticSummary: summary },
    };
    const shoalHash = createHash('sha256').update(canonicalJson(JSON.parse(JSON.stringify([name, options])))).digest('hex').slice(0, 16);
    return { ...options, action: { ...options.action, memo: { shoalHash } as Record<string, unknown> } } satisfies Omit<ScheduleOptions, 'scheduleId'>;
  }

  /** Those that are there, in the order of the project's. */
  async list(waiting: Waiting = {}): Promise<ScheduleView[]> {
    const known = new Map(scheduleDefinitions(this.session.project).map((spec) => [spec.id, spec.note]));
    return this.session.within(waiting, async () => {
      const ids = [...new Set([...known.keys(), ...(await this.ids(waiting))])];
      const descriptions = await Promise.all(ids.map((id) => this.describe(id)));
      return descriptions.flatMap((description) => (description ? [viewOf(description, known.get(description.scheduleId))] : []));
    });
  }

  /** It starts nothing until it is resumed, whatever is applied. */
  pause(id: string, reason: string, waiting: Waiting = {}): Promise<void> {
    return this.on(id, (handle) => handle.pause(reason), waiting);
  }

  resume(id: string, reason: string, waiting: Waiting = {}): Promise<void> {
    return this.on(id, (handle) => handle.unpause(reason), waiting);
  }

  /** Starts it now, paused or not. */
  trigger(id: string, waiting: Waiting = {}): Promise<void> {
    return this.on(id, (handle) => handle.trigger(), waiting);
  }

  private async on(id: string, work: (handle: ReturnType<Session['temporal']['schedule']['getHandle']>) => Promise<void>, waiting: Waiting): Promise<void> {
    await this.session.within(waiting, async () => {
      try {
        await work(this.session.temporal.schedule.getHandle(id));
      } catch (error) {
        if (!(error instanceof ScheduleNotFoundError)) throw error;
        const ids = await this.ids(waiting);
        const hint = nearest(id, ids);
        throw new ShoalError('UNKNOWN_SCHEDULE', `There is no schedule "${id}".`, {
          remedy: hint ? `Did you mean "${hint}"?` : ids.length > 0 ? `There are: ${ids.join(', ')}.` : '`shoal up` makes those of temporal.yaml.', details: { schedule: id },
        });
      }
    });
  }

  private async describe(id: string): Promise<ScheduleDescription | undefined> {
    try {
      return await this.session.temporal.schedule.getHandle(id).describe();
    } catch (error) {
      if (error instanceof ScheduleNotFoundError) return undefined;
      throw error;
    }
  }

  /** The project's own. The server's list may be some seconds old. */
  private ids(waiting: Waiting): Promise<string[]> {
    return this.session.within(waiting, async () => {
      const ids: string[] = [];
      for await (const { scheduleId, memo } of this.session.temporal.schedule.list()) if (memo?.shoalProject === this.session.project.name) ids.push(scheduleId);
      return ids;
    });
  }
}

function viewOf({ scheduleId, memo, state, info }: ScheduleDescription, note: string | undefined): ScheduleView {
  const next = state.paused ? undefined : info.nextActionTimes[0]?.toISOString();
  return {
    id: scheduleId,
    note: note ?? String(memo?.note ?? ''),
    ...(next !== undefined && { next }),
    starts: info.recentActions.map(({ takenAt, action }) => ({ at: takenAt.toISOString(), workflowId: action.workflow.workflowId })).reverse(),
    ...(state.paused && { paused: state.note ?? '' }),
  };
}
