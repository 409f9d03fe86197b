import { readdirSync } from 'node:fs';
import path from 'node:path';
import { defaultPayloadConverter } from '@temporalio/common';
import type { TrainedVersion } from '../../src/domain/version';
import { lifecycleWorkflowId, type ModelView, type ReleaseView } from '../../src/workflows/messages';
import { SHOAL_MODEL, SHOAL_TRIGGER, SHOAL_VERDICT, SHOAL_VERSION } from '../../src/workflows/searchAttributes';
import { TestProject } from '../support/project';
import { TestServer, isThere, until } from '../support/server';
import { training, twoModels } from '../support/smallProject';
import { trainingProcesses } from '../support/trainings';

jest.setTimeout(180_000);

/** Not held against the champion: more data may give a slightly worse score on other rows. */
const MODELS = twoModels({
  condition: 'gates: [{ metric: accuracy, against: baseline, min: 0 }]',
  rent: 'gates: [{ metric: rmse, against: baseline, min: 0 }]',
  chain: 'gates: [{ metric: rmse, against: baseline, min: 0 }]',
});

let server: TestServer;
beforeAll(async () => { server = await TestServer.start(); });
afterAll(() => server?.stop());

/** A release never has a model that was trained on another version than the one beside it. */
function expectConsistent({ decisions, current }: ReleaseView, rent: ModelView): void {
  const trainedOn = new Map(rent.runs.flatMap((r) => (r.made ? [[r.made.version.id, r.made.upstream.condition] as const] : [])));
  for (const { versions } of [...decisions, { versions: Object.fromEntries(Object.values(current!.versions).map((v) => [v.model, v.id])) }]) {
    expect(versions.condition).toBe(trainedOn.get(versions.rent!));
  }
}

describe('a model', () => {
  let project: TestProject;
  beforeAll(async () => { project = await TestProject.open(server, { models: MODELS }); });
  afterAll(() => project?.close());

  it('makes of a burst of requests one run and one more, and notes on each why it ran', async () => {
    const batches = [];
    for (const reason of ['first', 'second', 'third', 'fourth', 'fifth']) {
      batches.push(await project.shoal.train(undefined, { trigger: 'person', reason, by: 'tester' }));
    }
    for (const batch of batches) await project.shoal.settled(batch);

    for (const name of ['condition', 'rent']) {
      const { runs, settled, waiting, running } = await project.model(name);
      expect(runs.map((r) => [r.run, r.status, r.request.reason, r.request.trigger, r.request.by])).toEqual([
        [2, 'unchanged', 'fifth', 'person', 'tester'],
        [1, 'made', 'first', 'person', 'tester'],
      ]);
      expect([...settled].sort()).toEqual(batches.map((b) => b.id).sort());
      expect([waiting, running]).toEqual([undefined, undefined]);
    }
    expect((await project.chain()).decisions.map((d) => [d.number, d.status])).toEqual([[1, 'promoted']]);
  });

  it('can be found by model, version, trigger and verdict, and says in the UI why it ran and what came of it', async () => {
    const { latest } = await project.model('rent');
    const run = await project.shoal.temporal.workflow.getHandle(lifecycleWorkflowId('rent', 1)).describe();
    const attributes = run.typedSearchAttributes;
    expect([SHOAL_MODEL, SHOAL_TRIGGER, SHOAL_VERDICT, SHOAL_VERSION].map((key) => attributes.get(key))).toEqual(['rent', 'person', 'made', latest!.version.id]);
    expect(await run.staticSummary()).toBe('rent, run 1: first');
    const { workflow } = project.shoal.temporal;
    await until(async () => (await workflow.count(`ShoalModel = "rent" AND ShoalVersion = "${latest!.version.id}"`)).count === 2, { timeoutMs: 10_000 });
    const details = await workflow.getHandle('model/rent').query('__temporal_workflow_metadata') as { currentDetails: string };
    expect(details.currentDetails).toContain(`Newest version \`${latest!.version.id}\``);
    expect(details.currentDetails).toMatch(/\| rmse \| [\d.]+ \| [\d.]+ \|/);
  });

  it('comes to the same version when nothing has changed, without training', async () => {
    // The first check of the data after a promotion is the first that knows the champion.
    await project.train();
    const objects = () => readdirSync(path.join(project.storeFolder, 'objects'), { recursive: true }).length;
    const before = { objects: objects(), chain: (await project.chain()).current, latest: (await project.model('rent')).latest!.version };
    await project.train();
    const run = await project.lastRun('rent');
    expect(run).toMatchObject({ run: 4, status: 'unchanged', made: { version: before.latest, training: { reused: true } } });
    expect({ objects: objects(), chain: (await project.chain()).current, latest: (await project.model('rent')).latest!.version }).toEqual(before);

    const history = await project.history(lifecycleWorkflowId('rent', 4));
    const results = history.events!.flatMap((e) => (e.activityTaskCompletedEventAttributes
      ? [defaultPayloadConverter.fromPayload(e.activityTaskCompletedEventAttributes.result!.payloads![0]!)] : []));
    expect(results.filter((r) => (r as TrainedVersion).summary?.reused)).toHaveLength(1);
  });

  it('takes new rows of its source into new versions, which are promoted together', async () => {
    const before = await project.chain();
    project.files.addFlats(150);
    await project.train();
    const [condition, rent, after] = [await project.lastRun('condition'), await project.lastRun('rent'), await project.chain()];
    expect([condition.status, rent.status]).toEqual(['made', 'made']);
    expect(rent.made!.upstream).toEqual({ condition: condition.made!.version.id });
    expect(after.current!.number).toBe(before.current!.number + 1);
    expect(after.decisions).toHaveLength(before.decisions.length + 1);
    expect(after.current!.versions.condition!.id).not.toBe(before.current!.versions.condition!.id);
    expect(after.current!.versions.rent!.id).not.toBe(before.current!.versions.rent!.id);
    expectConsistent(after, await project.model('rent'));
  });

  it('is promoted alone when the chain is as good with its new version and the models downstream as they are', async () => {
    const before = (await project.chain()).current!;
    const rents = (await project.model('rent')).runs.length;
    project.files.addFlats(150);
    await project.train(['condition']);

    const [condition, after] = [await project.lastRun('condition'), await project.chain()];
    expect(condition.status).toBe('made');
    expect(after.current).toMatchObject({ number: before.number + 1, versions: { condition: condition.made!.version, rent: before.versions.rent } });
    expect(after.decisions[0]).toMatchObject({ number: before.number + 1, status: 'promoted' });
    expect((await project.model('rent')).runs).toHaveLength(rents);
  });

  it('is told of the release it is in', async () => {
    const { current } = await project.chain();
    expect((await project.model('rent')).champion).toEqual(current!.versions.rent);
  });
});

describe('a run that is cancelled', () => {
  it('ends as failed, ends its training, and leaves the model to the next request', async () => {
    const project = await TestProject.open(server, { models: twoModels({ maxEpochs: 100_000 }) });
    try {
      const batch = await project.shoal.train(['condition'], { by: 'tester' });
      await until(() => trainingProcesses().length === 1);
      const [training_] = trainingProcesses();
      const lifecycle = project.shoal.temporal.workflow.getHandle(lifecycleWorkflowId('condition', 1));
      await until(async () => (await project.shoal.lifecycle(lifecycle.workflowId))?.training !== undefined);
      await lifecycle.cancel();

      await project.shoal.settled(batch);
      expect(await project.lastRun('condition')).toMatchObject({ run: 1, status: 'failed', reason: 'cancelled' });
      expect((await lifecycle.describe()).status.name).toBe('CANCELLED');
      await until(() => !isThere(training_!), { timeoutMs: 10_000 });

      await project.edit([training(100_000), training(3)]);
      await project.train(['condition']);
      expect(await project.lastRun('condition')).toMatchObject({ run: 2, status: 'made' });
    } finally {
      await project.close();
    }
  });
});
