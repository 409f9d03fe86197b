import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadProject, parseProject } from '../../src/config';
import { DEFAULT_MONITOR } from '../../src/config/schemaMonitor';
import { DEFAULT_ROLLOUT } from '../../src/config/schemaRollout';
import { DEFAULT_TRAINING } from '../../src/config/defaults';

const file = join(__dirname, 'fixtures/films.yaml');
const folder = join(__dirname, 'fixtures');
const small = `
name: houses
sources: { sales: { path: sales.csv } }
models:
  price: { task: regression, source: sales, target: price, inputs: [area, rooms] }
`;
const parse = (text: string) => parseProject(text, { file: '/project/temporal.yaml' });

test('shorthands are spelled out, and paths made absolute', async () => {
  const { sources, models, store } = await loadProject(file, {});
  expect(store.path).toBe(join(folder, '.shoal/store'));
  expect(sources.months).toMatchObject({ name: 'months', paths: [join(folder, 'data/movies.json')], format: 'json', key: ['month'] });
  expect(models.genre!.inputs.slice(0, 2)).toEqual([
    { kind: 'model', name: 'title-embedding.vector', model: 'title-embedding', output: 'vector' },
    { kind: 'column', name: 'mpaa_rating', column: 'mpaa_rating' },
  ]);
  expect(models['title-embedding']!.inputs).toEqual([{ kind: 'column', name: 'title', column: 'title', type: 'text' }]);
  expect(models.gross!.inputs.map(({ name }) => name)).toEqual(['production_budget', 'running_time', 'genre.probabilities', 'genre.label', 'market.value']);
  expect(models.market).toMatchObject({ season: 12, context: 36, at: 'release_date', horizon: 6, inputs: [], scale: 'log10' });
});

test('a chain has its stages in order, its expressions and its fallbacks', async () => {
  const { chains } = await loadProject(file, {});
  expect(Object.keys(chains)).toEqual(['box-office']);
  const chain = chains['box-office']!;
  expect(chain.stages).toEqual([
    { model: 'title-embedding', with: {}, timeoutMs: 10_000 },
    { model: 'market', when: 'input.release_date != null', with: {}, timeoutMs: 2_000, fallback: { kind: 'baseline' } },
    { model: 'genre', with: {}, timeoutMs: 10_000, fallback: { kind: 'value', value: { probability: 0, probabilities: [0, 0, 0] } } },
    {
      model: 'gross', timeoutMs: 10_000, fallback: { kind: 'model', model: 'one-big-network' },
      with: { running_time: 'input.running_time == null ? 100.0 : input.running_time' },
    },
  ]);
  expect(chain.outputStage).toBe('gross');
  expect(chain.output).toEqual({ value: 'stages.gross.value * 1.02', low: 'stages.gross.low', high: 'stages.gross.high' });
});

const DAY_MS = 86_400_000;

test('who names only task, source, target and inputs gets the rest by default', () => {
  const project = parse(small);
  expect(project).toEqual({
    name: 'houses',
    temporal: { namespace: 'default', taskQueue: 'shoal' },
    store: { path: '/project/.shoal/store' },
    workers: [{ name: 'control', roles: ['workflows'] }, { name: 'train', roles: ['train'] }, { name: 'serve', roles: ['serve'] }],
    retention: {
      requestsMs: 90 * DAY_MS, outcomesMs: 365 * DAY_MS, checkpointsMs: 7 * DAY_MS, snapshotsMs: 7 * DAY_MS, scratchMs: DAY_MS, unusedMs: 7 * DAY_MS,
      releases: { keep: 10, forMs: 90 * DAY_MS }, versions: { keep: 10, forMs: 30 * DAY_MS },
    },
    retrain: { models: { price: { drift: true, degradation: true, limits: { cooldownMs: 3_600_000, budget: 6 } } }, chains: {} },
    sources: { sales: { name: 'sales', paths: ['/project/sales.csv'], format: 'csv', key: [] } },
    models: {
      price: {
        name: 'price', task: 'regression', source: 'sales', target: 'price', scale: 'linear', interval: 0.8, holdout: 0.25, seed: 7,
        inputs: [{ kind: 'column', name: 'area', column: 'area' }, { kind: 'column', name: 'rooms', column: 'rooms' }],
        training: DEFAULT_TRAINING.regression, approval: 'auto',
        labels: { check: true, suspects: 'report', reasons: ['label', 'conflict', 'duplicate'], maxShare: 1, maxShuffled: 0.5, weight: 0.25 },
        gates: [{ metric: 'rmse', against: 'baseline', min: 0 }, { metric: 'r2', against: 'champion', min: -0.01 }],
      },
    },
    chains: {
      price: {
        name: 'price', stages: [{ model: 'price', with: {}, timeoutMs: 10_000 }], outputStage: 'price', compareWith: [],
        output: { value: 'stages.price.value', low: 'stages.price.low', high: 'stages.price.high' },
        gates: [{ metric: 'rmse', against: 'baseline', min: 0 }, { metric: 'r2', against: 'champion', min: -0.01 }],
        worth: { minGain: 0.005 }, servable: { memoryMb: 2_048, latencyMs: 1_000, loadSeconds: 60 },
        approval: 'auto', rollout: DEFAULT_ROLLOUT, monitor: DEFAULT_MONITOR,
      },
    },
  });
  expect(JSON.parse(JSON.stringify(project))).toEqual(project);
});

test('gates may ask for certainty, on slices, and of costs; a slice has at least 30 rows', () => {
  const { models, chains } = parse(`
name: houses
sources: { sales: { path: sales.csv } }
models:
  price:
    task: regression
    source: sales
    target: price
    inputs: [area]
    gates:
      - { metric: rmse, against: champion, min: -1, confidence: 0.9, inDoubt: pass }
      - { metric: rmse, against: champion, min: -1, slice: { column: district } }
      - { metric: coverage_gap, max: 0.1, slice: { where: area > 100, name: large, minRows: 50 } }
      - { metric: latency_ms, max: 20 }
chains:
  houses: { output: price, worth: { minGain: 0.01 }, servable: { memoryMb: 500 }, gates: [{ metric: onnx_bytes, against: champion, min: -1000 }] }`);
  expect(models.price!.gates).toEqual([
    { metric: 'rmse', against: 'champion', min: -1, confidence: 0.9, inDoubt: 'pass' },
    { metric: 'rmse', against: 'champion', min: -1, slice: { column: 'district', minRows: 30 } },
    { metric: 'coverage_gap', against: 'value', max: 0.1, slice: { where: 'area > 100', name: 'large', minRows: 50 } },
    { metric: 'latency_ms', against: 'value', max: 20 },
  ]);
  expect(chains.houses).toMatchObject({
    worth: { minGain: 0.01 }, servable: { memoryMb: 500, latencyMs: 1_000, loadSeconds: 60 }, gates: [{ metric: 'onnx_bytes', against: 'champion', min: -1000 }],
  });
});

test.each([
  ['year', 1, 4], ['quarter', 4, 12], ['month', 12, 36], ['week', 52, 104], ['day', 7, 21], ['hour', 24, 48],
])('a forecast by %s has a season of %d periods and looks back on %d', (frequency, season, context) => {
  const { models } = parse(`
name: f
sources: { s: { path: s.parquet } }
models: { f: { task: forecast, source: s, time: t, target: y, frequency: ${frequency}, horizon: 2 } }`);
  expect(models.f).toMatchObject({ season, context, at: 't', holdout: 0.2 });
});

test.each([
  ['a.csv', 'csv'], ['a.tsv', 'tsv'], ['a.json', 'json'], ['a.ndjson', 'jsonl'], ['data/*.jsonl.gz', 'jsonl'], ['A.PARQUET', 'parquet'],
])('%s is read as %s', (path, format) => expect(parse(small.replace('sales.csv', `"${path}"`)).sources.sales).toMatchObject({ format }));

test('`format` says what the extension does not', () => {
  const { sales } = parse(small.replace('path: sales.csv', 'path: [sales.txt, /data/more], format: tsv')).sources;
  expect(sales).toMatchObject({ format: 'tsv', paths: ['/project/sales.txt', '/data/more'] });
});

test('a column may have a model\'s name, or nearly', () => {
  const input = (text: string): unknown => parse(`
name: p
sources: { s: { path: s.csv, sql: SELECT genre_one FROM source } }
models:
  genre: { task: classification, source: s, target: genre, inputs: [x] }
  m: { task: regression, source: s, target: y, inputs: [${text}] }`).models.m!.inputs[0];
  expect(input('genre')).toMatchObject({ kind: 'model', model: 'genre', output: 'probabilities' });
  expect(input('{ column: genre }')).toMatchObject({ kind: 'column', column: 'genre' });
  expect(input('genres')).toMatchObject({ kind: 'column', column: 'genres' });
  expect(input('{ model: genre, output: label }')).toMatchObject({ kind: 'model', output: 'label' });
  expect(input('a.b')).toMatchObject({ kind: 'column', column: 'a.b' });
  expect(() => input('gener')).toThrow(/there is no model `gener`/);
});

test('aliases repeat what they name', () => {
  const text = readFileSync(file, 'utf8').replace('inputs: [{ column: title, type: text }, p', 'inputs: [*title, p').replace('inputs: [{ column: title, type: text }]', 'inputs: [&title { column: title, type: text }]');
  expect(parse(text).models['one-big-network']!.inputs[0]).toEqual({ kind: 'column', name: 'title', column: 'title', type: 'text' });
});

describe('chains', () => {
  const three = `
name: p
sources: { s: { path: s.csv } }
models:
  c: { task: regression, source: s, target: y, inputs: [b, x] }
  b: { task: regression, source: s, target: z, inputs: [a, x] }
  a: { task: classification, source: s, target: w, inputs: [x] }
  alone: { task: embedding, source: s, alike: [v], inputs: [x] }
  big: { task: regression, source: s, target: y, inputs: [x] }
`;
  const stages = (chains: string, name: string): string[] => parse(`${three}chains: ${chains}`).chains[name]!.stages.map((stage) => stage.model);

  test('without stages have the output\'s and all upstream, upstream first', () => expect(stages('{ k: { output: c } }', 'k')).toEqual(['a', 'b', 'c']));
  test('take from expressions what they need', () => {
    expect(stages('{ k: { output: { value: "stages.b.value + stages.alone.vector[0]" }, predicts: b } }', 'k')).toEqual(['a', 'b', 'alone']);
  });
  test('with stages in any order are put in order, keeping what can be kept', () => {
    expect(stages('{ k: { stages: { c: {}, alone: , b: , a: { when: "stages.alone.vector[0] > 0" } }, output: c } }', 'k')).toEqual(['alone', 'a', 'b', 'c']);
  });
  test('are made for models that none uses', () => {
    const project = parse(`${three}chains: { k: { output: c, compareWith: [big] } }`);
    expect(Object.keys(project.chains)).toEqual(['k', 'alone']);
    expect(project.chains.alone!.output).toEqual({ vector: 'stages.alone.vector' });
    expect(() => parse(`${three}chains: { alone: { output: c } }`)).toThrow(/chains\.alone: the model alone is in no chain/);
  });
  test('take a single value as a fallback\'s main output', () => {
    const chain = parse(`${three}chains: { k: { stages: { a: { fallback: { value: low } }, b: { fallback: { value: 3 } }, c: {} }, output: c } }`).chains.k!;
    expect(chain.stages.map((stage) => stage.fallback)).toEqual([{ kind: 'value', value: { label: 'low' } }, { kind: 'value', value: { value: 3 } }, undefined]);
  });
  test('take numbers and truth values where expressions are expected', () => {
    const chain = parse(`${three}chains: { k: { stages: { a: { when: true, with: { x: 3 } } , b: {}, c: {} }, output: { value: stages.c.value, low: 0 } } }`).chains.k!;
    expect(chain.stages[0]).toMatchObject({ when: 'true', with: { x: '3' } });
    expect(chain.output.low).toBe('0');
  });
});
