/**
 * Records histories of every workflow, from a real run, into test/replay/histories:
 *
 *   npm run build && SHOAL_TEMPORAL_BINARY=... node -r ./bench/register.cjs test/replay/record.ts
 *
 * Record anew only when a change of the workflows is meant to leave running ones behind; otherwise what is there must replay.
 */
import { ApplicationFailure } from '@temporalio/common';
import { historyToJSON } from '@temporalio/common/lib/proto-utils';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Fault, openLive, trainTwice, type Trained } from '../support/liveProject';
import { TestProject } from '../support/project';
import { TestServer } from '../support/server';
import { flats, training, twoModels, withOpposite } from '../support/smallProject';

const HISTORIES = path.join(__dirname, 'histories');
/** The same on every machine. */
const FOLDER = '/tmp/shoal-replay';
process.env.SHOAL_TEST_SHARED = path.join(FOLDER, 'shared');

const models = `
models:
  condition: { task: classification, source: flats, target: condition, inputs: [{ column: note, type: text }, city], gates: [{ metric: accuracy, min: 0.1 }], ${training(5)} }
  rent: { task: regression, source: flats, target: rent, inputs: [size, city, built, condition], ${training(5)} }
chains:
  flats: { stages: { condition: { fallback: baseline } }, output: rent }
`;
const RENT_GATE = 'gates: [{ metric: rmse, against: baseline, min: 0 }]';
const FLAT = { size: 80, city: 'Bern', built: '1990-06-01', note: 'bright quiet flat' };

let server: TestServer;

/** A folder of a project, of the same name on every machine. */
function folder(name: string): string {
  const its = path.join(FOLDER, name);
  mkdirSync(its, { recursive: true });
  return its;
}

async function save(project: TestProject, histories: Record<string, string>): Promise<void> {
  for (const [name, workflowId] of Object.entries(histories)) {
    const history: unknown = JSON.parse(historyToJSON(await project.history(workflowId)));
    writeFileSync(path.join(HISTORIES, `${name}.json`), `${JSON.stringify(neutral(history))}\n`);
  }
}

/** Runs and requests, as they are meant to be and with mistakes in them. */
async function everyday(): Promise<void> {
  const place = folder('everyday');
  const project = await TestProject.open(server, {
    folder: place, models, rows: 300,
    workers: [{ name: 'all', roles: ['workflows', 'train', 'serve'] }, { name: 'other', roles: ['serve'], taskQueue: 'other' }],
  });
  try {
    await project.train();
    await project.shoal.predict('flats', [FLAT], { id: 'inline' });
    writeFileSync(path.join(place, 'rows.jsonl'), `${JSON.stringify(FLAT)}\n`.repeat(5_500));
    await project.shoal.score('flats', path.join(place, 'rows.jsonl'), { id: 'file' });
    await project.shoal.predict('flats', [{ ...FLAT, size: 'large' }], { id: 'refused' }).catch(() => undefined);
    await save(project, { 'chain-inline': 'chain/flats/inline', 'chain-file': 'chain/flats/file', 'chain-bad-row': 'chain/flats/refused' });

    await project.edit(['min: 0.1', 'min: 0.9999, max: 0.99995']);
    await project.train(['condition']);
    await project.edit(['min: 0.9999, max: 0.99995', 'min: 0.1'], ['target: condition', 'target: conditon']);
    await project.train(['condition']);
    await project.edit(['target: conditon', 'target: condition'], ['condition: { task', 'condition: { taskQueue: other, task']);
    project.files.addFlats(100);
    await project.train();
    await project.shoal.predict('flats', [FLAT], { id: 'segments' });
    await save(project, {
      'chain-two-segments': 'chain/flats/segments', 'lifecycle-made': 'lifecycle/condition/1', 'lifecycle-refused': 'lifecycle/condition/2',
      'lifecycle-failed': 'lifecycle/condition/3', 'lifecycle-downstream': 'lifecycle/rent/1', model: 'model/condition', 'model-downstream': 'model/rent', release: 'release/flats',
    });
  } finally {
    await project.close();
  }
}

/** Data and labels that are refused; an upstream version that others are retrained on, and one that nothing comes of. */
async function refusals(): Promise<void> {
  const place = folder('refusals');
  const rows = withOpposite(flats(400));
  const project = await TestProject.open(server, {
    folder: place, files: { 'flats.csv': rows },
    models: twoModels({ condition: 'gates: [{ metric: accuracy, min: 0.1 }]', rent: RENT_GATE, chain: 'gates: [{ metric: r2, against: champion, min: -0.05 }]' }),
  });
  const source = (text: string) => writeFileSync(path.join(place, 'flats.csv'), text);
  const [head, ...lines] = rows.split('\n').map((line) => line.split(','));
  const joined = (all: string[][]) => [head!, ...all].map((cells) => cells.join(',')).join('\n');
  try {
    await project.train();
    source(joined(lines.map((cells, i) => (i % 4 ? cells : [cells[0]!, String(Number(cells[1]) * 1000), ...cells.slice(2)]))));
    await project.train(['rent']);
    const more = withOpposite(flats(250, { seed: 5, firstId: 50_000 })).split('\n').slice(1).map((line) => line.split(','));
    source(joined([...lines, ...more.map((cells, i) => cells.map((cell, c) => (c === 5 ? more[(i + 101) % more.length]![5]! : cell)))]));
    await project.train(['condition']);
    source(rows);
    await save(project, { 'lifecycle-data-refused': 'lifecycle/rent/2', 'lifecycle-labels-refused': `lifecycle/condition/${(await project.lastRun('condition')).run}` });

    await project.edit(['target: condition', 'target: opposite']);
    await project.train(['condition']);
    await save(project, { 'lifecycle-cascade': `lifecycle/rent/${(await project.lastRun('rent')).run}` });
    await project.edit(['target: opposite', 'target: condition'], [RENT_GATE, 'gates: [{ metric: r2, min: 1.01 }]']);
    await project.train();
    await project.train(['condition']);
    await save(project, { 'release-cascade': 'release/flats', 'model-rejected': 'model/condition', 'model-cascade': 'model/rent' });
  } finally {
    await project.close();
  }
}

/** Candidates on their way into use, with people who step in. */
async function rollouts(trained: Trained): Promise<void> {
  const word = { by: 'tester', reason: 'to record it' };
  const people = await openLive(server, trained, { folder: folder('people'), approval: 'manual', rollout: { steps: '[0.3]', idle: '10s', bake: '1h' } });
  try {
    const { shoal } = people;
    await shoal.propose('flats', trained.second, word);
    await people.inPhase('approval');
    await shoal.approve('flats', word);
    await people.inPhase('canary');
    await shoal.setWeight('flats', 0.5, word);
    await shoal.pause('flats', word);
    await shoal.resume('flats', word);
    await people.decided(2);
    await shoal.rollback('flats', word);
    await save(people.project, { 'release-people': 'release/flats' });
  } finally {
    await people.close();
  }

  const forced = await openLive(server, trained, { folder: folder('forced'), approval: 'manual' });
  try {
    const { shoal } = forced;
    await shoal.propose('flats', trained.second, word);
    await forced.inPhase('approval');
    await shoal.propose('flats', { rent: trained.second.rent! }, { ...word, force: true });
    await forced.decided(3);
    await forced.inPhase('approval', 2);
    await shoal.refuse('flats', word);
    await save(forced.project, { 'release-forced': 'release/flats' });
  } finally {
    await forced.close();
  }

  const fault = new Fault('runSegment', () => ApplicationFailure.nonRetryable('its artifact is broken', 'ARTIFACT_CORRUPT'),
    ([input]) => (input as { release: { number: number } }).release.number === 2);
  const canary = await openLive(server, trained, { folder: folder('canary'), rollout: { shadow: '10', steps: '[0.5]', every: '3s' }, activityInterceptors: [fault.interceptor] });
  try {
    await canary.shoal.propose('flats', trained.second, word);
    await canary.inPhase('shadow');
    canary.busy();
    await canary.inPhase('canary');
    await canary.calm();
    fault.on = true;
    await canary.shoal.setWeight('flats', 1, word);
    await canary.shoal.predict('flats', [FLAT], { id: 'abandoned' });
    await canary.shoal.setWeight('flats', 0.5, word);
    fault.on = false;
    canary.busy();
    await canary.decided(2);
    await canary.redefine('2.0');
    await canary.decided(3);
    await canary.calm();
    await save(canary.project, { 'release-canary': 'release/flats', 'chain-abandoned': 'chain/flats/abandoned' });
  } finally {
    await canary.close();
  }

  const bake = await openLive(server, trained, { folder: folder('bake'), rollout: { idle: '1s', bake: '1h' } });
  try {
    await bake.redefine('2.0');
    await bake.decided(2);
    await bake.ask(30);
    await bake.decided(2, 'rolled back');
    await save(bake.project, { 'release-bake': 'release/flats' });
  } finally {
    await bake.close();
  }
}

async function record(): Promise<void> {
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(process.env.SHOAL_TEST_SHARED!, { recursive: true });
  rmSync(HISTORIES, { recursive: true, force: true });
  mkdirSync(HISTORIES, { recursive: true });
  server = await TestServer.start({ namespaces: 7 });
  try {
    await everyday();
    await refusals();
    await rollouts(await trainTwice(server));
  } finally {
    await server.stop();
    rmSync(FOLDER, { recursive: true, force: true });
  }
}

/** What a replay does not read. */
const UNUSED = new Set(['taskId', 'workerVersion', 'meteringMetadata', 'header']);

/** Without the names of processes and machines, and without stack traces. */
function neutral(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) return value.map((item) => neutral(item));
  if (value !== null && typeof value === 'object') return Object.fromEntries(Object.entries(value).flatMap(([k, v]) => (UNUSED.has(k) ? [] : [[k, neutral(v, k)]])));
  if (key === 'identity' || key === 'workerInstanceKey') return 'worker';
  if (key === 'stackTrace') return '';
  // A worker's own queue is called after its process and machine.
  return typeof value === 'string' && key === 'name' ? value.replace(/^\d+@.*$/, 'sticky') : value;
}

void record().then(() => process.exit(0), (error: unknown) => {
  console.error(error);
  process.exit(1);
});
