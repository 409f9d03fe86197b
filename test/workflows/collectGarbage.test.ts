import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { existsSync } from 'node:fs';
import type { Release } from '../../src/domain/version';
import { gcSchedule } from '../../src/client';
import { shoal as command } from '../support/cli';
import { idsOf, liveOn, trainTwice, type Live, type Trained } from '../support/liveProject';
import { age } from '../support/oldStore';
import { TestServer, until } from '../support/server';

jest.setTimeout(300_000);

const TIGHT: [string, string] = ['name: flats\n', 'name: flats\nretention: { versions: { keep: 1, for: 1d }, releases: { keep: 2, for: 1d } }\n'];
const word = { by: 'tester', reason: 'a test' };
const FLAT = { id: 5_000_000, size: 80, city: 'Bern', built: '1990-06-01', note: 'bright quiet flat' };

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

const promote = async (live: Live, versions: Record<string, string>): Promise<number> => {
  const { number } = await live.shoal.propose('flats', versions, { ...word, force: true });
  await until(async () => (await live.view()).current?.number === number && (await live.view()).idle);
  return number;
};
const release = (live: Live, number: number): Promise<Release | undefined> => live.project.store.readNote<Release>(`chains/flats/releases/${number}`);

describe('the store of a chain that has had several releases', () => {
  it('keeps what answers, what can be rolled back to and what a run begins with; the rest goes, and says so', async () => {
    await withLive({}, async (live) => {
      const { project, shoal } = live;
      await project.edit(TIGHT);
      await project.train();
      project.files.addFlats(300);
      await project.train();
      expect(idsOf((await live.view()).current!)).toEqual(trained.second);
      // After a release that mixes them, the first rent is all that only the first release needs.
      await promote(live, { ...trained.second, condition: trained.first.condition! });
      const last = await promote(live, trained.second);
      const before = await shoal.predict('flats', [FLAT]);
      const report = async () => shoal.report({ model: 'rent', version: trained.second.rent! });
      expect(existsSync((await report()).file)).toBe(true);
      age(project.storeFolder, 100);

      const planned = await command(['-p', project.files.file, '--json', 'gc', '--dry-run'], { env: { TEMPORAL_ADDRESS: server.address, TEMPORAL_NAMESPACE: project.namespace } });
      expect(planned.json<{ releases: { number: number }[] }>().releases.map(({ number }) => number)).toEqual([last - 2, 1]);
      expect(await release(live, 1)).toBeDefined();
      const asked = await command(['-p', project.files.file, 'gc'], { env: { TEMPORAL_ADDRESS: server.address, TEMPORAL_NAMESPACE: project.namespace } });
      expect(asked).toMatchObject({ status: 3, stderr: expect.stringContaining('there is no terminal to ask on. Say --yes') });
      expect(asked.stdout.split('\n').every((line) => line.length <= 80)).toBe(true);

      const done = await shoal.collectGarbage();
      expect(done.releases.map(({ number }) => number)).toEqual([last - 2, 1]);
      expect(done.versions.map(({ model, id }) => `${model} ${id}`)).toEqual([`rent ${trained.first.rent}`]);
      expect(done.removed.objects.count).toBeGreaterThan(0);

      expect((await shoal.predict('flats', [FLAT])).outputs).toEqual(before.outputs);
      expect(existsSync((await report()).file)).toBe(true);
      await expect(shoal.report({ model: 'rent', version: trained.first.rent! })).rejects.toMatchObject({ code: 'NO_REPORT', message: expect.stringContaining('was removed on') });
      await expect(shoal.rollback('flats', { ...word, to: 1 })).rejects.toMatchObject({ code: 'UNKNOWN_RELEASE', message: expect.stringMatching(/Release 1 of the chain "flats" was removed on .*: it is neither in use/) });
      await expect(shoal.propose('flats', { rent: trained.first.rent! }, word)).rejects.toMatchObject({ code: 'UNKNOWN_VERSION' });
      expect(await shoal.rollback('flats', word)).toEqual({ number: last - 1 });
      expect((await shoal.predict('flats', [FLAT])).provenance.condition).toMatchObject({ version: trained.first.condition });
      expect(await shoal.rollback('flats', { ...word, to: last })).toEqual({ number: last });
      expect(idsOf((await live.view()).current!)).toEqual(trained.second);

      // What was made of the present data is found again; a second collection finds nothing.
      expect((await shoal.collectGarbage()).removed.objects.count).toBe(0);
      const { models } = await project.train();
      expect(models.map((m) => m.runs[0]!.status)).toEqual(['unchanged', 'unchanged']);
    });
  });

  it('is told of by the workflow\'s result, whoever starts it: a program, a schedule', async () => {
    await withLive({}, async ({ project, shoal }) => {
      await project.train();
      const spec = gcSchedule(project.spec);
      expect(spec).toMatchObject({ id: 'gc/flats', overlap: 'skip', workflow: { type: 'collectGarbage' } });
      const started = await shoal.temporal.workflow.execute(spec.workflow.type, { workflowId: 'gc/flats-by-schedule', taskQueue: project.spec.temporal.taskQueue, args: spec.workflow.args });
      expect(started).toMatchObject({ dryRun: false, versions: [], kept: { releases: 1 } });
    });
  });
});

describe('what is under way', () => {
  it('is a run that finds all it needs at its end, though the store is old and tidied in between', async () => {
    let hold: { reached: boolean; go: () => void } | undefined;
    const atTraining: ActivityInterceptorsFactory = ({ info }) => ({
      inbound: {
        async execute(given, next) {
          if (hold && info.activityType === 'evaluate' && info.workflowExecution?.workflowId.startsWith('lifecycle/condition/')) {
            const held = hold;
            held.reached = true;
            await new Promise<void>((resolve) => { held.go = resolve; });
          }
          return next(given);
        },
      },
    });
    await withLive({ activityInterceptors: [atTraining] }, async ({ project, shoal }) => {
      await project.edit(TIGHT);
      project.files.addFlats(200);
      hold = { reached: false, go: () => undefined };
      const batch = await shoal.train(undefined, word);
      await until(() => hold!.reached, { timeoutMs: 120_000 });
      // As if the run had been at it for months: only what its history names is known to be needed.
      age(project.storeFolder, 100);
      const { removed } = await shoal.collectGarbage();
      expect(removed.objects.count).toBeGreaterThan(0);
      const { go } = hold;
      hold = undefined;
      go();
      const { models } = await shoal.settled(batch);
      expect(models.map((m) => m.runs[0]!.status)).toEqual(['made', 'made']);
      expect((await project.chain()).current!.versions.rent!.id).toBe(models.find((m) => m.model === 'rent')!.latest!.version.id);
      expect((await shoal.collectGarbage()).notes).toEqual([]);
    });
  });

  it('is never taken for nothing: where the ledger does not know a chain of the store, nothing goes, and the workflow fails with the reason', async () => {
    await withLive({}, async ({ project, shoal }) => {
      age(project.storeFolder, 400);
      await project.store.writeNote('chains/other/current', { chain: 'other', revision: 1, current: {} });
      Object.assign(shoal.project.chains, { other: { ...shoal.project.chains.flats!, name: 'other' } });
      // What goes on meanwhile may add to them, and touch what it needs.
      const objects = async () => (await project.store.contents('objects')).map(({ name, bytes }) => ({ name, bytes }));
      const before = await objects();
      await expect(shoal.collectGarbage()).rejects.toMatchObject({ code: 'NOT_COLLECTED', message: expect.stringMatching(/^Nothing was removed from the store\. The store has a release of the chain other/) });
      expect(await objects()).toEqual(expect.arrayContaining(before));
    });
  });
});
