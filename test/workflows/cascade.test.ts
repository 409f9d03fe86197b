import { modelWorkflowId } from '../../src/workflows/messages';
import { idsOf } from '../support/liveProject';
import { TestProject } from '../support/project';
import { TestServer, until } from '../support/server';
import { flats, twoModels, withOpposite } from '../support/smallProject';

jest.setTimeout(400_000);

const RENT_GATE = 'gates: [{ metric: rmse, against: baseline, min: 0 }]';
const IMPOSSIBLE = 'gates: [{ metric: r2, min: 1.01 }]';

let server: TestServer;
let project: TestProject;
beforeAll(async () => {
  server = await TestServer.start({ namespaces: 1 });
  project = await TestProject.open(server, {
    files: { 'flats.csv': withOpposite(flats(600)) },
    models: twoModels({ condition: 'gates: [{ metric: accuracy, against: baseline, min: 0 }]', rent: RENT_GATE, chain: 'gates: [{ metric: r2, against: champion, min: -0.05 }]' }),
  });
  await project.train();
});
afterAll(async () => {
  await project?.close();
  await server?.stop();
});

const current = async () => (await project.chain()).current!;

describe('an upstream version that is better by itself and makes the chain worse', () => {
  it('is refused with all else pinned; the models downstream of it are retrained on it, and the set is promoted together', async () => {
    const before = idsOf(await current());
    await project.edit(['target: condition', 'target: opposite']);
    await project.train(['condition']);

    const condition = await project.lastRun('condition');
    expect(condition).toMatchObject({ status: 'made', request: { trigger: 'code' } });
    const rent = await project.lastRun('rent');
    expect(rent).toMatchObject({
      status: 'made', made: { upstream: { condition: condition.made!.version.id } },
      request: { trigger: 'cascade', by: 'flats', reason: `flats needs it on condition ${condition.made!.version.id}`, upstream: { condition: condition.made!.version } },
    });
    expect((await project.model('rent')).runs).toHaveLength(2);

    const { decisions, actions } = await project.chain();
    const set = { condition: condition.made!.version.id, rent: rent.made!.version.id };
    expect(decisions.map((d) => [d.number, d.status, d.versions])).toEqual([
      [3, 'promoted', set], [2, 'refused', { condition: set.condition, rent: before.rent }], [1, 'promoted', before],
    ]);
    expect(decisions[1]!.reason).toMatch(/r2 .* is worse than the champion's/);
    expect(actions[0]).toMatchObject({ action: 'cascade', by: 'shoal', reason: `rent to be retrained on condition ${set.condition}` });
    expect(idsOf(await current())).toEqual(set);
    expect((await project.model('condition')).champion!.id).toBe(set.condition);
  });

  it('changes nothing when the models downstream do not pass on it, and is not offered again', async () => {
    const before = await current();
    await project.edit(['target: opposite', 'target: condition'], [RENT_GATE, IMPOSSIBLE]);
    await project.train();
    expect(await project.lastRun('rent')).toMatchObject({ status: 'refused', request: { trigger: 'cascade' } });
    expect(await current()).toEqual(before);
    const { decisions, activity } = await project.chain();
    expect(decisions[0]).toMatchObject({ number: 4, status: 'refused', versions: { rent: idsOf(before).rent } });
    expect(activity).toMatch(/^release 3 is in place/);

    const { runs: { length } } = await project.model('rent');
    await project.train(['condition']);
    expect(await project.lastRun('condition')).toMatchObject({ status: 'refused', reason: expect.stringMatching(/^flats refused this version before: the chain got worse with it/) });
    expect((await project.model('condition')).latest!.version.id).toBe(idsOf(before).condition);
    expect([(await project.model('rent')).runs.length, (await project.chain()).decisions[0]!.number, await current()]).toEqual([length, 4, before]);
  });

  it('is not what a model downstream is trained on when that is asked for by itself', async () => {
    const runs = (await project.model('rent')).runs.length;
    await project.shoal.temporal.workflow.getHandle(modelWorkflowId('rent')).executeUpdate('requestRun', { args: [{ reason: 'alone' }] });
    await until(async () => (await project.model('rent')).runs.length > runs);
    const { made, reason } = await project.lastRun('rent');
    expect([made?.upstream, reason]).toEqual([{ condition: idsOf(await current()).condition }, expect.stringContaining('r2')]);
  });

  it('is offered again when the chain is defined otherwise', async () => {
    await project.edit([IMPOSSIBLE, RENT_GATE], ['min: -0.05', 'min: -0.04']);
    await project.train();
    expect((await project.lastRun('condition')).status).not.toBe('refused');
    const rent = await project.lastRun('rent');
    expect(idsOf(await current())).toEqual({ condition: (await project.lastRun('condition')).made!.version.id, rent: rent.made!.version.id });
    expect((await current()).spec.gates[0]!.min).toBe(-0.04);
  });
});
