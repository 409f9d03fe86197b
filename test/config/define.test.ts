import { join } from 'node:path';
import { defineChain, defineModel, defineProject, defineSource } from '../../src/config/define';
import { loadProject } from '../../src/config/load';
import { ShoalError } from '../../src/domain/errors';

const folder = join(__dirname, 'fixtures');

const films = defineSource('films', {
  path: 'data/movies.json',
  sql: `SELECT "Title" AS title, "Release Date" AS release_date, "Major Genre" AS major_genre, "MPAA Rating" AS mpaa_rating,
       "Creative Type" AS creative_type, "Source" AS source, "Distributor" AS distributor,
       "Production Budget" AS production_budget, "Running Time min" AS running_time, "Worldwide Gross" AS worldwide_gross
FROM source
`,
  key: ['title', 'release_date'],
});
const months = defineSource('months', {
  path: 'data/movies.json',
  sql: `SELECT date_trunc('month', "Release Date") AS month, sum("Worldwide Gross") AS gross FROM source GROUP BY 1`,
  key: 'month',
});
const embedding = defineModel('title-embedding', {
  task: 'embedding', source: films, inputs: [{ column: 'title', type: 'text' }], alike: ['major_genre', 'creative_type', 'source'], dimensions: 24,
});
const genre = defineModel('genre', {
  task: 'classification', source: films, target: 'major_genre',
  inputs: [embedding, 'mpaa_rating', 'creative_type', 'source', 'distributor'],
  gates: [{ metric: 'accuracy', min: 0.4 }, { metric: 'accuracy', against: 'baseline', min: 0 }],
});
const market = defineModel('market', {
  task: 'forecast', source: months, time: 'month', target: 'gross', frequency: 'month', horizon: 6, at: 'release_date', scale: 'log10',
});
const gross = defineModel('gross', {
  task: 'regression', source: films, target: 'worldwide_gross', scale: 'log10',
  inputs: ['production_budget', 'running_time', genre, genre.label, market.value], training: { maxEpochs: 150 },
});
const big = defineModel('one-big-network', {
  task: 'regression', source: films, target: 'worldwide_gross', scale: 'log10',
  inputs: [{ column: 'title', type: 'text' }, 'production_budget', 'running_time', 'mpaa_rating', 'creative_type', 'source', 'distributor'],
});

const boxOffice = defineChain('box-office', {
  stages: [
    embedding,
    { model: market, when: 'input.release_date != null', timeout: '2s', fallback: 'baseline' },
    { model: genre, fallback: { value: { probability: 0, probabilities: [0, 0, 0] } } },
    { model: gross, with: { running_time: 'input.running_time == null ? 100.0 : input.running_time' }, fallback: { model: big } },
  ],
  output: { value: `${gross.value} * 1.02`, low: gross.low, high: gross.high },
});

test('a project defined in TypeScript is the one that the same document declares', async () => {
  const project = defineProject({ name: 'box-office', temporal: { address: 'localhost:7233' }, chains: [boxOffice] }, { folder });
  expect(project).toEqual(await loadProject(join(folder, 'films.yaml'), {}));
});

test('outputs of models whose names have dashes can stand in expressions', () => {
  expect(String(embedding.vector)).toBe('stages["title-embedding"].vector');
  expect(`${market.value} / 2`).toBe('stages.market.value / 2');
});

test('a chain brings all models upstream of its output, and their sources', () => {
  const { models, sources, chains } = defineProject({ name: 'p', chains: [defineChain('box-office', { output: gross })] }, { folder });
  expect(Object.keys(models)).toEqual(['title-embedding', 'genre', 'market', 'gross']);
  expect(Object.keys(sources)).toEqual(['films', 'months']);
  expect(chains['box-office']!.stages.map((stage) => stage.model)).toEqual(['title-embedding', 'genre', 'market', 'gross']);
});

test('in TypeScript a text is a column, also where a model has that name', () => {
  const column = defineModel('market-size', { task: 'regression', source: films, target: 'x', inputs: ['genre', genre] });
  const { models } = defineProject({ name: 'p', models: [column] }, { folder });
  expect(models['market-size']!.inputs.map((input) => input.kind)).toEqual(['column', 'model']);
});

test('mistakes that the compiler does not see are told by their place', () => {
  const twice = defineModel('genre', { task: 'regression', source: films, target: 'x', inputs: ['y', 'y'] });
  const stray = defineModel('Stray', { task: 'regression', source: films, target: 'x', inputs: ['y'] });
  const attempt = (): unknown => defineProject({ name: 'p', models: [twice, genre, stray], chains: [] }, { folder });
  expect(attempt).toThrow(ShoalError);
  expect(attempt).toThrow(/models\.genre: two different models are called genre/);
  expect(attempt).toThrow(/models\.genre\.inputs\[1\]: y is an input twice/);
  expect(attempt).toThrow(/models\.Stray: `Stray` can't be a name/);
});

/** Never run: the compiler checks each line (`tsc -p test`). */
export const misuse = (): unknown[] => [
  // @ts-expect-error an embedding has no probabilities
  embedding.probabilities,
  // @ts-expect-error a classification has no value
  genre.value,
  // @ts-expect-error no such task
  defineModel('m', { task: 'regresion', source: films, target: 'x', inputs: ['y'] }),
  // @ts-expect-error a regression needs a target
  defineModel('m', { task: 'regression', source: films, inputs: ['y'] }),
  // @ts-expect-error a regression has no horizon
  defineModel('m', { task: 'regression', source: films, target: 'x', inputs: ['y'], horizon: 3 }),
  // @ts-expect-error a source is a handle
  defineModel('m', { task: 'regression', source: 'films', target: 'x', inputs: ['y'] }),
  // @ts-expect-error accuracy is no metric of a regression
  defineModel('m', { task: 'regression', source: films, target: 'x', inputs: ['y'], gates: [{ metric: 'accuracy', min: 0 }] }),
  // @ts-expect-error a forecast reads no outputs of models
  defineModel('m', { task: 'forecast', source: months, time: 'month', target: 'gross', frequency: 'month', horizon: 6, inputs: [genre.label] }),
  // @ts-expect-error no such frequency
  defineModel('m', { task: 'forecast', source: months, time: 'month', target: 'gross', frequency: 'monthly', horizon: 6 }),
  // @ts-expect-error a fallback has the same task
  defineChain('c', { stages: [{ model: genre, fallback: { model: gross } }], output: genre }),
  // @ts-expect-error a classification has no output `value`
  defineChain('c', { stages: [{ model: genre, fallback: { value: { value: 1 } } }], output: genre }),
  // @ts-expect-error a probability is a number
  defineChain('c', { stages: [{ model: genre, fallback: { value: { probability: 'high' } } }], output: genre }),
  // @ts-expect-error no such setting
  defineChain('c', { stages: [{ model: genre, timeOut: '2s' }], output: genre }),
  // @ts-expect-error the output is a handle
  defineChain('c', { output: 'gross' }),
];
