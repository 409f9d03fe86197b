import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { DataReport } from '../../src/data/checkData';
import type { RuleSet } from '../../src/domain/dataRules';
import type { ArtifactRef } from '../../src/domain/version';
import { lifecycleWorkflowId } from '../../src/workflows/messages';
import { TestProject } from '../support/project';
import { TestServer } from '../support/server';
import { flats, training } from '../support/smallProject';

jest.setTimeout(180_000);

const EASY = 'gates: [{ metric: rmse, against: baseline, min: 0 }]';
const MODELS = `
models:
  rent: { task: regression, source: flats, target: rent, inputs: [size, city, built], ${EASY}, ${training(12)} }
chains:
  flats: { output: rent, ${EASY} }
`;

type Change = (cells: string[], row: number) => void;
/** Columns: id, size, city, built, note, condition, rent. */
const altered = (change: Change, rows = 600): string => {
  const [head, ...lines] = flats(rows).trim().split('\n');
  return [head, ...lines.map((line, i) => { const cells = line.split(','); change(cells, i); return cells.join(','); })].join('\n');
};

let server: TestServer;
let project: TestProject;
let rules: ArtifactRef;
beforeAll(async () => {
  server = await TestServer.start();
  project = await TestProject.open(server, { models: MODELS });
});
afterAll(async () => {
  await project?.close();
  await server?.stop();
});

const source = () => path.join(project.files.folder, 'flats.csv');
const run = async (text: string) => {
  writeFileSync(source(), text);
  await project.train();
  return project.lastRun('rent');
};
const validated = async (n: number) => (await project.shoal.lifecycle(lifecycleWorkflowId('rent', n)))!.steps.find((step) => step.name === 'validate')!;

it('keeps the rules that the first snapshot that led to a version gave', async () => {
  const first = await run(flats(600));
  expect(first).toMatchObject({ run: 1, status: 'made', made: { rules: { sha256: expect.any(String) } } });
  rules = first.made!.rules!;
  const set = await project.store.readJson<RuleSet>(rules);
  expect(set.rows).toBe(600);
  expect(set.rules).toContainEqual({ check: 'values', column: 'city', values: ['Bern', 'Genf', 'Zug'], level: 'warn' });
  expect(await validated(1)).toMatchObject({ status: 'done', note: '600 usable rows', warnings: [] });
});

it.each<[what: string, rule: string, words: RegExp, change: Change]>([
  ['with sizes a thousand times as large', 'range', /\[inferred: range\] size is not .* in 120 of 600 rows \(5% may be\)/, (cells, i) => { if (i >= 480) cells[1] = String(Number(cells[1]) * 1000); }],
  ['with most cities gone', 'missing', /\[inferred: missing\] city is missing in 450 of 600 rows; at most 50% may be/, (cells, i) => { if (i % 4) cells[2] = ''; }],
  ['flooded with a city', 'values', /\[inferred: values\] city has values that are not allowed in 300 of 600 rows \(20% may be\): "Atlantis"/, (cells, i) => { if (i % 2) cells[2] = 'Atlantis'; }],
])('refuses a batch %s, says why, and changes nothing', async (_, rule, words, change) => {
  const before = await project.state();
  const { run: number, status, reason, made } = await run(altered(change));
  expect([status, made]).toEqual(['failed', undefined]);
  expect(reason).toMatch(/^Model rent: the 600 rows of source flats are refused by a rule\. /);
  expect(reason).toMatch(words);
  expect(reason).toMatch(/Put the data right and run again\. .*`sources\.flats\.rules`.*`models\.rent\.checks`\.$/);
  expect(await project.state()).toEqual(before);

  const { events } = await project.history(lifecycleWorkflowId('rent', number));
  const failure = events!.flatMap((e) => e.activityTaskFailedEventAttributes ?? [])[0]!.failure!;
  expect(failure.applicationFailureInfo).toMatchObject({ type: 'DATA_REFUSED', nonRetryable: true });
  const [details] = failure.applicationFailureInfo!.details!.payloads!.map((p) => JSON.parse(Buffer.from(p.data!).toString()) as { report: ArtifactRef });
  expect((await project.store.readJson<DataReport>(details!.report)).findings[0]).toMatchObject({ rule, level: 'block', origin: 'inferred' });
});

it('refuses a renamed column as before', async () => {
  expect(await run(flats(600).replace('id,size,', 'id,area,'))).toMatchObject({ status: 'failed', reason: expect.stringContaining('the input column \'size\' is not in source flats') });
});

it('goes on with a warning, and shows it', async () => {
  const { status, run: number, made } = await run(altered((cells, i) => { if (i === 5) cells[2] = 'Chur'; }));
  expect(status).toBe('made');
  expect(made!.rules).toEqual(rules);
  const step = await validated(number);
  expect(step.note).toBe('600 usable rows; 1 warning: values of city');
  expect(step.warnings).toEqual(['values (inferred): city has values that are not allowed in 1 of 600 rows: "Chur".']);
  const { currentDetails } = await project.shoal.temporal.workflow.getHandle(lifecycleWorkflowId('rent', number)).query('__temporal_workflow_metadata') as { currentDetails: string };
  expect(currentDetails).toContain('- values (inferred): city has values');
});

it('refuses what a declared rule says, and reads and trains nothing anew for the rule alone', async () => {
  const text = readFileSync(source(), 'utf8');
  const latest = (await project.model('rent')).latest!.version.id;
  await project.edit(['key: id }', 'key: id, rules: [{ column: built, max: 2009-12-31 }] }']);
  expect(await run(text)).toMatchObject({ status: 'failed', reason: expect.stringMatching(/\[declared: range\] built is not at most 2009-12-31 in \d+ of 600 rows; it goes from 1950-06-01 to 2019-06-01\./) });
  await project.edit(['max: 2009-12-31 }', 'max: 2009-12-31, level: warn }'], ['inputs: [size, city, built]', 'checks: { inferred: warn }, inputs: [size, city, built]']);
  const { status, made } = await run(text);
  expect([status, made!.version.id, made!.training.reused]).toEqual(['unchanged', latest, true]);
});

it('lets through what is right after all, where inferred rules may only warn', async () => {
  const { status, run: number } = await run(altered((cells, i) => { if (i % 2) cells[2] = 'Atlantis'; }));
  expect(status).toBe('made');
  expect((await validated(number)).warnings).toContainEqual(expect.stringContaining('values (inferred): city has values that are not allowed in 300 of 600 rows'));
});
