import { TestProject } from '../support/project';
import { TestServer, until } from '../support/server';
import { twoModels } from '../support/smallProject';

jest.setTimeout(180_000);

let server: TestServer;
let project: TestProject;
beforeAll(async () => {
  // As after many runs: the server asks workflows to go on as new from 4,096 events on by itself.
  server = await TestServer.start({ settings: { 'limit.historyCount.suggestContinueAsNew': '30' } });
  project = await TestProject.open(server, { models: twoModels({ maxEpochs: 4, condition: 'gates: [{ metric: accuracy, against: baseline, min: 0 }]' }) });
});
afterAll(async () => {
  await project?.close();
  await server?.stop();
});

it('workflows that live long go on as new with all they know, losing no request', async () => {
  const { workflow } = project.shoal.temporal;
  const runId = async (id: string) => (await workflow.getHandle(id).describe()).runId;
  const began = { model: '', release: '' };
  const batches = [];
  for (let i = 0; i < 4; i++) {
    batches.push(await project.shoal.train(undefined, { reason: `batch ${i}`, by: 'tester' }));
    if (i === 0) Object.assign(began, { model: await runId('model/rent'), release: await runId('release/flats') });
    if (i % 2 === 1) await project.shoal.settled(batches.at(-1)!);
  }
  project.files.addFlats(150);
  await project.train();
  const before = { rent: await project.model('rent'), chain: await project.chain() };
  expect(before.chain.current!.number).toBe(2);
  expect(before.rent.settled).toEqual(expect.arrayContaining(batches.map((b) => b.id)));

  await until(async () => (await runId('model/rent')) !== began.model && (await runId('release/flats')) !== began.release);
  expect((await workflow.getHandle('model/rent', began.model).describe()).status.name).toBe('CONTINUED_AS_NEW');
  expect((await workflow.getHandle('release/flats', began.release).describe()).status.name).toBe('CONTINUED_AS_NEW');

  await project.train();
  const after = { rent: await project.model('rent'), chain: await project.chain() };
  expect(after.rent.runs.slice(1)).toEqual(before.rent.runs);
  expect(after.rent.runs.map((r) => r.run)).toEqual(before.rent.runs.map((r) => r.run).concat(before.rent.runs.length + 1).sort((a, b) => b - a));
  expect(after.rent).toMatchObject({ latest: { version: before.rent.latest!.version }, champion: before.rent.champion });
  expect(after.chain).toMatchObject({ current: before.chain.current, decisions: before.chain.decisions });
  expect(await project.shoal.predict('flats', [{ size: 80, city: 'Bern', built: '1990-06-01', note: 'bright flat' }])).toMatchObject({ release: 2 });
});
