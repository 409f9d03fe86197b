import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Shoal } from '../../src/client';
import { embeddedEndpoint } from '../../src/client/connect';
import { registerSearchAttributes } from '../../src/client/searchAttributes';
import { loadProject } from '../../src/config';
import { createRequestLog, VISIBLE_MS } from '../../src/data/requestLog';
import { ShoalError } from '../../src/domain/errors';
import { random } from '../../src/domain/random';
import type { Release, Routing } from '../../src/domain/version';
import { openStore } from '../../src/store/fileStore';
import { describeRouting, releaseWorkflowId, type ReleaseView } from '../../src/workflows/messages';
import { PointerWatch } from '../support/pointerWatch';
import { inRuns } from '../support/inRuns';
import { KeptWorker } from '../support/processes';
import { TestServer, until } from '../support/server';
import { sideBySide } from '../support/sideBySide';
import { smallProject, twoModels, type SmallProject } from '../support/smallProject';
import { Traffic, type Answered } from '../support/traffic';

/**
 * A second release is judged, shadowed, tried on a share of the requests, promoted, watched, and rolled back by a person, while a client
 * asks for predictions all the time and something is killed again and again. ROLLOUT_KILL_SEED=<seed> repeats the moments of a run.
 */

jest.setTimeout(900_000);

const SEED = Number(process.env.ROLLOUT_KILL_SEED ?? Date.now() % 1_000_000);
const AT_ONCE = 5;
const PAST_MS = 180_000;

/** Nobody's verdict depends on what a killed worker does to times and errors; every step needs its requests. */
const MODELS = twoModels({
  chain: `rollout:
      { shadow: 5, steps: [0.25, 0.5], requests: 5, every: 200ms, limit: 1m, inconclusive: promote, idle: 5s, bake: 2s, errorRate: 0.4,
        tolerance: { loss: 100, failures: 0.9, latency: 10000, output: 0.49 } }`,
});

interface Running { server: TestServer; workers: KeptWorker[]; shoal: Shoal; random: () => number; /** Ends with the scenario. */ over: AbortSignal }
interface Scenario {
  /** Counted from when the first release is in place. */
  faults?: string[];
  /** Of each worker; one in all of them by default. */
  roles?: string[];
  ownServer?: boolean;
  /** Runs beside the rollout, from when the first release is in place. */
  disturb?(running: Running): Promise<void>;
  /** Runs beside the rollback. */
  disturbRollback?(running: Running): Promise<void>;
}
interface Outcome {
  decisions: string[];
  current: number;
  deaths: number;
  /** What was wrong with an answer, with the pointer, or with the log. */
  wrong: string[];
  /** Releases as the pointer named them. */
  pointed: number[];
  /** Which release answered how many requests. */
  answers: Record<number, number>;
}

let shared: TestServer;
let template: SmallProject;
const servers: TestServer[] = [];
const closing: (() => Promise<void>)[] = [];

async function open(server: TestServer, options: { store?: string; roles?: string[]; env?: (folder: string) => Record<string, string> }) {
  const namespace = server.namespace();
  const project = smallProject({ models: MODELS, namespace, store: options.store });
  if (options.store) rmSync(path.join(project.folder, '.shoal/store/notes/chains'), { recursive: true, force: true });
  const spec = await loadProject(project.file, {});
  const shoal = await Shoal.connect({ projectFile: project.file, project: spec, endpoint: embeddedEndpoint(spec, server) });
  const { roles = ['workflows,train,serve'] } = options;
  const workers = roles.map((role) => new KeptWorker({ projectFile: project.file, address: server.address, env: { ...options.env?.(project.folder), ROLES: role } }));
  closing.push(async () => {
    await Promise.all(workers.map((worker) => worker.stop()));
    await shoal.close();
    project.remove();
  });
  const close = closing.at(-1)!;
  await registerSearchAttributes(shoal.temporal, namespace);
  await Promise.all(workers.map((worker) => worker.start()));
  return { project, spec, shoal, workers, close };
}

/** Trains both versions of each model once, for all scenarios. */
async function makeTemplate(): Promise<void> {
  const { project, shoal, workers } = await open(shared, {});
  template = project;
  await shoal.settled(await shoal.train());
  project.addFlats(150);
  await shoal.settled(await shoal.train());
  await workers[0]!.stop();
}

async function run({ faults = [], roles, ownServer, disturb, disturbRollback }: Scenario, seed: number): Promise<Outcome> {
  let server = shared;
  if (ownServer) servers.push(server = await TestServer.start({ namespaces: 1 }));
  const { project, spec, shoal, workers, close } = await open(server, {
    roles,
    store: path.join(template.folder, '.shoal/store'),
    env: (folder) => ({ FAULTS: faults.join(','), STRUCK: path.join(folder, 'struck'), ARMED: path.join(folder, 'armed') }),
  });
  const pointer = new PointerWatch(path.join(project.folder, '.shoal/store/notes/chains/flats/current.json'));
  const traffic = new Traffic(shoal, 'flats');
  const over = new AbortController();
  const running: Running = { server, workers, shoal, random: random(seed), over: over.signal };
  try {
    pointer.start();
    await shoal.settled(await shoal.train());
    traffic.start();
    await traffic.more(3);

    writeFileSync(path.join(project.folder, 'armed'), '');
    const disturbing = disturb?.(running);
    project.addFlats(150);
    await persist(() => shoal.train());
    await untilChain(shoal, ({ current, rollout, bake }) => current?.number === 2 && !rollout && !bake);

    const disturbingRollback = disturbRollback?.(running);
    await rollBack(shoal);
    const rolledBackAt = Date.now();
    await traffic.more(5);
    over.abort();
    await Promise.all([disturbing, disturbingRollback]);
    await traffic.more(2);
    const view = await untilChain(shoal, ({ rollout, idle }) => !rollout && idle);
    const routing = await persist(() => shoal.temporal.workflow.getHandle(releaseWorkflowId('flats')).query(describeRouting));
    await traffic.stop();
    await pointer.stop();
    expect(workers.map((worker) => worker.fault)).toEqual(workers.map(() => undefined));

    const store = await openStore(spec.store);
    const releases = Object.fromEntries(await Promise.all([1, 2].map(async (number) => [number, (await store.readNote<Release>(`chains/flats/releases/${number}`))!])));
    const wrong = [
      ...pointer.faults.map((fault) => `pointer: ${fault}`),
      ...wrongPointer((await store.readNote<Routing>('chains/flats/current'))!, routing!),
      ...traffic.answered.flatMap((answered) => wrongAnswer(answered, releases, rolledBackAt)),
      ...await wrongLog(traffic.answered, store),
    ];
    return {
      decisions: view.decisions.map((d) => `${d.number} ${d.status} ${JSON.stringify(d.versions)}`),
      current: view.current!.number,
      deaths: workers.reduce((sum, worker) => sum + worker.deaths, 0),
      wrong,
      pointed: pointer.releases,
      answers: traffic.answered.reduce<Record<number, number>>((counts, { answer: { release } }) => ({ ...counts, [release]: (counts[release] ?? 0) + 1 }), {}),
    };
  } finally {
    over.abort();
    await traffic.stop().catch(() => undefined);
    await pointer.stop();
    await close();
  }
}

// What is asked while server and workers come and go

async function persist<T>(ask: () => Promise<T>): Promise<T> {
  for (const deadline = Date.now() + PAST_MS; ;) {
    try {
      return await ask();
    } catch (error) {
      const passing = !(error instanceof ShoalError) || error.retryable;
      if (!passing || Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

async function untilChain(shoal: Shoal, is: (view: ReleaseView) => boolean): Promise<ReleaseView> {
  let view: ReleaseView | undefined;
  try {
    await until(async () => is(view = (await persist(() => shoal.chain('flats')))!), { everyMs: 200, timeoutMs: PAST_MS });
  } catch (error) {
    throw new Error(`${(error as Error).message}\nIt is: ${JSON.stringify({ activity: view?.activity, decisions: view?.decisions.map((d) => [d.number, d.status, d.reason]) })}`, { cause: error });
  }
  return view!;
}

/** Asked again after an error, it may have been done already. */
async function rollBack(shoal: Shoal): Promise<void> {
  await persist(async () => {
    try {
      await shoal.rollback('flats', { by: 'ann', reason: 'it reads the notes wrongly', to: 1 });
    } catch (error) {
      if ((await persist(() => shoal.chain('flats')))?.current?.number !== 1) throw error;
    }
  });
}

// What must never be

const wrongPointer = (pointer: Routing, ledger: Routing): string[] =>
  (JSON.stringify(pointer.current.versions) === JSON.stringify(ledger.current.versions) && pointer.revision === ledger.revision
    ? [] : [`pointer: it ends at release ${pointer.current.number}, revision ${pointer.revision}; the ledger at ${ledger.current.number}, ${ledger.revision}`]);

function wrongAnswer({ id, sentAt, answer }: Answered, releases: Record<number, Release>, rolledBackAt: number): string[] {
  const { versions } = releases[answer.release]!;
  return [
    ...Object.entries(answer.provenance).flatMap(([stage, { version }]) =>
      (version === versions[stage]!.id ? [] : [`${id}: release ${answer.release} answered with ${stage} ${version}`])),
    ...(sentAt > rolledBackAt && answer.release !== 1 ? [`${id}: release ${answer.release} answered after the rollback`] : []),
  ];
}

/** Each answer is logged once, as it was given; a request that was sent again is another one. */
async function wrongLog(answered: Answered[], store: Awaited<ReturnType<typeof openStore>>): Promise<string[]> {
  await new Promise((resolve) => setTimeout(resolve, 2 * VISIBLE_MS));
  const logged = new Map<string, { request: string; release: number; output: string }[]>();
  for await (const entries of createRequestLog(store).read({ chain: 'flats', since: '2000-01-01', arms: ['live'] })) {
    for (const { request, keys: [key], release, outputs } of entries) logged.set(key!, [...(logged.get(key!) ?? []), { request, release, output: JSON.stringify(outputs) }]);
  }
  return answered.flatMap(({ key, answer, retries }) => {
    const found = logged.get(key) ?? [];
    const same = found.filter(({ release, output }) => release === answer.release && output === JSON.stringify(answer.outputs));
    const once = found.length === 1 || (found.length <= 1 + retries && new Set(found.map(({ request }) => request)).size === found.length);
    return same.length > 0 && once ? [] : [`log: ${key}, answered by release ${answer.release}, is logged as ${JSON.stringify(found)}`];
  });
}

// Who is killed when

const pause = (ms: number, over: AbortSignal) => new Promise<void>((resolve) => {
  const timer = setTimeout(resolve, ms);
  over.addEventListener('abort', () => { clearTimeout(timer); resolve(); }, { once: true });
});

/** So often at most: each time much waits for ten seconds. */
const killing = (kill: (running: Running) => Promise<void> | void, { times, withinMs }: { times: number; withinMs: number }) => async (running: Running) => {
  for (let i = 0; i < times && !running.over.aborted; i++) {
    await pause(withinMs * running.random(), running.over);
    if (!running.over.aborted) await kill(running);
  }
};
const killWorker = ({ workers, random: next }: Running) => workers[Math.floor(next() * workers.length)]!.kill();
const killServer = async ({ server, random: next }: Running) => {
  await server.kill();
  await new Promise((resolve) => setTimeout(resolve, 500 + 1_500 * next()));
  await server.restart();
};

/** Each step of a release once before it has done anything, and once after it has done all and has not said so. */
const AROUND = inRuns([
  'before:evaluateRelease', 'after:checkServable', 'before:look', 'after:look#3', 'before:publishRouting', 'after:publishRouting#2',
  'before:checkServable', 'after:evaluateRelease', 'after:look', 'before:look#4', 'after:publishRouting', 'before:publishRouting#3',
  'before:publishRouting#4', 'after:publishRouting#5', 'before:loadRelease', 'after:ablate',
  'before:ablate', 'after:loadRelease', 'before:runSegment#10', 'after:runSegment#30', 'before:resolveRouting#20', 'after:resolveRouting#40',
], 4);
const SCENARIOS: Record<string, Scenario> = {
  undisturbed: {},
  ...Object.fromEntries(AROUND.map((faults) => [faults.join(', '), { faults }])),
  'the worker at random moments': { disturb: killing(killWorker, { times: 3, withinMs: 8_000 }) },
  'the one or other of three workers at random moments': {
    roles: ['workflows', 'train', 'serve'],
    disturb: killing(killWorker, { times: 4, withinMs: 10_000 }),
    disturbRollback: killing(killWorker, { times: 1, withinMs: 60 }),
  },
  'the worker during the rollback': { disturbRollback: killing(killWorker, { times: 1, withinMs: 60 }) },
  'the server at random moments': { ownServer: true, disturb: killing(killServer, { times: 3, withinMs: 10_000 }) },
  'the server during the rollback': { ownServer: true, disturbRollback: killing(killServer, { times: 1, withinMs: 60 }) },
  'the worker and the server at random moments': {
    ownServer: true,
    disturb: killing((running) => (running.random() < 0.5 ? killWorker(running) : killServer(running)), { times: 3, withinMs: 10_000 }),
  },
};
const RANDOM = Object.keys(SCENARIOS).filter((name) => name.startsWith('the '));

let outcomes: Record<string, Promise<Outcome>> = {};
beforeAll(async () => {
  process.stdout.write(`ROLLOUT_KILL_SEED=${SEED}\n`);
  shared = await TestServer.start({ namespaces: 1 + Object.keys(SCENARIOS).length });
  servers.push(shared);
  await makeTemplate();
  outcomes = sideBySide(Object.fromEntries(Object.entries(SCENARIOS).map(([name, scenario], i) => [name, () => run(scenario, SEED + i)])), AT_ONCE);
});
afterAll(async () => {
  await Promise.allSettled(closing.map((close) => close()));
  await Promise.all(servers.map((server) => server.stop()));
});

describe('a release that comes into use and is rolled back', () => {
  it('is judged, tried, promoted, watched and rolled back; every request is answered by one release', async () => {
    const { decisions, answers, ...rest } = await outcomes.undisturbed!;
    expect(rest).toEqual({ current: 1, deaths: 0, wrong: [], pointed: [1, 2, 1] });
    expect(decisions.map((d) => d.slice(0, d.indexOf('{')).trim())).toEqual(['2 rolled back', '2 promoted', '1 promoted']);
    expect(answers[1]).toBeGreaterThan(10);
    expect(answers[2]).toBeGreaterThan(10);
  });

  it.each(AROUND.map((faults) => ({ faults })))('is the same when the worker is killed $faults', async ({ faults }) => {
    const outcome = (await outcomes[faults.join(', ')])!;
    expect(outcome).toEqual({ ...(await outcomes.undisturbed), deaths: faults.length, answers: outcome.answers });
  });

  it.each(RANDOM)('is the same when somebody kills %s', async (name) => {
    const outcome = (await outcomes[name])!;
    expect(outcome).toEqual({ ...(await outcomes.undisturbed), deaths: outcome.deaths, answers: outcome.answers });
  });
});
