import type { TrainingProgress } from '../activities/train';
import { describeLifecycle, describeModel, describeRelease, modelWorkflowId, releaseWorkflowId, type LifecycleView, type ModelView, type ReleaseView } from '../workflows/messages';
import type { Session, Waiting } from './session';

export interface LifecycleProgress extends LifecycleView {
  training?: TrainingProgress;
  retrying?: { attempt: number; reason: string };
}

export interface ProjectStatus { models: ModelView[]; chains: ReleaseView[] }

/** Asks the workflows what they are at. */
export class Reading {
  constructor(private readonly session: Session) {}

  async status(waiting: Waiting = {}): Promise<ProjectStatus> {
    const { models, chains } = this.session.project;
    const [ofModels, ofChains] = await Promise.all([
      Promise.all(Object.keys(models).map((name) => this.model(name, waiting))),
      Promise.all(Object.keys(chains).map((name) => this.chain(name, waiting))),
    ]);
    return { models: ofModels.filter((m) => m !== undefined), chains: ofChains.filter((c) => c !== undefined) };
  }

  model(name: string, waiting: Waiting = {}): Promise<ModelView | undefined> {
    this.session.known('model', name);
    return this.session.query(() => this.session.temporal.workflow.getHandle(modelWorkflowId(name)).query(describeModel), waiting);
  }

  chain(name: string, waiting: Waiting = {}): Promise<ReleaseView | undefined> {
    this.session.known('chain', name);
    return this.session.query(() => this.session.temporal.workflow.getHandle(releaseWorkflowId(name)).query(describeRelease), waiting);
  }

  /** A run's steps; nothing when the server has forgotten it. */
  steps(workflowId: string, waiting: Waiting = {}): Promise<LifecycleView | undefined> {
    return this.session.query(() => this.session.temporal.workflow.getHandle(workflowId).query(describeLifecycle), waiting);
  }

  async lifecycle(workflowId: string, waiting: Waiting = {}): Promise<LifecycleProgress | undefined> {
    const handle = this.session.temporal.workflow.getHandle(workflowId);
    const [view, description] = await Promise.all([this.steps(workflowId, waiting), this.session.query(() => handle.describe(), waiting)]);
    if (!view) return undefined;
    const [pending] = description?.raw.pendingActivities ?? [];
    const heartbeat = pending?.activityType?.name === 'train' ? pending.heartbeatDetails?.payloads?.[0]?.data : undefined;
    const { attempt, lastFailure } = pending ?? {};
    return {
      ...view,
      training: heartbeat?.length ? ((JSON.parse(Buffer.from(heartbeat).toString('utf8')) as TrainingProgress | null) ?? undefined) : undefined,
      retrying: lastFailure?.message ? { attempt: attempt ?? 1, reason: lastFailure.message } : undefined,
    };
  }
}
