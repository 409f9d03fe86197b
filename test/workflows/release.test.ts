import { rmSync } from 'node:fs';
import path from 'node:path';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { TestProject, activitiesOf } from '../support/project';
import { TestServer, until } from '../support/server';
import { twoModels } from '../support/smallProject';

jest.setTimeout(180_000);

const FLAT = { id: 7, size: 80, city: 'Bern', built: '1990-06-01', note: 'bright quiet flat' };
const EASY = (metric: string) => `gates: [{ metric: ${metric}, against: baseline, min: 0 }]`;
const IMPOSSIBLE = (metric: string) => `gates: [{ metric: ${metric}, against: value, min: 1.01 }]`;
const MODELS = twoModels({ condition: EASY('accuracy'), rent: EASY('rmse'), chain: EASY('rmse') });

let server: TestServer;
/** One that has a release, whose store the others begin with: what is trained there is not trained again. */
let first: TestProject;
beforeAll(async () => {
  server = await TestServer.start();
  first = await TestProject.open(server, { models: MODELS });
  await first.train();
});
afterAll(async () => {
  await first?.close();
  await server?.stop();
});

async function withProject(options: Parameters<typeof TestProject.open>[1], work: (project: TestProject) => Promise<void>): Promise<void> {
  const project = await TestProject.open(server, { models: MODELS, store: first.storeFolder, ...options });
  rmSync(path.join(project.storeFolder, 'notes/chains'), { recursive: true });
  try {
    await work(project);
  } finally {
    await project.close();
  }
}

const ids = async (project: TestProject) => Object.fromEntries(Object.values((await project.chain()).current!.versions).map((v) => [v.model, v.id]));
const pointer = (project: TestProject) => path.join(project.storeFolder, 'notes/chains/flats/current.json');

describe('a candidate that does not pass', () => {
  it('is refused with its reason, and leaves the chain without a release when there was none', async () => {
    await withProject({ models: twoModels({ condition: EASY('accuracy'), rent: EASY('rmse'), chain: IMPOSSIBLE('r2') }) }, async (project) => {
      const { chains, models } = await project.train();
      expect(models.map((m) => m.runs[0]!.status)).toEqual(['made', 'made']);
      expect(chains[0]).toMatchObject({ activity: 'the last candidate was refused', decisions: [{ number: 1, status: 'refused' }] });
      expect(chains[0]!.current).toBeUndefined();
      expect(chains[0]!.decisions[0]!.reason).toMatch(/r2 0\.9\d+ is not at least 1\.01 on \d+ rows/);
      await expect(project.shoal.predict('flats', [FLAT])).rejects.toMatchObject({ code: 'NO_RELEASE' });
      expect((await project.model('rent')).champion).toBeUndefined();
    });
  });

  it('leaves the release in place that there was, and what it predicts', async () => {
    await withProject({}, async (project) => {
      await project.train();
      const before = { ids: await ids(project), pointer: await project.store.readNote('chains/flats/current'), answer: await project.shoal.predict('flats', [FLAT]) };

      project.files.addFlats(150);
      await project.edit([`output: rent\n    ${EASY('rmse')}`, `output: rent\n    ${IMPOSSIBLE('r2')}`]);
      await project.train();
      const { decisions, current } = await project.chain();
      expect((await project.lastRun('rent')).status).toBe('made');
      expect(decisions[0]).toMatchObject({ status: 'refused', versions: { rent: (await project.lastRun('rent')).made!.version.id } });
      expect(current!.number).toBe(1);
      expect({ ids: await ids(project), pointer: await project.store.readNote('chains/flats/current'), answer: await project.shoal.predict('flats', [FLAT]) }).toEqual(before);
    });
  });

  it('is judged again when the chain is defined otherwise, though no model ran anew', async () => {
    await withProject({}, async (project) => {
      await project.train();
      await project.edit(['output: rent', 'output: { value: "stages.rent.value * 1.0", low: stages.rent.low, high: stages.rent.high }\n    predicts: rent']);
      await project.train();
      expect((await project.lastRun('rent')).status).toBe('unchanged');
      expect((await project.chain()).current).toMatchObject({ number: 2, spec: { output: { value: 'stages.rent.value * 1.0' } } });
    });
  });
});

describe('an upstream model that does not pass its gate', () => {
  it('keeps the release when only it was to change, and its old version beside a downstream model that was trained on that', async () => {
    await withProject({}, async (project) => {
      await project.train();
      const before = await ids(project);
      project.files.addFlats(150);
      await project.edit([EASY('accuracy'), IMPOSSIBLE('accuracy')]);

      await project.train(['condition']);
      expect(await project.lastRun('condition')).toMatchObject({ status: 'refused', reason: expect.stringMatching(/accuracy .* is not at least 1\.01/) });
      expect(await project.chain()).toMatchObject({
        current: { number: 1 }, activity: 'release 1 is in place', models: { condition: { version: before.condition, refusal: expect.stringContaining('accuracy') } },
      });
      expect((await project.model('rent')).runs).toHaveLength(1);

      await project.train();
      expect((await project.lastRun('rent')).made!.upstream).toEqual({ condition: before.condition });
      expect(await ids(project)).toEqual({ condition: before.condition, rent: (await project.lastRun('rent')).made!.version.id });
      expect((await project.chain()).current!.number).toBe(2);
    });
  });

  it('fails its downstream models with its reason when it never had a version', async () => {
    await withProject({ models: twoModels({ condition: IMPOSSIBLE('accuracy') }) }, async (project) => {
      await project.train();
      expect((await project.lastRun('condition')).status).toBe('refused');
      expect(await project.lastRun('rent')).toMatchObject({ status: 'failed', reason: expect.stringMatching(/upstream model "condition" has no version: .*accuracy .* is not at least 1\.01/) });
      expect((await project.chain()).activity).toMatch(/waiting for condition \(.*\), rent \(.*\) to have a version/);
      await expect(project.shoal.predict('flats', [FLAT])).rejects.toMatchObject({ code: 'NO_RELEASE' });
    });
  });
});

describe('the pointer to the current release', () => {
  it('is made again from the ledger by the next prediction when it is gone', async () => {
    await withProject({}, async (project) => {
      await project.train();
      const before = { note: await project.store.readNote('chains/flats/current'), answer: await project.shoal.predict('flats', [FLAT]) };
      rmSync(pointer(project));
      const answer = await project.shoal.predict('flats', [FLAT]);
      expect({ note: await project.store.readNote('chains/flats/current'), answer }).toEqual(before);
    });
  });

  it('is what predictions are made with, without a question to the ledger', async () => {
    await withProject({}, async (project) => {
      await project.train();
      await project.shoal.temporal.workflow.getHandle('release/flats').terminate();
      expect(await project.shoal.predict('flats', [FLAT])).toMatchObject({ release: 1 });
    });
  });
});

describe('a prediction', () => {
  it('is made by one release from its first stage to its last, though another is promoted in between', async () => {
    let hold: { reached: boolean; release: () => void } | undefined;
    const atLastSegment: ActivityInterceptorsFactory = ({ info }) => ({
      inbound: {
        async execute(input, next) {
          const [{ last } = { last: false }] = input.args as [{ last?: boolean }];
          if (hold && info.activityType === 'runSegment' && last) {
            const held = hold;
            held.reached = true;
            await new Promise<void>((resolve) => { held.release = resolve; });
          }
          return next(input);
        },
      },
    });
    const models = twoModels({ condition: `${EASY('accuracy')}\n    taskQueue: apart`, rent: EASY('rmse'), chain: EASY('rmse') });
    const workers = [{ name: 'all', roles: ['workflows' as const, 'train' as const, 'serve' as const] }, { name: 'apart', roles: ['serve' as const], taskQueue: 'apart' }];
    await withProject({ models, workers, activityInterceptors: [atLastSegment] }, async (project) => {
      await project.train();
      const before = await project.shoal.predict('flats', [FLAT]);
      const old = await ids(project);

      hold = { reached: false, release: () => undefined };
      const predicting = project.shoal.predict('flats', [FLAT], { id: 'held' });
      await until(() => hold!.reached);
      const { release } = hold;
      hold = undefined;
      project.files.addFlats(150);
      await project.train();
      expect((await project.chain()).current!.number).toBe(2);
      expect(await ids(project)).not.toEqual(old);
      release();

      expect(await predicting).toEqual(before);
      expect(activitiesOf(await project.history('chain/flats/held'))).toEqual(['runSegment', 'runSegment']);
      const after = await project.shoal.predict('flats', [FLAT]);
      expect(after).toMatchObject({ release: 2, provenance: { rent: { version: (await ids(project)).rent } } });
      expect(after.outputs).not.toEqual(before.outputs);
    });
  });

  it('is made once for each of many requests at once, all by the same release', async () => {
    const rows = Array.from({ length: 24 }, (_, i) => ({ ...FLAT, size: 40 + 4 * i }));
    const together = await first.shoal.predict('flats', rows);
    const apart = await Promise.all(rows.map((row) => first.shoal.predict('flats', [row])));
    expect(apart.map((a) => a.release)).toEqual(rows.map(() => 1));
    apart.forEach((answer, i) => {
      expect(answer.outputs![0]!.value).toBeCloseTo(together.outputs![i]!.value as number, 2);
    });
  });
});
