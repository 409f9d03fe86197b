import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { Shoal } from '../../src/client';
import { embeddedEndpoint } from '../../src/client/connect';
import { registerSearchAttributes } from '../../src/client/searchAttributes';
import { loadProject } from '../../src/config';
import { lifecycleWorkflowId } from '../../src/workflows/messages';
import { inRuns } from '../support/inRuns';
import { KeptWorker } from '../support/processes';
import { TestServer, until } from '../support/server';
import { sideBySide } from '../support/sideBySide';
import { smallProject, twoModels, type SmallProject } from '../support/smallProject';
import { trainingProcesses } from '../support/trainings';

jest.setTimeout(600_000);

/** Most of a run is waiting until it is noticed that somebody is gone. */
const AT_ONCE = 5;
/** Of the first of the two models. */
const LONG = 150;

interface Outcome { versions: Record<string, string>; release: Record<string, string>; runs: string[]; prediction: unknown; deaths: number; resumedAt?: number }
interface Running { project: SmallProject; server: TestServer; workers: KeptWorker[]; shoal: Shoal }
interface Scenario { epochs?: number; faults?: string[]; roles?: string[]; ownServer?: boolean; disturb?(running: Running): Promise<void> }

let shared: TestServer;
const servers: TestServer[] = [];
const closing: (() => Promise<void>)[] = [];

/** Runs a fresh project to its first release and one prediction, with whatever disturbs it. */
async function run({ epochs, faults = [], roles = ['workflows,train,serve'], ownServer, disturb }: Scenario): Promise<Outcome> {
  let server = shared;
  if (ownServer) servers.push(server = await TestServer.start({ namespaces: 1 }));
  const namespace = server.namespace();
  const project = smallProject({ models: twoModels({ conditionEpochs: epochs }), namespace });
  const spec = await loadProject(project.file, {});
  const env = { FAULTS: faults.join(','), STRUCK: path.join(project.folder, 'struck') };
  const workers = roles.map((role) => new KeptWorker({ projectFile: project.file, address: server.address, env: { ...env, ROLES: role } }));
  const shoal = await Shoal.connect({ projectFile: project.file, project: spec, endpoint: embeddedEndpoint(spec, server) });
  const close = async () => {
    await Promise.all(workers.map((w) => w.stop()));
    await shoal.close();
    project.remove();
  };
  closing.push(close);
  try {
    await registerSearchAttributes(shoal.temporal, namespace);
    await Promise.all(workers.map((w) => w.start()));
    const batch = await shoal.train();
    await disturb?.({ project, server, workers, shoal });
    const status = await shoal.settled(batch);
    const chain = status.chains[0]!;
    const answer = await shoal.predict('flats', [{ size: 80, city: 'Bern', built: '1990-06-01', note: 'bright quiet flat' }]);
    expect(workers.map((w) => w.fault)).toEqual(workers.map(() => undefined));
    return {
      versions: Object.fromEntries(status.models.map((m) => [m.model, m.latest?.version.id ?? 'none'])),
      release: Object.fromEntries(Object.values(chain.current?.versions ?? {}).map((v) => [v.model, v.id])),
      runs: status.models.flatMap((m) => m.runs.map((r) => `${m.model}: ${r.status}`)).sort(),
      prediction: answer.outputs,
      deaths: workers.reduce((sum, w) => sum + w.deaths, 0),
      resumedAt: status.models.find((m) => m.model === 'condition')!.latest?.training.resumedAtEpoch,
    };
  } finally {
    await close();
  }
}

/** A checkpoint of the first training has been written, and it goes on. */
const midEpoch = ({ project }: Running) => until(() => {
  const folder = path.join(project.folder, '.shoal/store/blobs/checkpoints');
  return existsSync(folder) && readdirSync(folder).length > 0;
}, { everyMs: 10 });

const ACTIVITIES = [
  'ingest', 'validate', 'train', 'checkLabels', 'evaluate', 'evaluateRelease', 'checkServable', 'publishRouting', 'ablate', 'resolveRouting', 'runSegment',
];
/** Each activity once before it has done anything, and once after it has done all and has not said so: some of them, far from each other, in one run. */
const AROUND = inRuns(ACTIVITIES.flatMap((activity, i) => [`before:${activity}`, `after:${ACTIVITIES[(i + 3) % ACTIVITIES.length]!}`]), 4);

const SCENARIOS: Record<string, Scenario> = {
  undisturbed: {},
  'long undisturbed': { epochs: LONG },
  ...Object.fromEntries(AROUND.map((faults) => [faults.join(', '), { faults }])),
  'the worker in the middle of an epoch': { epochs: LONG, disturb: async (running) => { await midEpoch(running); running.workers[0]!.kill(); } },
  'the training alone in the middle of an epoch': {
    epochs: LONG,
    disturb: async (running) => {
      await midEpoch(running);
      const [pid] = trainingProcesses(running.workers[0]!.pid);
      process.kill(pid!, 'SIGKILL');
    },
  },
  'the workflows\' worker, again and again': {
    roles: ['workflows', 'train,serve'],
    disturb: async ({ workers: [workflows], shoal }) => {
      for (const step of ['ingest', 'train', 'evaluate']) {
        const describe = () => shoal.lifecycle(lifecycleWorkflowId('condition', 1)).catch(() => undefined);
        await until(async () => (await describe())?.steps.some((s) => s.name === step && s.status !== 'waiting') ?? false);
        workflows!.kill();
      }
    },
  },
  'the server in the middle of a training': {
    epochs: LONG,
    ownServer: true,
    disturb: async (running) => {
      await midEpoch(running);
      await running.server.kill();
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      await running.server.restart();
    },
  },
};

let outcomes: Record<string, Promise<Outcome>> = {};
beforeAll(async () => {
  shared = await TestServer.start({ namespaces: Object.keys(SCENARIOS).length });
  servers.push(shared);
  outcomes = sideBySide(Object.fromEntries(Object.entries(SCENARIOS).map(([name, scenario]) => [name, () => run(scenario)])), AT_ONCE);
});
afterAll(async () => {
  await Promise.allSettled(closing.map((close) => close()));
  await Promise.all(servers.map((server) => server.stop()));
});

describe('a project whose worker is killed', () => {
  it('ends in a release when it is not', async () => {
    const undisturbed = await outcomes.undisturbed!;
    expect(undisturbed.runs).toEqual(['condition: made', 'rent: made']);
    expect(undisturbed.release).toEqual(undisturbed.versions);
    expect(undisturbed.deaths).toBe(0);
  });

  it.each(AROUND.map((faults) => ({ faults })))('ends in the same versions, release and prediction: $faults', async ({ faults }) => {
    expect(await outcomes[faults.join(', ')]).toEqual({ ...(await outcomes.undisturbed), deaths: faults.length });
  });

  it('whenever its workflows come to a next step, too', async () => {
    expect(await outcomes['the workflows\' worker, again and again']).toEqual({ ...(await outcomes.undisturbed), deaths: 3 });
  });
});

describe('a training killed in the middle of an epoch', () => {
  it.each([
    ['the worker in the middle of an epoch', 1],
    ['the training alone in the middle of an epoch', 0],
  ])('goes on from its last checkpoint and ends in the version of an undisturbed run: %s', async (name, deaths) => {
    const outcome = (await outcomes[name])!;
    expect(outcome).toEqual({ ...(await outcomes['long undisturbed']), deaths, resumedAt: expect.any(Number) });
    expect(outcome.resumedAt).toBeGreaterThan(1);
  });
});

describe('a server that is killed in the middle of a run, and started again', () => {
  it('goes on where it was: the outcome is the same', async () => {
    const outcome = (await outcomes['the server in the middle of a training'])!;
    expect(outcome).toEqual({ ...(await outcomes['long undisturbed']), resumedAt: outcome.resumedAt });
  });
});
