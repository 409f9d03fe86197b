import { defaultPayloadConverter } from '@temporalio/common';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { toDays } from '../../src/domain/rows';
import type { Row } from '../../src/domain/prediction';
import type { TrainerInput } from '../../src/domain/trainer';
import type { Manifest } from '../../src/domain/version';
import { loadTable } from '../../src/data/loadTable';
import { TestProject, activitiesOf, queuesOf } from '../support/project';
import { python } from '../support/python';
import { EXAMPLE, PythonWorker, REQUIREMENTS } from '../support/pythonWorker';
import { TestServer, until } from '../support/server';

jest.setTimeout(900_000);

/** The example's own sources, models and chain; smaller, so that it is quick, and with a model that its trainer can't train. */
function example(): string {
  const text = readFileSync(path.join(EXAMPLE, 'temporal.yaml'), 'utf8');
  const sources = text.slice(text.indexOf('  films:'));
  const smaller = [['../../node_modules', path.resolve(__dirname, '../../node_modules')], ['trees: 60', 'trees: 12'], ['trees: 300', 'trees: 40'], ['heartbeat: 5m', 'heartbeat: 8s'],
    ['  gross-network:\n    task: regression', `  near:
    task: embedding
    source: films
    alike: [genre]
    inputs: [budget]
    trainer: {taskQueue: python-trainer, activity: train_scikit_learn}

  gross-network:
    task: regression
    training: {maxEpochs: 8}`]] as const;
  return smaller.reduce((result, [from, to]) => {
    expect(result).toContain(from);
    return result.replaceAll(from, to);
  }, sources);
}

let server: TestServer;
let project: TestProject;
let worker: PythonWorker | undefined;
const startWorker = async () => { worker = await PythonWorker.start({ address: server.address, namespace: project.namespace }); };

beforeAll(async () => {
  server = await TestServer.start({ namespaces: 1 });
  project = await TestProject.open(server, { models: example() });
});
afterAll(async () => {
  await worker?.stop();
  await project?.close();
  await server?.stop();
});

/** What the trainer was given in a run. */
async function jobOf(workflowId: string): Promise<TrainerInput> {
  const { events } = await project.history(workflowId);
  const scheduled = events!.find((e) => e.activityTaskScheduledEventAttributes?.activityType?.name === 'train_scikit_learn')!;
  return defaultPayloadConverter.fromPayload(scheduled.activityTaskScheduledEventAttributes!.input!.payloads![0]!);
}

/** Columns of rows as the trainer's file is given them. */
function fed(job: TrainerInput, rows: Row[]): Record<string, unknown[]> {
  return Object.fromEntries(job.features.map(({ name, type, element }) => [name, rows.map((row) => {
    if (element === 'string') return row[name] ?? '';
    return type === 'date' ? toDays(row[name]) ?? null : row[name] ?? null;
  })]));
}

it('a training waits for its trainer\'s worker, and what another language made becomes a version, a stage, a release', async () => {
  const batch = await project.shoal.train();
  await until(async () => (await project.shoal.lifecycle('lifecycle/genre/1'))?.steps.find((s) => s.name === 'train')?.status === 'running');
  await startWorker();
  const { models } = await project.shoal.settled(batch);

  for (const name of ['genre', 'gross']) {
    const { runs, latest } = models.find((m) => m.model === name)!;
    expect(runs[0]).toMatchObject({ status: 'made' });
    expect(latest!.training.maker).toMatchObject({ kind: 'trainer', name: 'train_scikit_learn' });
    expect(Object.values(latest!.training.maker!.metrics!)[0]).toBeGreaterThan(0.3);
  }
  const history = await project.history('lifecycle/gross/1');
  expect(activitiesOf(history)).toEqual(['ingest', 'validate', 'prepareTraining', 'train_scikit_learn', 'acceptVersion', 'checkLabels', 'evaluate', 'reportVersion']);
  expect(queuesOf(history)[3]).toBe('python-trainer');
  const { current, evaluation } = await project.chain('box-office');
  expect(current!.number).toBe(1);
  expect(Math.abs(evaluation!.coverage!.measured - 0.8)).toBeLessThan(0.06);
  expect(Object.keys(evaluation!.comparisons)).toEqual(['gross-network']);
});

it('what the trainer can\'t do fails the run at once, in its own words', async () => {
  expect(await project.lastRun('near')).toMatchObject({ status: 'failed', reason: 'This trainer can\'t train a model for embedding.' });
});

it('downstream models learnt from its cross-fitted outputs', async () => {
  const { latest } = await project.model('genre');
  const manifest = await project.store.readJson<Manifest>(latest!.version.manifest);
  const { keys, table } = await loadTable(project.store, manifest.outputs, [{ name: 'probabilities', type: 'vector' }]);
  const given = await loadTable(project.store, (await jobOf('lifecycle/gross/1')).data, [{ name: 'genre.probabilities', type: 'vector' }]);
  const width = manifest.width!;
  const known = new Map(keys.map((key, row) => [key, (table.columns.probabilities!.values as Float32Array).subarray(row * width, (row + 1) * width)]));
  given.keys.forEach((key, row) => {
    expect((given.table.columns['genre.probabilities']!.values as Float32Array).subarray(row * width, (row + 1) * width)).toEqual(known.get(key));
  });
});

it('the chain predicts what scikit-learn itself says of the same rows', async () => {
  const held = await project.shoal.heldOut('box-office', 200);
  expect(held).toHaveLength(200);
  const rows = held.map(({ row }) => row as Row);
  const { outputs, stages } = await project.shoal.predict('box-office', rows);
  const ask = async (workflowId: string, with_: Row[]) => {
    const job = await jobOf(workflowId);
    return python<never[]>(path.join(__dirname, 'pythonTrainer.py'), { trainer: EXAMPLE, job, rows: fed(job, with_) }, REQUIREMENTS);
  };

  const probabilities = stages!.genre!.outputs.probabilities as number[][];
  const theirs: number[][] = await ask('lifecycle/genre/1', rows);
  probabilities.forEach((mine, row) => mine.forEach((p, k) => expect(Math.abs(p - theirs[row]![k]!)).toBeLessThan(1e-4)));

  const values: number[] = await ask('lifecycle/gross/1', rows.map((row, i) => ({ ...row, 'genre.probabilities': probabilities[i] })));
  outputs!.forEach(({ value, low, high }, row) => {
    expect(Math.abs(Number(value) / values[row]! - 1)).toBeLessThan(1e-3);
    expect(Number(low)).toBeLessThan(Number(value));
    expect(Number(high)).toBeGreaterThan(Number(value));
  });
});

it('nothing is trained anew when nothing has changed', async () => {
  await project.train(['gross']);
  expect(await project.lastRun('gross')).toMatchObject({ run: 2, status: 'unchanged' });
  expect(activitiesOf(await project.history('lifecycle/gross/2'))).not.toContain('train_scikit_learn');
});

it('a trainer that is killed in mid-training is begun anew by the next worker', async () => {
  await project.edit(['trees: 40', 'trees: 60']);
  const batch = await project.shoal.train(['gross']);
  const attempt = async () => (await project.shoal.temporal.workflow.getHandle('lifecycle/gross/3').describe().catch(() => undefined))?.raw.pendingActivities?.[0];
  await until(async () => { const pending = await attempt(); return pending?.activityType?.name === 'train_scikit_learn' && (pending.heartbeatDetails?.payloads?.length ?? 0) > 0; });
  await worker!.stop('SIGKILL');
  await startWorker();
  await project.shoal.settled(batch);
  expect(await project.lastRun('gross')).toMatchObject({ run: 3, made: { training: { maker: { kind: 'trainer' } } } });
  const { events } = await project.history('lifecycle/gross/3');
  const type = events!.find((e) => e.activityTaskScheduledEventAttributes?.activityType?.name === 'train_scikit_learn')!.eventId;
  const started = events!.find((e) => e.activityTaskStartedEventAttributes?.scheduledEventId?.toString() === type!.toString())!;
  expect(started.activityTaskStartedEventAttributes!.attempt).toBeGreaterThan(1);
});
