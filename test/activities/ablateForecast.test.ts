import { training } from '../support/smallProject';
import { run, trainProject, type Trained } from './fixtures';

jest.setTimeout(180_000);

/** Ten years of a market with a season and a trend, and shops whose sales follow it. */
const market = (month: number): number => 100 + 30 * Math.sin((2 * Math.PI * month) / 12) + month / 2;
const date = (month: number): string => new Date(Date.UTC(2010, month, 1)).toISOString().slice(0, 10);
const months = ['month,total', ...Array.from({ length: 120 }, (_, m) => `${date(m)},${market(m).toFixed(2)}`)].join('\n');
const shops = ['id,area,day,sales', ...Array.from({ length: 900 }, (_, i) => {
  const [area, month] = [20 + ((i * 37) % 80), 13 + ((i * 53) % 100)];
  return `${i},${area},${date(month)},${(area + 5 * market(month) + ((i * 29) % 10)).toFixed(1)}`;
})].join('\n');

const MODELS = `
  months: { path: months.csv, key: month }
models:
  market: { task: forecast, source: months, target: total, time: month, frequency: month, horizon: 3, at: day, ${training(30)} }
  sales: { task: regression, source: flats, target: sales, inputs: [area, market], ${training(60)} }
chains:
  shops: { output: sales }
  market-alone: { output: market, gates: [{ metric: mase, against: value, max: 5, slice: { column: month, minRows: 2 } }] }
`;

let project: Trained;
beforeAll(async () => {
  project = await trainProject({ models: MODELS, files: { 'flats.csv': shops, 'months.csv': months } });
});
afterAll(() => project?.remove());

it('a forecast is weighed against the seasonal naive one, for the same periods', async () => {
  const { components } = await run(project.activities().ablate, { release: project.release() });
  const market = components.find(({ model }) => model === 'market')!;
  // The naive forecast lags a year behind the trend.
  expect(market.without).toBeGreaterThan(0);
  expect(market.gain.value).not.toBe(0);
  expect(market.reason).toMatch(/rmse is [\d.]+ with it and [\d.]+ without/);
});

it('a chain that ends in a forecast is that forecast', async () => {
  const { components, metric } = await run(project.activities().ablate, { release: project.release(1, {}, 'market-alone') });
  expect(metric).toBe('mase');
  expect(components).toMatchObject([{ model: 'market', cost: { rowMs: expect.any(Number) } }]);
});

it('slices of a forecast are its periods', async () => {
  const { metrics, slices, allSlices } = await run(project.activities().evaluateRelease, { candidate: project.release(1, {}, 'market-alone') });
  const all = slices!.length === 20 ? await project.store.readJson<typeof slices>(allSlices!) : slices;
  expect(all!.every(({ slice }) => /^month = 20(18|19)-\d\d-01/.test(slice))).toBe(true);
  expect(all!.reduce((sum, { rows }) => sum + rows, 0)).toBe(metrics[0]!.rows);
});

it('a chain that ends in a forecast, and one that reads it, serve in a fresh process', async () => {
  for (const chain of ['shops', 'market-alone']) {
    const { passed, reason } = await run(project.activities().checkServable, { release: project.release(1, {}, chain) });
    expect({ passed, reason }).toEqual({ passed: true, reason: expect.stringMatching(/^Serves in a fresh process: loaded in [\d.]+ s, \d+ rows one by one at [\d.]+ ms/) });
  }
});
