import { writeFileSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { modelWorkflowId, retrain } from '../../src/workflows/messages';
import { shoal as command } from '../support/cli';
import { TestProject } from '../support/project';
import { TestServer, until } from '../support/server';
import { twoModels } from '../support/smallProject';

jest.setTimeout(300_000);

const PASSES = 'gates: [{ metric: rmse, against: baseline, min: 0 }]';
/** Nothing starts by its schedule within the hours of a test: each start is asked for. */
const RETRAIN = 'retrain: { schedule: "0 6 * * 1", newData: { rows: 50, every: 1d }, cooldown: 1s, budget: 100 }';
const MODELS = twoModels({
  maxEpochs: 2,
  condition: `gates: [{ metric: accuracy, against: baseline, min: 0 }]\n    retrain: { schedule: { every: 30d, jitter: 0s, pauseOnFailure: true } }`,
  rent: `${PASSES}\n    ${RETRAIN}`,
  chain: `${PASSES}\n    retrain: { schedule: "@daily" }`,
});
const ALL = ['gc/flats', 'monitor/flats', 'retrain/chain/flats', 'retrain/condition', 'retrain/rent', 'watch/rent'];

let server: TestServer;
let project: TestProject;
beforeAll(async () => {
  server = await TestServer.start({ namespaces: 1 });
  project = await TestProject.open(server, { models: MODELS });
  await project.train();
});
afterAll(async () => {
  await project?.close();
  await server?.stop();
});

const described = (id: string) => project.shoal.temporal.schedule.getHandle(id).describe();
const runs = async (model: string) => (await project.model(model)).runs;
/** The workflow that a schedule started last, when it has ended. */
async function fired(id: string): Promise<{ status: string; workflowId: string }> {
  const before = (await described(id)).info.recentActions.length;
  await project.shoal.schedules.trigger(id);
  await until(async () => (await described(id)).info.recentActions.length > before);
  const { workflowId } = (await described(id)).info.recentActions.at(-1)!.action.workflow;
  const handle = project.shoal.temporal.workflow.getHandle(workflowId);
  await until(async () => (await handle.describe()).status.name !== 'RUNNING', { timeoutMs: 120_000 });
  return { status: (await handle.describe()).status.name, workflowId };
}

describe('the schedules of a project', () => {
  it('are made, left alone when they are as they should be, changed and removed; one that a person paused stays paused', async () => {
    expect((await project.shoal.schedules.apply()).created.sort()).toEqual(ALL);
    expect(await project.shoal.schedules.apply()).toEqual({ created: [], updated: [], removed: [] });
    const { spec, policies } = await described('retrain/condition');
    expect([spec.intervals, policies]).toEqual([[expect.objectContaining({ every: 30 * 86_400_000 })], { overlap: 'SKIP', catchupWindow: 3_600_000, pauseOnFailure: true }]);
    expect((await described('retrain/rent')).policies.pauseOnFailure).toBe(false);

    await project.shoal.schedules.pause('retrain/rent', 'the source is being moved');
    await project.edit(['0 6 * * 1', '0 7 * * 1'], ['\n    retrain: { schedule: "@daily" }', '']);
    // The server's list of schedules comes a little later than they do.
    const removed: string[] = [];
    await until(async () => removed.push(...(await project.shoal.schedules.apply()).removed) > 0);
    expect(removed).toEqual(['retrain/chain/flats']);
    expect((await described('retrain/rent')).state).toMatchObject({ paused: true, note: 'the source is being moved' });
    const list = await project.shoal.schedules.list();
    expect(list.find(({ id }) => id === 'retrain/rent')).toMatchObject({ paused: 'the source is being moved', note: 'Trains rent.' });
    expect(list.map(({ id }) => id).sort()).toEqual(ALL.filter((id) => id !== 'retrain/chain/flats'));
    await project.shoal.schedules.resume('retrain/rent', 'it is there');
    expect((await project.shoal.schedules.list()).find(({ id }) => id === 'retrain/rent')).toMatchObject({ next: expect.stringMatching(/T07:/) });
    await project.edit(['0 7 * * 1', '99 7 * * 1']);
    await expect(project.shoal.schedules.apply()).rejects.toMatchObject({ code: 'CONFIG', message: expect.stringContaining('retrain/rent') });
    await project.edit(['99 7 * * 1', '0 6 * * 1']);
    await project.shoal.schedules.apply();
  });

  it('are listed, paused, resumed and started on the command line', async () => {
    const run = (...args: string[]) => command(['-p', project.files.file, 'schedule', ...args], { env: { TEMPORAL_ADDRESS: server.address } });
    const listed = await run();
    expect(listed.stdout).toMatch(/watch\/rent +\d{4}-\d\d-\d\d/);
    expect(listed.stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
    expect(await run('pause', 'watch/rent', '-r', 'quiet')).toMatchObject({ status: 0, stdout: 'watch/rent is paused.\n' });
    expect((await run('--json')).json<{ id: string; paused?: string }[]>().find(({ id }) => id === 'watch/rent')!.paused).toBe('quiet');
    expect(await run('resume', 'watch/rent')).toMatchObject({ status: 0 });
    expect(await run('trigger', 'watch/rents')).toMatchObject({ status: 1, stderr: expect.stringContaining('Did you mean "watch/rent"') });
    expect(await run('apply')).toMatchObject({ status: 0, stdout: 'All schedules are as temporal.yaml says.\n' });
  });

  it('have no part in what a model is: another schedule makes no other version', async () => {
    const { version } = (await project.model('rent')).latest!;
    await project.edit(['budget: 100', 'budget: 99']);
    await project.train();
    expect(await project.lastRun('rent')).toMatchObject({ status: 'unchanged', made: { version: { id: version.id } } });
  });
});

describe('a model that its schedule asks', () => {
  it('runs, says why, and the schedule knows when it has ended', async () => {
    const before = (await runs('rent')).length;
    const { status, workflowId } = await fired('retrain/rent');
    expect(status).toBe('COMPLETED');
    const [run] = await runs('rent');
    expect([run!.run, run!.request.trigger, run!.request.reason, run!.request.tell]).toEqual([before + 1, 'schedule', 'it is time to train rent', [workflowId]]);
    const found = [];
    for await (const { workflowId: id } of project.shoal.temporal.workflow.list({ query: `ShoalTrigger = 'schedule' AND ShoalModel = 'rent'` })) found.push(id);
    expect(found).toContain(`lifecycle/rent/${run!.run}`);
  });

  it('pauses its schedule when its run failed, where that is wanted', async () => {
    const file = path.join(project.files.folder, 'flats.csv');
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replace('note', 'notes'));
    // By itself: a start that a person asked for pauses nothing.
    await project.edit(['every: 30d', 'every: 2s']);
    await project.shoal.schedules.apply();
    await until(async () => (await described('retrain/condition')).state.paused, { timeoutMs: 90_000 });
    expect(await project.lastRun('condition')).toMatchObject({ status: 'failed', request: { trigger: 'schedule' } });
    writeFileSync(file, text);
    await project.edit(['every: 2s', 'every: 30d']);
    await project.shoal.schedules.apply();
    expect((await described('retrain/condition')).state.paused).toBe(true);
    await project.shoal.schedules.resume('retrain/condition', 'mended');
    // What was asked for lately is held back; who waits is told so.
    expect((await fired('retrain/condition')).status).toBe('COMPLETED');
    expect((await project.model('condition')).held).toMatchObject({ why: expect.stringContaining('cooldown'), request: { trigger: 'schedule' } });
    await project.train(['condition']);
    expect((await project.model('condition')).held).toBeUndefined();
  });

  it('makes of a burst one run, and one more when its cool-down is over', async () => {
    const before = (await runs('rent')).length;
    const handle = project.shoal.temporal.workflow.getHandle(modelWorkflowId('rent'));
    await Promise.all(Array.from({ length: 50 }, (_, i) => handle.signal(retrain, { trigger: 'drift', reason: `sign ${i}`, by: 'a monitor', batch: `burst ${i}`, alongside: ['rent'] })));
    await until(async () => { const view = await project.model('rent'); return view.runs.length > before && !view.running && !view.waiting && !view.held; });
    const made = (await runs('rent')).slice(0, -before);
    expect(made.length).toBeGreaterThanOrEqual(1);
    expect(made.length).toBeLessThanOrEqual(2);
    expect(made.every(({ request: { trigger } }) => trigger === 'drift')).toBe(true);
  });
});

describe('a model whose source is watched', () => {
  it('runs when enough rows are new, and not again for the same ones', async () => {
    const settled = async () => until(async () => { const view = await project.model('rent'); return !view.running && !view.waiting && !view.held; });
    const before = (await runs('rent')).length;
    expect((await fired('watch/rent')).status).toBe('COMPLETED');
    expect((await runs('rent')).length).toBe(before);

    project.files.addFlats(60);
    await fired('watch/rent');
    await until(async () => (await runs('rent')).length > before);
    await settled();
    const [run] = await runs('rent');
    expect(run!.request).toMatchObject({ trigger: 'newData', by: 'shoal', reason: expect.stringMatching(/^60 of 660 rows are new or changed \(9.1%\) since version \w{12}$/) });
    await fired('watch/rent');
    await settled();
    expect((await runs('rent')).length).toBe(before + 1);
  });

  it('runs when a program says that there are new data, whatever else it says', async () => {
    const before = (await runs('rent')).length;
    await project.shoal.newData('rent', { reason: 'the nightly export', by: 'etl' });
    await until(async () => (await runs('rent')).length > before);
    expect((await runs('rent'))[0]!.request).toMatchObject({ trigger: 'newData', reason: 'the nightly export', by: 'etl' });
    await project.shoal.temporal.workflow.getHandle(modelWorkflowId('rent')).signal('newData', 'rubbish');
    await until(async () => (await runs('rent')).length > before + 1);
    expect((await runs('rent'))[0]!.request).toMatchObject({ trigger: 'newData', reason: 'a program says there are new data' });
  });
});
