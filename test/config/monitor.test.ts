import { parseProject } from '../../src/config';
import { DEFAULT_MONITOR } from '../../src/config/schemaMonitor';
import { monitorInput, monitorSchedule } from '../../src/client/monitorSchedule';
import type { ShoalError } from '../../src/domain/errors';

const project = (monitor: string) => parseProject(`
name: houses
sources: { sales: { path: sales.csv, key: id } }
models:
  price: { task: regression, source: sales, target: price, inputs: [area] }
  alone: { task: regression, source: sales, target: rent, inputs: [area] }
chains:
  houses: { output: price, ${monitor} }
`, { file: '/project/temporal.yaml', env: {} });
const monitor = (written: string) => project(`monitor: ${written}`).chains.houses!.monitor;

test('every chain is watched when nothing is said, also one of a model alone', () => {
  const { chains } = project('approval: auto');
  expect([chains.houses!.monitor, chains.alone!.monitor]).toEqual([DEFAULT_MONITOR, DEFAULT_MONITOR]);
  expect(DEFAULT_MONITOR).toEqual({
    everyMs: 3_600_000, window: { ms: 86_400_000 }, alert: { m: 3, n: 5 }, metrics: [], slices: [], minRows: 50, reference: { windows: 10, deviations: 3 },
  });
});

test('a chain that is not to be watched has no schedule', () => {
  const none = project('monitor: false');
  expect([none.chains.houses!.monitor, monitorInput(none, 'houses'), monitorSchedule(none, 'houses')]).toEqual([undefined, undefined, undefined]);
});

test('windows are periods or numbers of requests', () => {
  expect(monitor('{ window: 6h }')!.window).toEqual({ ms: 21_600_000 });
  expect(monitor('{ window: 500, alert: 2 of 2, every: 10m, slices: [city], metrics: [rmse], reference: { time: sold } }')).toMatchObject({
    window: { requests: 500 }, alert: { m: 2, n: 2 }, everyMs: 600_000, slices: ['city'], metrics: ['rmse'], reference: { time: 'sold', windows: 10 },
  });
});

test.each(['{ alert: 5 of 3 }', '{ alert: sometimes }', '{ window: 0 }', '{ every: soon }', '{ metrics: [happiness] }', '{ minRows: 1 }', 'yes please'])('%s is a mistake', (written) => {
  expect(() => monitor(written)).toThrow(expect.objectContaining({ code: 'CONFIG' } satisfies Partial<ShoalError>));
});

test('the schedule tells the monitor where true values of stages may be found', () => {
  const { workflow, id, when } = monitorSchedule(project('monitor: { every: 2h }'), 'houses')!;
  expect([id, when]).toEqual(['monitor/houses', { everyMs: 7_200_000 }]);
  expect(workflow).toMatchObject({ type: 'monitor', args: [{ chain: 'houses', dataQueue: 'shoal-data', stages: [{ stage: 'price', chains: ['houses'], source: { name: 'sales' } }] }] });
  expect(JSON.parse(JSON.stringify(workflow))).toEqual(workflow);
});
