import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { ChainAnswer, Row } from '../../src/domain/prediction';
import type { Release, Routing } from '../../src/domain/version';
import type { ReleaseDecision, ReleaseView } from '../../src/workflows/messages';
import { onceARun } from './onceARun';
import { TestProject, type OpenOptions } from './project';
import { until, type TestServer } from './server';
import { flats, twoModels } from './smallProject';

const EASY = (metric: string) => `gates: [{ metric: ${metric}, against: baseline, min: 0 }]`;

export interface Trained {
  /** With which other projects begin: what was trained there is not trained again. */
  store: string;
  /** Versions by model: those of a first batch, and of a second one with more rows. */
  first: Record<string, string>;
  second: Record<string, string>;
}

/** Two versions of each model, trained once a run of the tests. */
export async function trainTwice(server: TestServer): Promise<Trained> {
  const made = await onceARun('trained-twice', async (folder) => {
    const project = await TestProject.open(server, { models: liveModels({}) });
    try {
      const versions = async () => Object.fromEntries((await project.train()).models.map((m) => [m.model, m.runs[0]!.made!.version.id]));
      const first = await versions();
      project.files.addFlats(300);
      const second = await versions();
      const store = path.join(folder, 'store');
      cpSync(project.storeFolder, store, { recursive: true, preserveTimestamps: true });
      rmSync(path.join(store, 'notes/chains'), { recursive: true });
      writeFileSync(path.join(folder, 'versions.json'), JSON.stringify({ first, second }));
    } finally {
      await project.close();
    }
  });
  return { store: path.join(made, 'store'), ...JSON.parse(readFileSync(path.join(made, 'versions.json'), 'utf8')) as Pick<Trained, 'first' | 'second'> };
}

/** Soon sure of what is plain: the figures of a test, not of use. */
const ROLLOUT = {
  shadow: '0', steps: '[]', requests: '15', every: '1s', limit: '10m', idle: '5m', replay: '1d', bake: '0s', errorRate: '0.2',
  tolerance: '{ loss: 2, failures: 0.4, latency: 20, output: 0.4 }',
};

export interface LiveChain { monitor?: string; rollout?: Partial<Record<keyof typeof ROLLOUT | 'inconclusive' | 'paired', string>>; approval?: string; condition?: string; rent?: string }

/** Two models and a chain whose value is the rent's times `FACTOR`, which says which release answered. */
export const FACTOR = '* 1.0';
export const liveModels = ({ rollout = {}, approval = 'auto', monitor = '{}', condition = '', rent = '' }: LiveChain): string => twoModels({
  condition: `${EASY('accuracy')}\n    ${condition}`,
  rent: `${EASY('rmse')}\n    ${rent}`,
  chain: `predicts: rent
    gates: []
    approval: ${approval}
    monitor: ${monitor}
    rollout: { ${Object.entries({ ...ROLLOUT, ...rollout }).map(([name, value]) => `${name}: ${value}`).join(', ')} }`,
}).replace('output: rent', `output: { value: "stages.rent.value ${FACTOR}", low: stages.rent.low, high: stages.rent.high }`);

/** A project with the first batch's versions in place as release 1, without a run. */
export async function openLive(server: TestServer, trained: Trained, { activityInterceptors, workers, folder, ...chain }: LiveChain & Pick<OpenOptions, 'activityInterceptors' | 'workers' | 'folder'> = {}): Promise<Live> {
  const project = await TestProject.open(server, { models: liveModels(chain), store: trained.store, activityInterceptors, workers, folder });
  const live = new Live(project, trained);
  await project.shoal.train([]);
  await project.shoal.propose('flats', trained.first, { by: 'tester', reason: 'a first release', force: true });
  await until(async () => (await project.chain()).current?.number === 1 && (await project.chain()).idle);
  return live;
}

/** Opens a live project for some work, and closes it however that ends. `of` is asked then: before all tests there is neither yet. */
export const liveOn = (of: () => { server: TestServer; trained: Trained }) =>
  async (options: Parameters<typeof openLive>[2], work: (live: Live) => Promise<void>): Promise<void> => {
    const { server, trained } = of();
    const live = await openLive(server, trained, options);
    try {
      await work(live);
    } finally {
      await live.close();
    }
  };

export interface Asked { answer: ChainAnswer; row: Row }

export class Live {
  readonly shoal: TestProject['shoal'];
  private asked = 0;
  private traffic: { on: boolean; done: Promise<void> } | undefined;
  /** What was answered, in no particular order. */
  readonly answers: Asked[] = [];
  constructor(readonly project: TestProject, readonly trained: Trained) {
    this.shoal = project.shoal;
  }

  view = (): Promise<ReleaseView> => this.project.chain();
  routing = async (): Promise<Routing> => (await this.project.store.readNote<Routing>('chains/flats/current'))!;

  /** Asks for a release whose value is the rent's times another factor. */
  async redefine(factor: string): Promise<void> {
    await this.project.edit([FACTOR, `* ${factor}`]);
    await this.shoal.train([]);
  }

  /** Sends requests that were never trained on, some at once, and afterwards what came of them. */
  async ask(count: number, { outcomes = true } = {}): Promise<Asked[]> {
    const rows = flatRows(count, 1_000_000 + this.asked);
    this.asked += count;
    const asked: Asked[] = [];
    for (let i = 0; i < rows.length; i += AT_ONCE) {
      asked.push(...await Promise.all(rows.slice(i, i + AT_ONCE).map(async ({ row }) => ({ row, answer: await this.shoal.predict('flats', [row]) }))));
    }
    this.answers.push(...asked);
    if (outcomes) await this.shoal.recordOutcomes('flats', rows.map(({ row, rent }) => ({ key: String(row.id), value: rent })));
    return asked;
  }

  /** Ends when the judge may take all that was asked: a settling time after it came. */
  judgeable = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 8_000));

  /** Requests go on coming until `calm`. */
  busy(): void {
    const traffic = { on: true, done: Promise.resolve() };
    traffic.done = (async () => { while (traffic.on) await this.ask(AT_ONCE); })();
    this.traffic = traffic;
  }

  async calm(): Promise<void> {
    const { traffic } = this;
    this.traffic = undefined;
    if (!traffic) return;
    traffic.on = false;
    await traffic.done;
  }

  /** The decision on the release of a number. */
  async decided(number: number, status?: ReleaseDecision['status']): Promise<ReleaseDecision> {
    let found: ReleaseDecision | undefined;
    await until(async () => {
      found = (await this.view()).decisions.find((d) => d.number === number && (!status || d.status === status));
      return found !== undefined;
    }, { everyMs: 200, timeoutMs: 90_000 });
    return found!;
  }

  async inPhase(phase: string, number?: number): Promise<ReleaseView> {
    let view!: ReleaseView;
    await until(async () => {
      view = await this.view();
      return view.rollout?.phase === phase && (number === undefined || view.rollout.number === number);
    }, { everyMs: 100, timeoutMs: 60_000 });
    return view;
  }

  async close(): Promise<void> {
    await this.calm().catch(() => undefined);
    await this.project.close();
  }
}

const AT_ONCE = 5;

/** Flats as they are asked for, and their rents. */
export function flatRows(count: number, firstId: number): { row: Row; rent: number }[] {
  const [, ...lines] = flats(count, { seed: firstId, firstId }).trimEnd().split('\n');
  return lines.map((line) => {
    const [id, size, city, built, note, , rent] = line.split(',');
    return { row: { id: Number(id), size: Number(size), city: city!, built: built!, note: note! }, rent: Number(rent) };
  });
}

/** Fails activities of a type for as long as it is told to. */
export class Fault {
  on = false;
  failed = 0;
  constructor(private readonly type: string, private readonly error: () => Error, private readonly applies: (args: unknown[]) => boolean = () => true) {}

  readonly interceptor: ActivityInterceptorsFactory = ({ info }) => ({
    inbound: {
      execute: async (input, next) => {
        if (this.on && info.activityType === this.type && this.applies(input.args)) {
          this.failed++;
          throw this.error();
        }
        return next(input);
      },
    },
  });
}

export const idsOf = (release: Release): Record<string, string> => Object.fromEntries(Object.values(release.versions).map((v) => [v.model, v.id]));
