import type { WorkflowHandle } from '@temporalio/client';
import { shoal, type Refusal } from '../support/cli';
import { idsOf, liveOn, trainTwice, type Live, type Trained } from '../support/liveProject';
import { TestServer, until } from '../support/server';

jest.setTimeout(240_000);

let server: TestServer;
let trained: Trained;
beforeAll(async () => {
  server = await TestServer.start();
  trained = await trainTwice(server);
});
afterAll(async () => {
  await server?.stop();
});

const withLive = liveOn(() => ({ server, trained }));

const ann = (reason: string) => ({ by: 'ann', reason });
const MANUAL = { approval: 'manual', rollout: { steps: '[0.3]' } };
const details = async ({ shoal: { temporal } }: Live): Promise<string> =>
  (await temporal.workflow.getHandle('release/flats').query<{ currentDetails: string }>('__temporal_workflow_metadata')).currentDetails;

describe('a word that can\'t be taken', () => {
  it('is refused with the reason, and changes nothing', async () => {
    await withLive(MANUAL, async (live) => {
      const { first, second } = trained;
      const before = await live.view();
      const refused = (asked: Promise<unknown>, code: string, message: RegExp) => expect(asked).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
      const no = ann('no');

      for (const command of ['approve', 'refuse', 'pause', 'resume', 'force'] as const) {
        await refused(live.shoal[command]('flats', no), 'COMMAND_REFUSED', /^There is no candidate under way for flats\./);
        await refused(live.shoal[command]('flats', ann(' ')), 'COMMAND_REFUSED', /^Say who and why/);
        await refused(live.shoal[command]('flat', no), 'UNKNOWN_CHAIN', /Did you mean "flats"/);
      }
      await refused(live.shoal.setWeight('flats', 0.5, no), 'COMMAND_REFUSED', /no candidate under way/);
      await refused(live.shoal.rollback('flats', no), 'COMMAND_REFUSED', /There is no release before 1\./);
      await refused(live.shoal.rollback('flats', { ...no, to: 1 }), 'COMMAND_REFUSED', /Release 1 is in place already/);
      await refused(live.shoal.rollback('flats', { ...no, to: 1.5 }), 'COMMAND_REFUSED', /whole number from 1, not 1\.5/);
      await refused(live.shoal.rollback('flats', { ...no, to: 9 }), 'UNKNOWN_RELEASE', /never had release 9 in use\. It had: 1\./);
      await refused(live.shoal.propose('flats', {}, no), 'COMMAND_REFUSED', /Name the versions/);
      await refused(live.shoal.propose('flats', { rents: second.rent! }, no), 'COMMAND_REFUSED', /no model rents; it has condition, rent/);
      await refused(live.shoal.propose('flats', { rent: 'nosuchversion' }, no), 'UNKNOWN_VERSION', /no version nosuchversion of rent/);
      await refused(live.shoal.propose('flats', { rent: first.condition! }, no), 'UNKNOWN_VERSION', /of rent/);
      await refused(live.shoal.propose('flats', second, ann('')), 'COMMAND_REFUSED', /Say who and why/);
      expect(await live.view()).toEqual(before);

      await live.shoal.propose('flats', second, ann('newer'));
      await live.inPhase('approval');
      await refused(live.shoal.setWeight('flats', 0.5, no), 'COMMAND_REFUSED', /Candidate 2 is not at that point: it is approval, and this is for canary or asking/);
      await refused(live.shoal.resume('flats', no), 'COMMAND_REFUSED', /is not paused/);
      await live.shoal.approve('flats', ann('looks right'));
      await live.inPhase('canary');
      await refused(live.shoal.approve('flats', no), 'COMMAND_REFUSED', /it is canary, and this is for approval or asking/);
      for (const weight of [-0.1, 1.5, NaN, '0.5' as unknown as number]) {
        await refused(live.shoal.setWeight('flats', weight, no), 'COMMAND_REFUSED', /A weight is a number from 0 to 1/);
      }
      expect((await live.view()).actions.map((a) => a.action)).toEqual(['approve', 'propose', 'propose and force']);
    });
  });
});

describe('a person', () => {
  it('approves, pauses, weighs, forces and rolls back, with who and why on the record', async () => {
    await withLive(MANUAL, async (live) => {
      const { first, second } = trained;
      expect(await live.shoal.propose('flats', second, ann('newer'))).toEqual({ number: 2 });
      expect((await live.inPhase('approval')).activity).toBe('release 1 is in place; candidate 2 waits for approval');
      expect((await live.routing()).candidate).toBeUndefined();
      await live.shoal.approve('flats', ann('looks right'));
      await live.inPhase('canary');
      await until(async () => (await live.routing()).candidate?.weight === 0.3);

      await live.shoal.setWeight('flats', 1, ann('all of it'));
      expect((await live.routing()).candidate).toMatchObject({ weight: 1, release: { number: 2 } });
      expect((await live.ask(5)).map(({ answer }) => answer.release)).toEqual([2, 2, 2, 2, 2]);
      await live.shoal.setWeight('flats', 0, ann('none'));
      expect((await live.ask(5)).map(({ answer }) => answer.release)).toEqual([1, 1, 1, 1, 1]);

      await live.shoal.pause('flats', ann('lunch'));
      expect(await live.view()).toMatchObject({ activity: expect.stringMatching(/candidate 2 answers 0% .*, paused by ann \(lunch\)$/), rollout: { paused: ann('lunch') } });
      await live.shoal.resume('flats', ann('back'));
      expect((await live.view()).rollout!.paused).toBeUndefined();
      await live.shoal.pause('flats', ann('again'));
      await live.shoal.force('flats', ann('it must be today'));
      expect(await live.decided(2)).toMatchObject({ status: 'promoted', by: 'ann', reason: expect.stringMatching(/Approved by ann: looks right\. Forced by ann: it must be today\.$/) });
      expect(await live.routing()).toMatchObject({ current: { number: 2 }, previous: { number: 1 } });

      expect(await live.shoal.rollback('flats', ann('too dear'))).toEqual({ number: 1 });
      expect((await live.ask(1))[0]!.answer.release).toBe(1);
      expect(await live.shoal.rollback('flats', { ...ann('it was right'), to: 2 })).toEqual({ number: 2 });
      expect((await live.ask(1))[0]!.answer.release).toBe(2);
      const { actions, decisions, current, previous } = await live.view();
      expect([idsOf(current!), previous!.number]).toEqual([second, 1]);
      expect(decisions.map((d) => [d.number, d.status, d.by])).toEqual([[1, 'rolled back', 'ann'], [2, 'rolled back', 'ann'], [2, 'promoted', 'ann'], [1, 'promoted', 'tester']]);
      expect(decisions[1]!.reason).toBe('ann: too dear');
      expect(actions.map((a) => [a.action, a.by, a.reason, a.number])).toEqual([
        ['roll back', 'ann', 'it was right', 1], ['roll back', 'ann', 'too dear', 2], ['force', 'ann', 'it must be today', 2], ['pause', 'ann', 'again', 2],
        ['resume', 'ann', 'back', 2], ['pause', 'ann', 'lunch', 2], ['change the weight', 'ann', 'none', 2], ['change the weight', 'ann', 'all of it', 2],
        ['approve', 'ann', 'looks right', 2], ['propose', 'ann', 'newer', 2], ['propose and force', 'tester', 'a first release', 1],
      ]);
      const text = await details(live);
      expect(text).toMatch(/\| 2 \| \S+ \| promoted by ann \| .*Forced by ann: it must be today\. \|/);
      expect(text).toMatch(/\| \S+ \| ann \| roll back \(2\) \| too dear \|/);
      expect(idsOf((await live.routing()).previous!)).toEqual(first);
    });
  });

  it('is asked where a model says so, for releases that bring a new version of it, and can say no', async () => {
    await withLive({ condition: 'approval: manual', rollout: { idle: '1s' } }, async (live) => {
      await live.shoal.propose('flats', { rent: trained.second.rent! }, ann('only the rent'));
      expect((await live.decided(2)).status).toBe('promoted');
      await live.shoal.propose('flats', { condition: trained.second.condition! }, ann('the other, too'));
      await live.inPhase('approval', 3);
      await live.shoal.refuse('flats', ann('not before Monday'));
      expect(await live.decided(3)).toMatchObject({ status: 'refused', by: 'ann', reason: 'ann: not before Monday' });
      expect((await live.view()).current!.number).toBe(2);
      expect((await live.view()).rollout).toBeUndefined();
    });
  });

  it('decides where the judge comes to no verdict', async () => {
    await withLive({ rollout: { steps: '[0.5]', requests: '1000', limit: '3s', inconclusive: 'ask' } }, async (live) => {
      await live.shoal.propose('flats', trained.second, ann('newer'));
      await live.inPhase('canary');
      live.busy();
      expect((await live.inPhase('asking')).activity).toMatch(/the judge came to no verdict, and waits for a person/);
      await live.calm();
      expect((await live.routing()).candidate).toMatchObject({ weight: 0.5 });
      await live.shoal.approve('flats', ann('good enough'));
      expect(await live.decided(2)).toMatchObject({ status: 'promoted', by: 'ann', reason: expect.stringContaining('Approved by ann: good enough.') });
    });
  });
});

describe('proposals', () => {
  it('queue; one that a forced one overtakes is judged again, against what is in place then', async () => {
    await withLive(MANUAL, async (live) => {
      const { first, second } = trained;
      await live.shoal.propose('flats', second, ann('both'));
      await live.inPhase('approval', 2);
      const numbers = await Promise.all([
        live.shoal.propose('flats', { rent: second.rent! }, ann('the rent')),
        live.shoal.propose('flats', { rent: second.rent! }, ann('the rent again')),
      ]);
      expect(numbers.map(({ number }) => number).sort()).toEqual([3, 4]);
      const championOf = async () => (await live.view()).rollout!.evaluation!.metrics[0]!.champion!.version;
      expect(await championOf()).toBe('release 1');

      await live.shoal.propose('flats', { condition: second.condition! }, { ...ann('now'), force: true });
      expect(await live.decided(5)).toMatchObject({ status: 'promoted', by: 'ann', reason: 'Not judged end to end. Not tried on requests. Forced by ann: now.', versions: { ...first, condition: second.condition } });
      await live.inPhase('approval', 2);
      expect(await championOf()).toBe('release 5');
      await live.shoal.refuse('flats', ann('no more'));
      await live.inPhase('approval', 3);
      expect((await live.view()).rollout!.versions).toEqual(second);
      await live.shoal.refuse('flats', ann('no more'));
      await live.inPhase('approval', 4);
    });
  });
});

describe('the command line', () => {
  it('has a command for each, with exit codes and JSON', async () => {
    await withLive(MANUAL, async (live) => {
      const run = (...args: string[]) => shoal(['--project', live.project.files.file, ...args, '--reason', 'because', '--by', 'ann'], { env: { TEMPORAL_ADDRESS: server.address } });
      const { second } = trained;
      const nothing = await run('approve', 'flats', '--json');
      expect([nothing.status, nothing.json<Refusal>().error.code]).toEqual([3, 'COMMAND_REFUSED']);
      const wrong = await run('propose', 'flats', 'rent');
      expect([wrong.status, wrong.stderr]).toEqual([3, expect.stringContaining('Write model=version')]);

      const proposed = await run('propose', 'flats', `condition=${second.condition}`, `rent=${second.rent}`, '--json');
      expect([proposed.status, proposed.json()]).toEqual([0, { number: 2 }]);
      await live.inPhase('approval');
      expect(await run('pause', 'flats')).toMatchObject({ status: 0, stdout: 'flats: the candidate is paused.\n' });
      expect((await run('resume', 'flats', '--json')).json()).toEqual({ ok: true });
      expect(await run('approve', 'flats')).toMatchObject({ status: 0, stdout: 'flats: the candidate goes on.\n' });
      await live.inPhase('canary');
      expect((await run('weight', 'flats', '150%')).stderr).toContain('150% is not a share');
      expect(await run('weight', 'flats', '20%')).toMatchObject({ status: 0, stdout: 'flats: the candidate answers 20% of the requests.\n' });
      expect((await live.routing()).candidate!.weight).toBe(0.2);
      expect((await run('refuse', 'flats')).status).toBe(0);
      expect(await live.decided(2)).toMatchObject({ status: 'refused', by: 'ann', reason: 'ann: because' });

      await run('propose', 'flats', `rent=${second.rent}`);
      await live.inPhase('approval', 3);
      expect((await run('force', 'flats')).status).toBe(0);
      await live.decided(3);
      expect((await run('rollback', 'flats', '--to', '7', '--json')).json<Refusal>().error.code).toBe('UNKNOWN_RELEASE');
      expect((await run('rollback', 'flats', '--json')).json()).toEqual({ number: 1 });
      const silent = await shoal(['--project', live.project.files.file, 'rollback', 'flats'], { env: { TEMPORAL_ADDRESS: server.address } });
      expect([silent.status, silent.stderr]).toEqual([2, expect.stringContaining('--reason')]);
    });
  });
});

describe('the Temporal UI', () => {
  it('can send each as an update of plain JSON, and is told what is wrong with it', async () => {
    await withLive(MANUAL, async (live) => {
      const handle: WorkflowHandle = live.shoal.temporal.workflow.getHandle('release/flats');
      const send = (update: string, ...args: unknown[]) => handle.executeUpdate(update, { args: args as [] }) as Promise<unknown>;
      const refusal = (asked: Promise<unknown>) => asked.then(() => 'taken', (error: Error) => (error.cause as Error).message);
      const word = ann('from the UI');
      for (const wrong of [[], [null], ['yes'], [7], [{ by: 'ann' }], [{ by: '', reason: 'x' }], [{ by: 1, reason: 2 }]]) {
        for (const update of ['approve', 'propose', 'rollback', 'setWeight']) expect(await refusal(send(update, ...wrong))).toMatch(/Say who and why/);
      }
      expect(await refusal(send('propose', { ...word, versions: 'rent' }))).toMatch(/Name the versions/);
      expect(await refusal(send('propose', { ...word, versions: { rent: 7 } }))).toMatch(/Name the versions/);
      expect(await send('propose', { ...word, versions: trained.second })).toEqual({ number: 2 });
      await live.inPhase('approval');
      await send('approve', word);
      await live.inPhase('canary');
      expect(await refusal(send('setWeight', { ...word, weight: 'half' }))).toMatch(/from 0 to 1, not "half"/);
      await send('setWeight', { ...word, weight: 0.5 });
      await send('pause', word);
      await send('resume', word);
      await send('force', word);
      await live.decided(2);
      expect(await send('rollback', { ...word, to: 1 })).toEqual({ number: 1 });
      await send('propose', { ...word, versions: { rent: trained.second.rent } });
      await live.inPhase('approval');
      await send('refuse', word);
      expect((await live.view()).actions.map((a) => a.action).reverse().slice(1)).toEqual(
        ['propose', 'approve', 'change the weight', 'pause', 'resume', 'force', 'roll back', 'propose', 'refuse']);
    });
  });
});
