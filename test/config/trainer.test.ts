import { parseProject } from '../../src/config';
import { modelDefinition, chainDefinition } from '../../src/client/definitions';
import { workerQueues } from '../../src/workflows/queues';

const project = (more = '', worker = '') => parseProject(`
name: flats
workers:
  - {name: all, roles: [workflows, train, serve]}
${worker}
sources: { flats: { path: flats.csv, key: id } }
models:
  rent: { task: regression, source: flats, target: rent, inputs: [size], ${more} }
  other: { task: regression, source: flats, target: size, inputs: [rent], taskQueue: faraway }
`, { file: 'temporal.yaml', env: {} });

test('a trainer has six hours, and no heartbeat, unless it says otherwise', () => {
  expect(project('trainer: { taskQueue: python, activity: train }').models.rent!.trainer).toEqual({ taskQueue: 'python', activity: 'train', params: {}, timeoutMs: 6 * 3_600_000 });
  expect(project('trainer: { taskQueue: python, activity: train, params: { trees: 3, deep: { a: [1, null] } }, timeout: 1.5h, heartbeat: 30s }').models.rent!.trainer)
    .toEqual({ taskQueue: 'python', activity: 'train', params: { trees: 3, deep: { a: [1, null] } }, timeoutMs: 5_400_000, heartbeatMs: 30_000 });
  expect(project().models.rent).not.toHaveProperty('trainer');
});

test('a model with a worker of its own has queues of its own, that no other worker polls', () => {
  const of = project('', '  - {name: team, roles: [train, serve], models: [rent, other]}');
  const [all, team] = of.workers;
  expect(modelDefinition(of, 'rent')).toMatchObject({ trainQueue: 'shoal-train-rent', dataQueue: 'shoal-data-rent' });
  expect(chainDefinition(of, 'other').taskQueues).toEqual({ rent: 'shoal-serve-rent', other: 'faraway' });
  expect((['train', 'data', 'serve'] as const).map((kind) => [workerQueues(of, all!, kind), workerQueues(of, team!, kind)])).toEqual([
    [['shoal-train'], ['shoal-train-rent', 'shoal-train-other']], [['shoal-data'], ['shoal-data-rent', 'shoal-data-other']], [['shoal-serve'], ['shoal-serve-rent', 'faraway']],
  ]);
  const none = project();
  expect(modelDefinition(none, 'rent')).toMatchObject({ trainQueue: 'shoal-train', dataQueue: 'shoal-data' });
});
