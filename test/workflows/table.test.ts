import { execFileSync } from 'node:child_process';
import { PASSWORD, Postgres } from '../support/postgres';
import { TestProject } from '../support/project';
import { TestServer, until } from '../support/server';
import { flats, twoModels } from '../support/smallProject';

jest.setTimeout(300_000);

const PASSES = (metric: string) => `gates: [{ metric: ${metric}, against: baseline, min: 0 }]`;
const MODELS = twoModels({
  maxEpochs: 2,
  condition: PASSES('accuracy'),
  rent: `${PASSES('rmse')}\n    retrain: { newData: { rows: 50, every: 1d }, cooldown: 1s, budget: 100 }`,
  chain: PASSES('rmse'),
});

let postgres: Postgres;
let server: TestServer;
let project: TestProject;
beforeAll(async () => {
  postgres = await Postgres.start();
  process.env.TEST_WAREHOUSE = postgres.address;
  await postgres.sql('CREATE TABLE flats (id int PRIMARY KEY, size int, city text, built date, note text, condition text, rent numeric); GRANT SELECT ON flats TO reader');
  await insert(400, { firstId: 0 });
  server = await TestServer.start({ namespaces: 1 });
  project = await TestProject.open(server, { models: MODELS, files: {}, source: '{ postgres: TEST_WAREHOUSE, table: public.flats, key: id }' });
});
afterAll(async () => {
  delete process.env.TEST_WAREHOUSE;
  await project?.close();
  await server?.stop();
  await postgres?.stop();
});

async function insert(rows: number, of: { firstId: number }): Promise<void> {
  const [, ...lines] = flats(rows, { seed: of.firstId + 1, ...of }).trimEnd().split('\n');
  await postgres.sql(`INSERT INTO flats VALUES ${lines.map((line) => `(${line.split(',').map((value) => `'${value}'`).join(', ')})`).join(', ')}`);
}

const watched = async () => {
  const { schedule } = project.shoal.temporal;
  const before = (await schedule.getHandle('watch/rent').describe()).info.recentActions.length;
  await project.shoal.schedules.trigger('watch/rent');
  await until(async () => (await schedule.getHandle('watch/rent').describe()).info.recentActions.length > before);
  const { workflowId } = (await schedule.getHandle('watch/rent').describe()).info.recentActions.at(-1)!.action.workflow;
  return project.shoal.temporal.workflow.getHandle(workflowId).result() as Promise<{ asked: boolean; reason: string }>;
};

/** With the payloads, which are bytes, as their texts. */
function spelledOut(value: unknown): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString();
  return typeof value === 'object' && value !== null ? Object.values(value).map(spelledOut).join('\n') : String(value);
}

it('a table is trained on, released, and said in the lineage', async () => {
  await project.train();
  expect((await project.chain()).current).toMatchObject({ number: 1 });
  expect((await project.shoal.lineage({ model: 'rent' }))).toMatchObject({ snapshot: { source: 'flats', rows: 400, files: [{ file: 'TEST_WAREHOUSE: public.flats' }] } });
});

it('the same rows, wherever they lie in it, make nothing new', async () => {
  await postgres.sql('UPDATE flats SET rent = rent WHERE id % 3 = 0; CLUSTER flats USING flats_pkey');
  await project.train();
  expect([(await project.lastRun('condition')).status, (await project.lastRun('rent')).status]).toEqual(['unchanged', 'unchanged']);
});

it('when enough of its rows are new, it is trained on by itself', async () => {
  await project.shoal.schedules.apply();
  expect(await watched()).toMatchObject({ asked: false, reason: expect.stringMatching(/^Nothing is new/) });
  await insert(60, { firstId: 5_000 });
  expect(await watched()).toMatchObject({ asked: true, reason: expect.stringMatching(/^60 /) });
  await until(async () => (await project.lastRun('rent')).request.trigger === 'newData' && !(await project.model('rent')).running);
  expect(await project.lastRun('rent')).toMatchObject({ status: 'made' });
  expect(await project.shoal.lineage({ model: 'rent' })).toMatchObject({ snapshot: { rows: 460 } });
});

it('a run outlasts a database that is down, and says what it waits for', async () => {
  await insert(100, { firstId: 9_000 });
  await postgres.down();
  const requests = await project.shoal.train(['condition'], { by: 'tester' });
  const handle = project.shoal.temporal.workflow.getHandle(`lifecycle/condition/${(await project.model('condition')).running!.run}`);
  const waiting = async () => (await handle.describe()).raw.pendingActivities?.[0]?.lastFailure?.message ?? '';
  await until(async () => (await waiting()) !== '');
  expect(await waiting()).toMatch(/^Source flats: database shop at 127\.0\.0\.1:\d+ \(TEST_WAREHOUSE\) can't be reached/);
  await postgres.up();
  await project.shoal.settled(requests);
  expect(await project.shoal.lineage({ model: 'condition' })).toMatchObject({ snapshot: { rows: 560 } });
});

it('the address and its password are nowhere: not in a history, not in the store', async () => {
  const spelled = [PASSWORD, encodeURIComponent(PASSWORD), postgres.address];
  let histories = 0;
  for await (const { workflowId } of project.shoal.temporal.workflow.list()) {
    const text = spelledOut(await project.history(workflowId));
    if (text.includes('TEST_WAREHOUSE')) histories++;
    for (const secret of spelled) expect(text.includes(secret)).toBe(false);
  }
  expect(histories).toBeGreaterThan(5);
  for (const secret of spelled) expect(() => execFileSync('grep', ['-rqF', secret, project.storeFolder])).toThrow();
  expect(() => execFileSync('grep', ['-rqF', 'TEST_WAREHOUSE', project.storeFolder])).not.toThrow();
});
