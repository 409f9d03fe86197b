import { WithStartWorkflowOperation } from '@temporalio/client';
import { randomUUID } from 'node:crypto';
import os from 'node:os';
import { modelOrder, upstreamClosure } from '../domain/graph';
import type { ImportedFile } from '../domain/version';
import { configureChain, defineModel, modelWorkflowId, releaseWorkflowId, requestRun, type Trigger } from '../workflows/messages';
import { SHOAL_CHAIN, SHOAL_MODEL } from '../workflows/searchAttributes';
import { chainDefinition, modelDefinition } from './definitions';
import { importedFile, type ImportOptions } from './importedFile';
import type { Session, Waiting } from './session';

export interface TrainOptions extends Waiting {
  trigger?: Trigger;
  reason?: string;
  by?: string;
  /** Two requests of one key are one batch: the second attaches to the first. A model remembers its last 200. */
  key?: string;
}

/** Runs asked for together. */
export interface Batch { id: string; models: string[] }

/** Asks for runs: starts the workflows of models and chains, or attaches to those there are. */
export class Runs {
  constructor(private readonly session: Session) {}

  async importVersion(model: string, file: string, { outputs, classes, unseen, ...asked }: TrainOptions & ImportOptions): Promise<Batch> {
    this.session.known('model', model);
    const imported = await importedFile(await this.session.store(), file, { outputs, classes, unseen });
    return this.ask([model], { reason: `${imported.name} was brought in`, ...asked }, { [model]: imported });
  }

  ask(models: string[], options: TrainOptions, files: Record<string, ImportedFile> = {}): Promise<Batch> {
    return this.session.around('train', { 'shoal.models': models.join(', ') }, () => this.asking(models, options, files));
  }

  private async asking(models: string[], options: TrainOptions, files: Record<string, ImportedFile>): Promise<Batch> {
    const { project, reports } = this.session;
    models.forEach((m) => this.session.known('model', m));
    // Downstream models and chains first, so that whoever is told of a version is there to hear it.
    const asked = modelOrder(project.models, [...upstreamClosure(project.models, models), ...models]).reverse();
    const batch: Batch = { id: options.key ?? randomUUID(), models: asked };
    await Promise.all(Object.keys(project.chains).map((chain) => this.configure(chain, options)));
    // Those not asked may be asked by their chains.
    await Promise.all(Object.keys(project.models).filter((name) => !asked.includes(name)).map((name) => this.define(name, options)));
    for (const name of asked) {
      const definition = modelDefinition(project, name, reports);
      await this.startOrAttach('model', { name, definition, waiting: options }, (operation) =>
        this.session.temporal.workflow.executeUpdateWithStart(requestRun, {
          args: [{
            trigger: options.trigger ?? 'code',
            reason: options.reason ?? 'asked by a program',
            by: options.by ?? os.userInfo().username,
            batch: batch.id,
            alongside: asked,
            ...(files[name] && { file: files[name] }),
          }, definition],
          startWorkflowOperation: operation,
        }));
    }
    return batch;
  }

  private async define(model: string, waiting: Waiting): Promise<void> {
    const { project, temporal, reports } = this.session;
    await this.session.query(() => temporal.workflow.getHandle(modelWorkflowId(model)).executeUpdate(defineModel, { args: [modelDefinition(project, model, reports)] }), waiting);
  }

  private async configure(chain: string, waiting: Waiting): Promise<void> {
    const definition = chainDefinition(this.session.project, chain, this.session.reports);
    await this.startOrAttach('release', { name: chain, definition, waiting }, (operation) =>
      this.session.temporal.workflow.executeUpdateWithStart(configureChain, { args: [definition], startWorkflowOperation: operation }));
  }

  private startOrAttach<T>(type: 'model' | 'release', of: { name: string; definition: unknown; waiting: Waiting }, send: (operation: WithStartWorkflowOperation<never>) => Promise<T>): Promise<T> {
    const { name, definition, waiting } = of;
    return this.session.within(waiting, () => send(new WithStartWorkflowOperation(type, {
      workflowId: type === 'model' ? modelWorkflowId(name) : releaseWorkflowId(name),
      taskQueue: this.session.project.temporal.taskQueue,
      args: [definition],
      workflowIdConflictPolicy: 'USE_EXISTING',
      staticSummary: type === 'model' ? `Model ${name}` : `Releases of chain ${name}`,
      typedSearchAttributes: [{ key: type === 'model' ? SHOAL_MODEL : SHOAL_CHAIN, value: name }],
    }) as WithStartWorkflowOperation<never>));
  }
}
