import type { TrainingProgress } from '../activities/train';
import type { Phase, ReleaseDecision, ReleaseEvent, ReleaseView, RunRecord, RunRequest, Step, StepName } from '../workflows/messages';

/** What `watch` tells, one after the other. `at` is the server's time, ISO. Plain JSON. */
export type ProgressEvent =
  | { type: 'run.began'; at: string; model: string; run: number; request: RunRequest }
  | { type: 'step.began'; at: string; model: string; run: number; step: StepName }
  | { type: 'step.ended'; at: string; model: string; run: number; step: StepName; status: 'done' | 'failed'; seconds?: number; note?: string; warnings?: string[] }
  /** The newest epoch, now and then. */
  | { type: 'training'; at: string; model: string; run: number; progress: TrainingProgress }
  /** A step failed in a way that may pass, and is tried again. */
  | { type: 'retrying'; at: string; model: string; run: number; step?: StepName; attempt: number; reason: string }
  | { type: 'run.ended'; at: string; model: string; run: number; record: RunRecord }
  | { type: 'release.phase'; at: string; chain: string; release: number; phase: Phase; step?: number; weight?: number }
  | { type: 'release.decision'; at: string; chain: string; release: number; status: ReleaseDecision['status']; reason: string; by?: string }
  | { type: 'release.action'; at: string; chain: string; release?: number; action: string; by: string; reason: string }
  /** What a chain is doing now, in words. */
  | { type: 'chain.activity'; at: string; chain: string; activity: string }
  /** So many runs of the model, or events of the chain, happened while nobody could hear of them, and are no longer known. */
  | { type: 'missed'; at: string; model?: string; chain?: string; events: number };

/** Tells of a run's steps what has not been told: a step only ever goes on, so that nothing is lost between two looks. */
export class ToldSteps {
  private readonly told = new Map<StepName, Step['status']>();
  constructor(private readonly of: { model: string; run: number }) {}

  /** @param fallbackAt where a step does not say when it began */
  next(steps: Step[], fallbackAt: string): ProgressEvent[] {
    return steps.flatMap((step): ProgressEvent[] => {
      const before = this.told.get(step.name) ?? 'waiting';
      if (step.status === before || step.status === 'waiting') return [];
      this.told.set(step.name, step.status);
      const { name, status, startedAt = fallbackAt, seconds, note, warnings } = step;
      const began: ProgressEvent[] = before === 'waiting' ? [{ type: 'step.began', at: startedAt, ...this.of, step: name }] : [];
      if (status === 'running') return began;
      const at = new Date(Date.parse(startedAt) + 1000 * (seconds ?? 0)).toISOString();
      return [...began, { type: 'step.ended', at, ...this.of, step: name, status, ...defined({ seconds, note, warnings }) }];
    });
  }
}

/** Tells what has happened to a chain's releases since it was looked at last. */
export class ToldReleases {
  private seq: number | undefined;
  private activity: string | undefined;

  /** @param since tell also what happened from then on, before the first look; nothing when absent */
  next(view: ReleaseView, { since, at }: { since?: string; at: string }): ProgressEvent[] {
    const { chain, activity, events = [] } = view;
    const newest = events.at(-1)?.seq ?? 0;
    // The chain was ended and started anew.
    if (this.seq !== undefined && newest < this.seq) this.seq = 0;
    const fresh = this.seq === undefined
      ? events.filter((event) => since !== undefined && event.at >= since)
      : events.filter((event) => event.seq > this.seq!);
    const missed = this.seq === undefined ? 0 : Math.max(0, (events[0]?.seq ?? 1) - 1 - this.seq);
    this.seq = Math.max(newest, this.seq ?? 0);
    const moved = activity !== this.activity;
    this.activity = activity;
    return [
      ...(missed > 0 ? [{ type: 'missed' as const, at, chain, events: missed }] : []),
      ...fresh.map((event) => eventOf(chain, event)),
      ...(moved ? [{ type: 'chain.activity' as const, at, chain, activity }] : []),
    ];
  }
}

function eventOf(chain: string, event: ReleaseEvent): ProgressEvent {
  const { at, number } = event;
  switch (event.kind) {
    case 'phase': return { type: 'release.phase', at, chain, release: number!, phase: event.phase, ...defined({ step: event.step, weight: event.weight }) };
    case 'decision': return { type: 'release.decision', at, chain, release: number!, status: event.status, reason: event.reason, ...defined({ by: event.by }) };
    case 'action': return { type: 'release.action', at, chain, ...defined({ release: number }), action: event.action, by: event.by, reason: event.reason };
  }
}

const defined = <T extends object>(fields: T): T => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
