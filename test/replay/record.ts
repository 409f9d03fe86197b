/**
 * Records histories of every workflow, from a real run, into test/replay/histories:
 *
 *   npm run build && SHOAL_TEMPORAL_BINARY=... node -r ./bench/register.cjs test/replay/record.ts
 *
 * Record anew only when a change of the workflows is meant to leave running ones behind; otherwise what is there must replay.
 */
import { historyToJSON } from '@temporalio/common/lib/proto-utils';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { TestProject } from '../support/project';
import { TestServer } from '../support/server';
import { training } from '../support/smallProject';

const HISTORIES = path.join(__dirname, 'histories');
/** The same on every machine. */
const FOLDER = '/tmp/shoal-replay';

const models = `
models:
  condition: { task: classification, source: flats, target: condition, inputs: [{ column: note, type: text }, city], gates: [{ metric: accuracy, min: 0.1 }], ${training(5)} }
  rent: { task: regression, source: flats, target: rent, inputs: [size, city, built, condition], ${training(5)} }
chains:
  flats: { stages: { condition: { fallback: baseline } }, output: rent }
`;
const FLAT = { size: 80, city: 'Bern', built: '1990-06-01', note: 'bright quiet flat' };

async function record(): Promise<void> {
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  rmSync(HISTORIES, { recursive: true, force: true });
  mkdirSync(HISTORIES, { recursive: true });
  const server = await TestServer.start({ namespaces: 1 });
  const project = await TestProject.open(server, {
    folder: FOLDER, models, rows: 300,
    workers: [{ name: 'all', roles: ['workflows', 'train', 'serve'] }, { name: 'other', roles: ['serve'], taskQueue: 'other' }],
  });
  const save = async (name: string, workflowId: string) => {
    const history: unknown = JSON.parse(historyToJSON(await project.history(workflowId)));
    writeFileSync(path.join(HISTORIES, `${name}.json`), `${JSON.stringify(neutral(history))}\n`);
  };
  try {
    await project.train();
    await project.shoal.predict('flats', [FLAT], { id: 'inline' });
    writeFileSync(path.join(FOLDER, 'rows.jsonl'), `${JSON.stringify(FLAT)}\n`.repeat(5_500));
    await project.shoal.score('flats', path.join(FOLDER, 'rows.jsonl'), { id: 'file' });
    await project.shoal.predict('flats', [{ ...FLAT, size: 'large' }], { id: 'refused' }).catch(() => undefined);
    await save('chain-inline', 'chain/flats/inline');
    await save('chain-file', 'chain/flats/file');
    await save('chain-bad-row', 'chain/flats/refused');

    await project.edit(['min: 0.1', 'min: 0.9999, max: 0.99995']);
    await project.train(['condition']);
    await project.edit(['min: 0.9999, max: 0.99995', 'min: 0.1'], ['target: condition', 'target: conditon']);
    await project.train(['condition']);
    await project.edit(['target: conditon', 'target: condition'], ['condition: { task', 'condition: { taskQueue: other, task']);
    project.files.addFlats(100);
    await project.train();
    await project.shoal.predict('flats', [FLAT], { id: 'segments' });
    await save('chain-two-segments', 'chain/flats/segments');
    await save('lifecycle-made', 'lifecycle/condition/1');
    await save('lifecycle-refused', 'lifecycle/condition/2');
    await save('lifecycle-failed', 'lifecycle/condition/3');
    await save('lifecycle-downstream', 'lifecycle/rent/1');
    await save('model', 'model/condition');
    await save('model-downstream', 'model/rent');
    await save('release', 'release/flats');
  } finally {
    await project.close();
    await server.stop();
    rmSync(FOLDER, { recursive: true, force: true });
  }
}

/** Without the names of processes and machines, and without stack traces. */
function neutral(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) return value.map((item) => neutral(item));
  if (value !== null && typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, neutral(v, k)]));
  if (key === 'identity' || key === 'workerInstanceKey') return 'worker';
  if (key === 'stackTrace') return '';
  // A worker's own queue is called after its process and machine.
  return typeof value === 'string' && key === 'name' ? value.replace(/^\d+@.*$/, 'sticky') : value;
}

void record().then(() => process.exit(0), (error: unknown) => {
  console.error(error);
  process.exit(1);
});
