import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadProject, parseProject } from '../../src/config';
import type { LocatedProblem } from '../../src/config';
import { ShoalError } from '../../src/domain/errors';

const films = readFileSync(join(__dirname, 'fixtures/films.yaml'), 'utf8');

function failure(text: string): ShoalError {
  try {
    parseProject(text, { file: 'temporal.yaml', env: {} });
  } catch (error) {
    expect(error).toBeInstanceOf(ShoalError);
    expect((error as ShoalError).code).toBe('CONFIG');
    return error as ShoalError;
  }
  throw new Error('no mistake was found');
}

const problems = (text: string): LocatedProblem[] => failure(text).details.problems as LocatedProblem[];

/** The sample project with one text in place of another. */
function edited(from: string, to: string): string {
  expect(films.split(from).length).toBeGreaterThan(1);
  return films.replace(from, () => to);
}

/** Where `marked` puts » in the text, counted from 1. */
function place(marked: string): { line: number; column: number } {
  const before = marked.slice(0, marked.indexOf('»')).split('\n');
  return { line: before.length, column: before.at(-1)!.length + 1 };
}

interface Case { what: string; from: string; /** » stands where the mistake is to be shown. */ to: string; path: string; message: RegExp; suggestion?: string }

const CASES: Case[] = [
  // The form of the document
  { what: 'an unknown key', from: 'horizon: 6', to: 'horizon: 6\n    »contxt: 3', path: 'models.market.contxt', message: /unknown key `contxt`/, suggestion: 'context' },
  { what: 'a key of a later release', from: 'chains:\n', to: '»schedule: daily\nchains:\n', path: 'schedule', message: /unknown key `schedule`.*Known here: .*models/s },
  { what: 'a key of another task', from: 'dimensions: 24', to: '»horizon: 3', path: 'models.title-embedding.horizon', message: /unknown key `horizon`/ },
  { what: 'an unknown task', from: 'task: embedding', to: 'task: »embeding', path: 'models.title-embedding.task', message: /expected regression, classification, forecast or embedding; found `embeding`/, suggestion: 'embedding' },
  { what: 'a missing task', from: 'task: embedding\n    ', to: '', path: 'models.title-embedding.task', message: /`task` is missing/ },
  { what: 'an unknown frequency', from: 'frequency: month', to: 'frequency: »monthly', path: 'models.market.frequency', message: /found `monthly`/, suggestion: 'month' },
  { what: 'a wrong scale', from: 'scale: log10', to: 'scale: »log', path: 'models.market.scale', message: /expected linear or log10/ },
  { what: 'text for a number', from: 'maxEpochs: 150', to: 'maxEpochs: »many', path: 'models.gross.training.maxEpochs', message: /expected a number; found `many`/ },
  { what: 'a fraction for a whole number', from: 'maxEpochs: 150', to: 'maxEpochs: »1.5', path: 'models.gross.training.maxEpochs', message: /expected a whole number; found the number 1.5/ },
  { what: 'a number out of range', from: 'maxEpochs: 150', to: 'maxEpochs: »0', path: 'models.gross.training.maxEpochs', message: /expected at least 1; found the number 0/ },
  { what: 'a number for text', from: 'target: gross', to: 'target: »12', path: 'models.market.target', message: /expected text; found the number 12/ },
  { what: 'YAML 1.1\'s truth values, which are words', from: 'maxEpochs: 150', to: 'maxEpochs: »no', path: 'models.gross.training.maxEpochs', message: /expected a number; found `no`/ },
  { what: 'nothing for a mapping', from: 'training: { maxEpochs: 150 }', to: 'training:»', path: 'models.gross.training', message: /expected a mapping; found nothing/ },
  { what: 'an empty list of inputs', from: 'inputs: [{ column: title, type: text }]\n', to: 'inputs: »[]\n', path: 'models.title-embedding.inputs', message: /empty; expected at least one/ },
  { what: 'an input that is neither text nor mapping', from: 'market.value]', to: '»7]', path: 'models.gross.inputs[4]', message: /expected text or a mapping; found the number 7/ },
  { what: 'a wrong column type', from: 'type: text', to: 'type: »txt', path: 'models.title-embedding.inputs[0].type', message: /found `txt`/, suggestion: 'text' },
  { what: 'a metric of another task', from: 'metric: accuracy, min', to: 'metric: »rmse, min', path: 'models.genre.gates[0].metric', message: /expected accuracy, macro_f1/ },
  { what: 'a misspelt metric', from: 'metric: accuracy, min', to: 'metric: »acuracy, min', path: 'models.genre.gates[0].metric', message: /found `acuracy`/, suggestion: 'accuracy' },
  { what: 'a gate without a bound', from: '{ metric: accuracy, min: 0.4 }', to: '»{ metric: accuracy }', path: 'models.genre.gates[0]', message: /needs `min` or `max`/ },
  { what: 'a misspelt cost', from: '{ metric: accuracy, min: 0.4 }', to: '{ metric: »onnx_byte, max: 4000 }', path: 'models.genre.gates[0].metric', message: /found `onnx_byte`/, suggestion: 'onnx_bytes' },
  { what: 'bounds that cross', from: '{ metric: accuracy, min: 0.4 }', to: '»{ metric: accuracy, min: 0.6, max: 0.4 }', path: 'models.genre.gates[0]', message: /nothing is at least `min` and at most `max`/ },
  { what: 'a confidence in percent', from: '{ metric: accuracy, min: 0.4 }', to: '{ metric: accuracy, min: 0.4, confidence: »95 }', path: 'models.genre.gates[0].confidence', message: /expected less than 1; found the number 95/ },
  { what: 'a misspelt confidence', from: '{ metric: accuracy, min: 0.4 }', to: '{ metric: accuracy, min: 0.4, »confidense: 0.95 }', path: 'models.genre.gates[0].confidense', message: /unknown key `confidense`/, suggestion: 'confidence' },
  { what: 'doubt without a confidence', from: '{ metric: accuracy, min: 0.4 }', to: '»{ metric: accuracy, min: 0.4, inDoubt: pass }', path: 'models.genre.gates[0]', message: /`inDoubt` needs `confidence`/ },
  { what: 'a wrong way to doubt', from: '{ metric: accuracy, min: 0.4 }', to: '{ metric: accuracy, min: 0.4, confidence: 0.9, inDoubt: »refused }', path: 'models.genre.gates[0].inDoubt', message: /found `refused`/, suggestion: 'refuse' },
  { what: 'a misspelt slice', from: '{ metric: accuracy, min: 0.4 }', to: '{ metric: accuracy, min: 0.4, slice: { »colum: source } }', path: 'models.genre.gates[0].slice.colum', message: /unknown key `colum`/, suggestion: 'column' },
  { what: 'a slice of two kinds', from: '{ metric: accuracy, min: 0.4 }', to: '{ metric: accuracy, min: 0.4, slice: »{ column: source, where: "true" } }', path: 'models.genre.gates[0].slice', message: /a slice needs either `column` or `where`/ },
  { what: 'a slice of no kind', from: '{ metric: accuracy, min: 0.4 }', to: '{ metric: accuracy, min: 0.4, slice: »{ minRows: 50 } }', path: 'models.genre.gates[0].slice', message: /a slice needs either `column` or `where`/ },
  { what: 'a name for the slices of a column', from: '{ metric: accuracy, min: 0.4 }', to: '{ metric: accuracy, min: 0.4, slice: »{ column: source, name: sources } }', path: 'models.genre.gates[0].slice', message: /`name` goes with `where`/ },
  { what: 'a slice of one row', from: '{ metric: accuracy, min: 0.4 }', to: '{ metric: accuracy, min: 0.4, slice: { column: source, minRows: »1 } }', path: 'models.genre.gates[0].slice.minRows', message: /expected at least 2/ },
  { what: 'a size by slice', from: '{ metric: accuracy, min: 0.4 }', to: '»{ metric: onnx_bytes, max: 9, slice: { column: source } }', path: 'models.genre.gates[0]', message: /size and time are not measured by slice/ },
  { what: 'a size against the baseline', from: '{ metric: accuracy, min: 0.4 }', to: '»{ metric: onnx_bytes, max: 9, against: baseline }', path: 'models.genre.gates[0]', message: /the baseline has no file/ },
  { what: 'a confidence in a latency', from: '{ metric: accuracy, min: 0.4 }', to: '»{ metric: latency_ms, max: 9, confidence: 0.9 }', path: 'models.genre.gates[0]', message: /there is no confidence to ask for/ },
  { what: 'a gain in coverage', from: 'compareWith: []', to: 'gates: [»{ metric: coverage, against: champion, min: 0 }]', path: 'chains.box-office.gates[0]', message: /more coverage is not a gain: compare `coverage_gap`/ },
  { what: 'an unknown limit of serving', from: 'compareWith: []', to: 'servable: { »memory: 500 }', path: 'chains.box-office.servable.memory', message: /unknown key `memory`/, suggestion: 'memoryMb' },
  { what: 'a least gain in percent', from: 'compareWith: []', to: 'worth: { minGain: »5 }', path: 'chains.box-office.worth.minGain', message: /expected less than 1; found the number 5/ },
  { what: 'a timeout without a unit', from: 'timeout: 2s', to: 'timeout: »2', path: 'chains.box-office.stages.market.timeout', message: /such as 500ms, 10s or 2m; found the number 2/ },
  { what: 'a wrong unit', from: 'timeout: 2s', to: 'timeout: »2 days', path: 'chains.box-office.stages.market.timeout', message: /such as 500ms, 10s or 2m; found `2 days`/ },
  { what: 'a fallback that is no fallback', from: 'fallback: baseline', to: 'fallback: »basline', path: 'chains.box-office.stages.market.fallback', message: /expected `baseline` or a mapping/ },
  { what: 'a fallback of two kinds', from: 'fallback: { model: one-big-network }', to: 'fallback: { model: one-big-network, »value: 3 }', path: 'chains.box-office.stages.gross.fallback.value', message: /`value` can't stand beside model/ },
  { what: 'a name with a capital', from: 'name: box-office', to: 'name: »Box Office', path: 'name', message: /can't be a name; expected up to 64 lower-case letters/, suggestion: 'box-office' },
  { what: 'a model\'s name with an underscore', from: '  one-big-network:', to: '  »one_big:', path: 'models.one_big', message: /`one_big` can't be a name/, suggestion: 'one-big' },
  { what: 'a role that is none', from: 'roles: [train]', to: 'roles: [»trian]', path: 'workers[1].roles[0]', message: /found `trian`/, suggestion: 'train' },
  { what: 'two workers of one name', from: '{ name: serve,', to: '{ name: »train,', path: 'workers[2].name', message: /two workers are called train/ },
  { what: 'a worker for a model that is none', from: 'roles: [train] }', to: 'roles: [train], models: [»gener] }', path: 'workers[1].models[0]', message: /there is no model `gener`/, suggestion: 'genre' },
  { what: 'workflows of some models', from: 'roles: [workflows] }', to: 'roles: [workflows], models: »[genre] }', path: 'workers[0].models', message: /workflows are of all models/ },
  { what: 'a worker with models and a queue', from: 'roles: [train] }', to: 'roles: [train], models: [genre], taskQueue: »mine }', path: 'workers[1].taskQueue', message: /polls the queues of these models/ },
  { what: 'a trainer without an activity', from: 'target: major_genre', to: 'target: major_genre\n    trainer: »{ taskQueue: python }', path: 'models.genre.trainer.activity', message: /`activity` is missing/ },
  { what: 'a trainer\'s time without a unit', from: 'target: major_genre', to: 'target: major_genre\n    trainer: { taskQueue: python, activity: train, timeout: »6 }', path: 'models.genre.trainer.timeout', message: /expected a number and its unit, such as 30s, 10m or 6h/ },
  // Sources
  { what: 'an unknown format', from: 'path: data/movies.json', to: 'path: »data/movies.xls', path: 'sources.films.path', message: /says no format.*Give `format`/s },
  { what: 'files of two formats', from: 'path: data/movies.json', to: 'path: »[a.json, b.csv]', path: 'sources.films.path', message: /differ in format; found json, csv/ },
  { what: 'a path that is an address', from: 'path: data/movies.json', to: 'path: »https://host/movies.json', path: 'sources.films.path', message: /is not on this machine/ },
  // How models fit together
  { what: 'an unknown source', from: 'source: films', to: 'source: »film', path: 'models.title-embedding.source', message: /there is no source `film`/, suggestion: 'films' },
  { what: 'an unknown model as an input', from: 'inputs: [title-embedding,', to: 'inputs: [»title-embeding,', path: 'models.genre.inputs[0]', message: /there is no model `title-embeding`.*write \{ column: title-embeding \}/s, suggestion: 'title-embedding' },
  { what: 'an unknown model, said to be one', from: 'genre.label,', to: '»{ model: gener },', path: 'models.gross.inputs[3]', message: /there is no model `gener`/, suggestion: 'genre' },
  { what: 'an unknown output', from: 'genre.label', to: '»genre.labels', path: 'models.gross.inputs[3]', message: /there is no output `labels` of the classification genre/, suggestion: 'label' },
  { what: 'an output of another task', from: 'genre.label', to: '»genre.vector', path: 'models.gross.inputs[3]', message: /expected label, probability or probabilities/ },
  { what: 'an input twice', from: 'genre.label', to: '»production_budget', path: 'models.gross.inputs[3]', message: /production_budget is an input twice/ },
  { what: 'the target as an input', from: 'genre.label', to: '»worldwide_gross', path: 'models.gross.inputs[3]', message: /is what gross predicts/ },
  { what: 'likeness as an input', from: '[{ column: title, type: text }]', to: '[»creative_type]', path: 'models.title-embedding.inputs[0]', message: /makes rows alike/ },
  { what: 'a model that reads itself', from: 'genre.label', to: '»gross', path: 'models.gross.inputs[3]', message: /can't be its own input.*\{ column: gross \}/s },
  { what: 'a cycle', from: '[{ column: title, type: text }]', to: '[title, »genre]', path: 'models.title-embedding.inputs[1]', message: /need each other: title-embedding <- genre <- title-embedding/ },
  { what: 'a forecast that reads a model', from: '    at: release_date', to: '    at: release_date\n    inputs: [»genre.label]', path: 'models.market.inputs[0]', message: /market is a forecast: it reads columns known ahead/ },
  { what: 'a forecast that feeds another source and says no period', from: '    at: release_date\n', to: '', path: 'models.market', message: /feeds gross, and does not say for which period; expected `at`, a column of films/ },
  { what: 'an input with the name of a forecast\'s own', from: '    at: release_date', to: '    at: release_date\n    inputs: [»history]', path: 'models.market.inputs[0]', message: /every forecast has/ },
  { what: 'models of two sources', from: 'source: films\n    target: major_genre', to: 'source: months\n    target: major_genre', path: 'models.genre.inputs[0]', message: /learns from films and genre from months/ },
  // Chains
  { what: 'an unknown stage', from: '      genre: {', to: '      »gener: {', path: 'chains.box-office.stages.gener', message: /there is no model `gener`/, suggestion: 'genre' },
  { what: 'an expression that does not parse', from: "'input.release_date != null'", to: "'input.release_date »!! null'", path: 'chains.box-office.stages.market.when', message: /not an expression: / },
  { what: 'an expression\'s unknown name', from: "'input.release_date != null'", to: "'input.release_date != »nothing'", path: 'chains.box-office.stages.market.when', message: /unknown variable: nothing/ },
  { what: 'an expression\'s unknown function', from: "'input.release_date != null'", to: "'1 < »maxx(2, 3)'", path: 'chains.box-office.stages.market.when', message: /no function `maxx`/, suggestion: 'max' },
  { what: 'an expression\'s unknown stage', from: 'low: stages.gross.low', to: 'low: »stages.gros.low', path: 'chains.box-office.output.low', message: /there is no stage `gros`/, suggestion: 'gross' },
  { what: 'an expression\'s unknown output', from: 'low: stages.gross.low', to: 'low: »stages.gross.lo', path: 'chains.box-office.output.low', message: /there is no output `lo` of the regression gross/, suggestion: 'low' },
  { what: 'a stage without its output', from: 'low: stages.gross.low', to: 'low: »stages.gross', path: 'chains.box-office.output.low', message: /must be followed by one of its outputs; expected value, low or high/ },
  { what: 'a stage that refers to itself', from: "'input.release_date != null'", to: "'»stages.market.value > 1'", path: 'chains.box-office.stages.market.when', message: /can't refer to its own outputs/ },
  { what: 'stages that wait for each other', from: "market: { when: 'input.release_date != null'", to: "market: { when: 'stages.gross.value > 1'", path: 'chains.box-office.stages.market', message: /wait for each other: market <- gross <- market/ },
  { what: 'a column that the stage does not read', from: 'with: { running_time:', to: 'with: { »runing_time:', path: 'chains.box-office.stages.gross.with.runing_time', message: /there is no column `runing_time` read by gross/, suggestion: 'running_time' },
  { what: 'a fallback\'s unknown output', from: '{ probability: 0, p', to: '{ »probabilty: 0, p', path: 'chains.box-office.stages.genre.fallback.value.probabilty', message: /there is no output `probabilty`/, suggestion: 'probability' },
  { what: 'a fallback\'s wrong type', from: '{ probability: 0, p', to: '{ probability: »high, p', path: 'chains.box-office.stages.genre.fallback.value.probability', message: /is a number/ },
  { what: 'a fallback without its main output', from: '{ probability: 0, probabilities: [0, 0, 0] }', to: '{ probability: 0 }', path: 'chains.box-office.stages.genre.fallback.value', message: /lacks its main output; expected `probabilities` or `label`/ },
  { what: 'a fallback of another task', from: '{ model: one-big-network }', to: '{ model: »genre }', path: 'chains.box-office.stages.gross.fallback.model', message: /genre is a classification, and gross a regression/ },
  { what: 'a fallback that is no model', from: '{ model: one-big-network }', to: '{ model: »one-big-netwrk }', path: 'chains.box-office.stages.gross.fallback.model', message: /there is no model/, suggestion: 'one-big-network' },
  { what: 'a fallback that is the stage', from: '{ model: one-big-network }', to: '{ model: »gross }', path: 'chains.box-office.stages.gross.fallback.model', message: /can't be its own fallback/ },
  { what: 'an unknown output of the chain', from: '    output:\n      value: stages.gross.value * 1.02\n      low: stages.gross.low\n      high: stages.gross.high\n', to: '    output: »gros\n', path: 'chains.box-office.output', message: /there is no model `gros`/, suggestion: 'gross' },
  { what: 'an output that lacks the value', from: 'value: stages.gross.value * 1.02', to: 'guess: stages.gross.value', path: 'chains.box-office.output', message: /not clear which stage/ },
  { what: 'an output of two stages', from: 'stages.gross.value * 1.02', to: 'stages.gross.value * stages.market.value', path: 'chains.box-office.output', message: /not clear which stage.*Name that stage with `predicts`/s },
  { what: 'a chain\'s gate of another task', from: 'compareWith: []', to: 'gates: [{ metric: »accuracy, min: 0.5 }]', path: 'chains.box-office.gates[0].metric', message: /there is no metric `accuracy` of a regression/ },
  { what: 'a comparison with no model', from: 'compareWith: []', to: 'compareWith: [»one-big]', path: 'chains.box-office.compareWith[0]', message: /there is no model `one-big`/ },
  { what: 'a comparison with a stage', from: 'compareWith: []', to: 'compareWith: [»genre]', path: 'chains.box-office.compareWith[0]', message: /is a stage of the chain already/ },
];

describe('a mistake is told with its place, its path and what was meant:', () => {
  test.each(CASES)('$what', ({ from, to, path, message, suggestion }) => {
    const found = problems(edited(from, to.replace('»', '')));
    const problem = found.find((candidate) => candidate.path === path);
    expect(problem ?? found.map((other) => other.path)).toMatchObject({ path, file: 'temporal.yaml' });
    if (to.includes('»')) expect({ line: problem!.line, column: problem!.column }).toEqual(place(edited(from, to)));
    if (suggestion) expect(problem!.suggestion).toBe(suggestion);
    const text = failure(edited(from, to.replace('»', ''))).message;
    const own = text.split('\n\n').find((part) => part.includes(` ${path}: `) && message.test(part));
    expect(own ?? text).toMatch(message);
    expect(own).toMatch(new RegExp(`^temporal\\.yaml:${problem!.line}:${problem!.column} `));
  });

  test.each(CASES)('nothing else is said of $what', ({ from, to }) => {
    expect(problems(edited(from, to.replace('»', ''))).length).toBeLessThanOrEqual(3);
  });
});

test('the line is shown with a caret under the mistake', () => {
  expect(failure(edited('frequency: month', 'frequency: monthly')).message).toBe(`1 mistake in temporal.yaml:

temporal.yaml:42:16 models.market.frequency: not a value it can have; expected hour, day, week, month, quarter or year; found \`monthly\`
   42 |     frequency: monthly
      |                ^^^^^^^
  did you mean \`month\`?`);
});

test('all mistakes are told at once, in the order of the file, those of form and those of sense', () => {
  const text = films.replace('task: embedding', 'task: embeding').replace('horizon: 6', 'horizon: six').replace('roles: [train]', 'roles: [trian]')
    .replace('inputs: [{ column: title, type: text }, p', 'inputs: [{ column: title, type: text }, { model: grosss }, p');
  expect(problems(text).map(({ path }) => path)).toEqual(['workers[1].roles[0]', 'models.title-embedding.task', 'models.market.horizon', 'models.one-big-network.inputs[1]']);
});

test('what is wrong in one model is no mistake of those that read it', () => {
  expect(problems(edited('alike: [major_genre, creative_type, source]', 'alike: 3')).map(({ path }) => path)).toEqual(['models.title-embedding.alike']);
});

describe('YAML mistakes', () => {
  test.each([
    ['a key twice', 'name: a\nsources: {}\nname: b\nmodels: {}', 3, 1, /keys must be unique/],
    ['a tab', 'name: a\nsources:\n\tb: 1', 3, 1, /tabs are not allowed/],
    ['a bracket left open', 'name: a\nmodels: { b: [1, 2', 2, 19, /./],
    ['an alias of nothing', 'name: a\nsources: *gone\nmodels: {}', 2, 10, /nothing is anchored as `&gone`/],
    ['an unknown tag', 'name: !secret a\nsources: {}\nmodels: {}', 1, 7, /secret/],
    ['a second document', 'name: a\n---\nname: b', 2, 1, /second document/],
    ['an alias inside its anchor', 'name: a\nsources: &s [*s]\nmodels: {}', 2, 14, /inside its own anchor/],
    ['aliases of aliases without end', `a: &a [1]\n${[...'bcdefgh'].map((k, i) => `${k}: &${k} [${Array(9).fill(`*${'abcdefg'[i]}`).join(', ')}]`).join('\n')}`, 1, 1, /alias count/],
  ])('%s', (_, text, line, column, message) => {
    const problem = problems(text).find((candidate) => candidate.line === line && candidate.column === column);
    expect(problem?.message ?? problems(text)).toMatch(message);
  });

  test.each([['nothing', ''], ['a list', '- a'], ['text', 'hello'], ['a comment', '# only']])('a document that is %s', (_, text) => {
    expect(problems(text)[0]!.message).toBe('wrong type');
  });

  test('long lines are cut around the mistake', () => {
    const lines = failure(`name: a\nsources: {}\nmodels: { ${'a: 1, '.repeat(1)}${Array.from({ length: 60 }, (_, i) => `m${i}: 1`).join(', ')} }`).message.split('\n');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(140);
  });
});

describe('a file', () => {
  test('that is not there', async () => {
    await expect(loadProject('/nowhere/temporal.yaml', {})).rejects.toMatchObject({ code: 'CONFIG', message: expect.stringContaining('There is no file /nowhere/temporal.yaml') });
  });
  test('that is a folder', async () => {
    await expect(loadProject(__dirname, {})).rejects.toMatchObject({ code: 'CONFIG', message: expect.stringContaining("Can't read") });
  });
});
