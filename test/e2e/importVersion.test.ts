import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Manifest } from '../../src/domain/version';
import { shoal } from '../support/cli';
import { TestProject, activitiesOf } from '../support/project';
import { TestServer, until } from '../support/server';
import { twoModels } from '../support/smallProject';

jest.setTimeout(300_000);

let server: TestServer;
let project: TestProject;
let good: string;
let bad: string;
beforeAll(async () => {
  server = await TestServer.start({ namespaces: 2 });
  project = await TestProject.open(server);
  await project.train();
  const { latest } = await project.model('rent');
  const { onnx } = await project.store.readJson<Manifest>(latest!.version.manifest);
  good = path.join(project.files.folder, 'rent.onnx');
  bad = path.join(project.files.folder, 'bad.onnx');
  writeFileSync(good, await project.store.read(onnx));
  writeFileSync(bad, 'no model');
});
afterAll(async () => {
  await project?.close();
  await server?.stop();
});

const cli = (...args: string[]) => shoal(['--project', project.files.file, ...args], { env: { TEMPORAL_ADDRESS: server.address, TEMPORAL_NAMESPACE: project.namespace } });

it('a ready file becomes a version by a run like any other, is judged beside the champion, and is released', async () => {
  const before = await project.model('rent');
  const ended = await cli('import', 'rent', good, '--unseen', '--reason', 'bought from a friend', '--json');
  expect(ended).toMatchObject({ status: 0, stderr: '' });

  const { runs, latest } = await project.model('rent');
  expect(runs[0]).toMatchObject({ run: 2, status: 'made', request: { trigger: 'person', reason: 'bought from a friend', file: { name: 'rent.onnx', unseen: true } } });
  expect(latest!.version.id).not.toBe(before.latest!.version.id);
  expect(latest!.training.maker).toEqual({ kind: 'file', name: 'rent.onnx' });
  // The same network: as good as the champion, on the same rows.
  const [rmse] = latest!.metrics;
  expect(rmse).toMatchObject({ metric: 'rmse', champion: { version: before.latest!.version.id } });
  expect(rmse!.champion!.gain.value).toBeCloseTo(0, 6);
  expect(activitiesOf(await project.history('lifecycle/rent/2'))).toEqual(['ingest', 'validate', 'importVersion', 'checkLabels', 'evaluate', 'reportVersion']);
  const { current } = await project.chain();
  expect([current!.number, current!.versions.rent!.id]).toEqual([2, latest!.version.id]);
});

it('a file that is none fails its run in words, and changes nothing', async () => {
  const before = (await project.chain()).current;
  const ended = await cli('import', 'rent', bad, '--unseen');
  expect(ended.status).toBe(1);
  expect(ended.stdout).toMatch(/bad\.onnx can't be a version of rent: ONNX Runtime can't load its file/);
  expect(await project.lastRun('rent')).toMatchObject({ run: 3, status: 'failed' });
  expect((await project.chain()).current).toEqual(before);
});

it('a file that is not there, and a model that is not, are told before anything is asked', async () => {
  expect((await cli('import', 'rent', 'nothing.onnx')).stderr).toMatch(/nothing\.onnx is not there\. Name a file/);
  expect((await cli('import', 'rant', good)).stderr).toMatch(/no model "rant"\. Did you mean "rent"\?/);
});

it('files that come in a burst each have a run of their own, before the runs of the burst', async () => {
  const { shoal: client } = project;
  const [first, second, third] = [
    await client.importVersion('rent', bad, { by: 'tester', reason: 'first' }), await client.importVersion('rent', good, { by: 'tester', reason: 'second', unseen: true }),
    await client.train(['rent'], { by: 'tester', reason: 'third' }),
  ];
  for (const batch of [first, second, third]) await client.settled(batch);
  const { runs } = await project.model('rent');
  expect(runs.slice(0, 3).map((r) => [r.request.reason, r.status])).toEqual([['third', 'made'], ['second', 'unchanged'], ['first', 'failed']]);
});

it('a team\'s own worker trains and serves its model, and no other worker does', async () => {
  const workers = `workers:
  - { name: all, roles: [workflows, train, serve] }
  - { name: team, roles: [train, serve], models: [rent] }
`;
  const other = await TestProject.open(server, { models: workers + twoModels({ maxEpochs: 4 }) });
  try {
    const batch = await other.shoal.train();
    const waiting = async () => (await other.shoal.temporal.workflow.getHandle('lifecycle/rent/1').describe().catch(() => undefined))?.raw.pendingActivities?.[0];
    await until(async () => (await other.lastRun('condition'))?.status === 'made');
    expect((await waiting())?.lastStartedTime ?? null).toBeNull();
    await other.startWorkers(other.spec.workers.filter((w) => w.name === 'team'));
    const { chains } = await other.shoal.settled(batch);
    expect(chains[0]!.current!.taskQueues).toEqual({ condition: 'shoal-serve', rent: 'shoal-serve-rent' });
    expect((await other.shoal.predict('flats', [{ size: 80, city: 'Bern', note: 'bright flat' }])).outputs).toHaveLength(1);
  } finally {
    await other.close();
  }
});
