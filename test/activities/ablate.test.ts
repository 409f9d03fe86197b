import type { Ablation, Component } from '../../src/domain/version';
import { flats, training } from '../support/smallProject';
import { run, trainProject, type Trained } from './fixtures';

jest.setTimeout(180_000);

/** The flats, and a coin that has nothing to do with their rents. */
const withCoins = (csv: string): string => csv.trimEnd().split('\n').map((line, i) => {
  if (i === 0) return `${line},coin,weather`;
  const bits = Math.imul(i, 0x9e3779b1) >>> 0;
  return `${line},${bits & 0x10000 ? 'heads' : 'tails'},${(bits >>> 8) % 97}`;
}).join('\n');

const MODELS = `
models:
  condition: { task: classification, source: flats, target: condition, inputs: [{ column: note, type: text }], ${training(40)} }
  luck: { task: classification, source: flats, target: coin, inputs: [weather], ${training(5)} }
  rent: { task: regression, source: flats, target: rent, inputs: [size, city, built, condition, luck], ${training(80)} }
  bystander: { task: classification, source: flats, target: condition, inputs: [city], ${training(5)} }
chains:
  flats:
    output: rent
    stages: { bystander: {} }
  answers-late:
    output: rent
    stages: { condition: { when: 'input.size > 1000000' } }
  twice:
    output: { value: 'stages.rent.value + 0.0 * (stages.bystander.probability > 0.5 ? 1.0 : 0.0)' }
    predicts: rent
    worth: { minGain: 0.9 }
`;

let project: Trained;
let ablation: Ablation;
const component = (model: string, of = ablation): Component => of.components.find((c) => c.model === model)!;
beforeAll(async () => {
  project = await trainProject({ models: MODELS, rows: 1_200, files: { 'flats.csv': withCoins(flats(1_200)) } });
  const costs = Object.fromEntries(Object.entries(project.versions).map(([name, { summary }]) => [name, { seconds: summary.seconds }]));
  ablation = await run(project.activities().ablate, { release: project.release(), costs });
});
afterAll(() => project?.remove());

it('names the model that adds nothing, and not the one that matters', () => {
  expect(component('condition')).toMatchObject({ worth: true, reason: expect.stringMatching(/^condition is worth its cost: rmse is [\d.]+ with it and [\d.]+ without: a gain of [\d.]+ \[[\d.]+, [\d.]+\] on \d+ rows, [\d.]+%, for [\d.]+ s of training, \d+ kB, [\d.e-]+ ms a row/) });
  expect(component('luck').worth).toBe(false);
  expect(component('luck').reason).toMatch(/^luck adds (nothing|less than the 0\.5% asked for|no more than chance may explain): /);
  expect(ablation.notWorth.sort()).toEqual(['bystander', 'luck']);
  expect(ablation.reason).toMatch(/^Not worth their cost: .*(luck adds .*; bystander adds nothing|bystander adds nothing.*; luck adds )/);
});

it('says of a model that nothing reads that the chain is the same without it', () => {
  expect(component('bystander')).toMatchObject({ gain: { value: 0, low: 0, high: 0 }, without: ablation.value });
});

it('compares the whole chain with the baseline at its output stage', async () => {
  const { metrics, rows } = await run(project.activities().evaluateRelease, { candidate: project.release() });
  expect(ablation).toMatchObject({ metric: 'rmse', value: metrics[0]!.value, rows });
  expect(component('rent')).toMatchObject({ worth: true, without: metrics[0]!.baseline!.value, gain: { value: metrics[0]!.baseline!.gain.value } });
});

it('tells what each costs', async () => {
  for (const { model, cost } of ablation.components) {
    expect(cost.trainSeconds).toBe(project.versions[model]!.summary.seconds);
    expect(cost.onnxBytes).toBe(project.versions[model]!.summary.onnxBytes);
    expect(cost.rowMs).toBeGreaterThan(0);
    expect(cost.rowMs).toBeLessThan(50);
    expect(cost.thousandRowsMs).toBeGreaterThan(0);
  }
});

it('takes a model away only where the chain would have asked it', async () => {
  const late = await run(project.activities().ablate, { release: project.release(1, {}, 'answers-late') });
  // The condition is never true, so that the model is never asked: a skipped stage is missing with it and without.
  expect(component('condition', late)).toMatchObject({ gain: { value: 0 }, worth: false });
});

it('asks for as much as the project says, and hears of models that only the output mentions', async () => {
  const strict = await run(project.activities().ablate, { release: project.release(1, {}, 'twice') });
  expect(strict.minGain).toBe(0.9);
  expect(strict.notWorth).toContain('condition');
  expect(component('condition', strict).reason).toMatch(/^condition adds less than the 90% asked for/);
  expect(component('bystander', strict).gain.value).toBeCloseTo(0, 6);
});

it('is plain JSON', () => {
  expect(JSON.parse(JSON.stringify(ablation))).toEqual(ablation);
});
