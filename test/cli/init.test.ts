import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseProject } from '../../src/config';
import type { Proposal } from '../../src/domain/proposal';
import { shoal, type Refusal } from '../support/cli';
import { Postgres } from '../support/postgres';
import { flats } from '../support/smallProject';

jest.setTimeout(60_000);

const data = (file: string) => path.resolve(__dirname, '../../node_modules/vega-datasets/data', file);

let folder: string;
beforeEach(() => { folder = mkdtempSync(path.join(os.tmpdir(), 'shoal-init-')); });
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const written = () => path.join(folder, 'temporal.yaml');
const init = (...args: string[]) => shoal(['init', ...args], { cwd: folder });

async function proposed(...args: string[]): Promise<Proposal> {
  const { status, stderr, json } = await init(...args, '--json');
  expect([status, stderr]).toEqual([0, '']);
  return json<Proposal>();
}
const inputs = ({ columns }: Proposal) => columns.filter(({ role }) => role === 'input').map(({ column }) => column);
const role = ({ columns }: Proposal, name: string) => columns.find(({ column }) => column === name);

it.each<[file: string, task: string, target: string, scale: string]>([
  ['movies.json', 'regression', 'Worldwide Gross', 'linear'],
  ['cars.json', 'regression', 'Miles_per_Gallon', 'linear'],
  ['penguins.json', 'classification', 'Species', 'linear'],
  ['stocks.csv', 'regression', 'price', 'log10'],
  ['birdstrikes.csv', 'classification', 'Effect Amount of damage', 'linear'],
])('proposes for %s a %s of %s, and writes a project that is as it should be', async (file, task, target, scale) => {
  const { decision } = await proposed(data(file));
  expect(decision).toMatchObject({ task, target, scale });
  const project = parseProject(readFileSync(written(), 'utf8'), { file: written(), env: {} });
  expect(Object.values(project.chains)).toHaveLength(1);
  expect(Object.values(project.models).map((model) => model.task)).toContain(task);
  expect(await shoal(['check'], { cwd: folder })).toMatchObject({ status: 0 });
});

it('leaves out what is known only later or copies the target, and says why of every column', async () => {
  const films = await proposed(data('movies.json'));
  expect(inputs(films)).toContain('Production Budget');
  for (const later of ['US Gross', 'IMDB Rating', 'IMDB Votes']) expect(inputs(films)).not.toContain(later);
  for (const { reason } of films.columns) expect(reason).not.toBe('');

  const rows = Array.from({ length: 200 }, (_, i) => ({ size: i % 37, twice: 2 * ((i * 7) % 53), rent: (i * 7) % 53 }));
  writeFileSync(path.join(folder, 'flats.json'), JSON.stringify(rows));
  const flats = await proposed('flats.json', '--target', 'rent', '--project', 'flats.yaml');
  expect(role(flats, 'twice')).toMatchObject({ role: 'left out', reason: expect.stringMatching(/nearly says the target|copy/) });
  expect(inputs(flats)).toEqual(['size']);
});

it('puts a classifier of what text can tell before the model that needs it', async () => {
  const films = await proposed(data('movies.json'));
  expect(films.feeding).toMatchObject({ target: 'Major Genre' });
});

it('proposes a forecast, with its frequency and series, where one is asked for', async () => {
  const { decision, forecast } = await proposed(data('stocks.csv'), '--task', 'forecast', '--target', 'price');
  expect(decision.task).toBe('forecast');
  expect(forecast).toMatchObject({ time: 'date', frequency: 'month', series: 'symbol' });
});

it('says what it found in 80 columns, and what to do next', async () => {
  const { status, stdout } = await init(data('penguins.json'), '--yes');
  expect(status).toBe(0);
  expect(stdout).toMatch(/Wrote temporal\.yaml\. Next: shoal check, then shoal up\./);
  expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
});

it('overwrites nothing', async () => {
  writeFileSync(written(), 'name: mine\n');
  expect(await init(data('penguins.json'), '--yes')).toMatchObject({ status: 1, stderr: expect.stringMatching(/is there already/) });
  expect(readFileSync(written(), 'utf8')).toBe('name: mine\n');
});

it.each<[what: string, args: string[], code: string, words: RegExp]>([
  ['too few rows', [data('anscombe.json')], 'CONFIG', /No column can be predicted.*44 rows/],
  ['a file that is not there', ['nowhere.csv'], 'SOURCE_MISSING', /nowhere\.csv/],
  ['a column that is not there', [data('penguins.json'), '--target', 'Specie'], 'COLUMN_MISSING', /Did you mean "Species"/],
  ['words that are to be a quantity', [data('penguins.json'), '--target', 'Species', '--task', 'regression'], 'CONFIG', /holds no numbers/],
])('refuses %s in words, and writes nothing', async (_, args, code, words) => {
  const { status, json } = await init(...args, '--json');
  expect([status, json<Refusal>().error]).toEqual([1, expect.objectContaining({ code, message: expect.stringMatching(words) })]);
  expect(existsSync(written())).toBe(false);
});

it('proposes for a table of a database what it proposes for a file of the same rows', async () => {
  const postgres = await Postgres.start();
  try {
    const lines = flats(200).trimEnd().split('\n').slice(1).map((line) => `(${line.split(',').map((value) => `'${value}'`).join(', ')})`);
    await postgres.sql(`CREATE TABLE "Flats" (id int, size int, city text, built date, note text, condition text, rent int); INSERT INTO "Flats" VALUES ${lines.join(', ')}; GRANT SELECT ON "Flats" TO reader`);
    writeFileSync(path.join(folder, 'flats.csv'), flats(200));
    const fromFile = await proposed('flats.csv', '--project', 'file.yaml');
    const env = { WAREHOUSE: postgres.address };
    const { status, stderr, json } = await shoal(['init', '--postgres', 'WAREHOUSE', '--table', 'public.Flats', '--json'], { cwd: folder, env });
    expect([status, stderr]).toEqual([0, '']);
    const { place, text, ...fromTable } = json<Proposal & { text: string }>();
    expect(place).toEqual({ postgres: 'WAREHOUSE', table: 'public.Flats' });
    expect(fromTable).toEqual({ ...fromFile, file: written(), place: undefined, text: undefined });
    expect(text).toContain('    postgres: WAREHOUSE   # the environment variable with the database\'s address\n    table: public.Flats\n    key: id');
    expect(await shoal(['check'], { cwd: folder })).toMatchObject({ status: 0 });

    expect(await shoal(['init', '--postgres', 'WAREHOUSE', '--table', 'flats', '-p', 'other.yaml'], { cwd: folder, env })).toMatchObject({ status: 1, stderr: expect.stringContaining('Did you mean public.Flats?') });
  } finally {
    await postgres.stop();
  }
});

it.each([
  [[], 'It is not said where the rows are.'],
  [['flats.csv', '--postgres', 'WAREHOUSE', '--table', 'flats'], 'Both files and a table are named.'],
  [['--postgres', 'WAREHOUSE'], '--table is missing.'],
  [['--table', 'flats'], '--postgres is missing.'],
  [['--postgres', 'postgresql://shop:hunter2@host/shop', '--table', 'flats'], '--postgres wants the name of an environment variable, not an address.'],
])('init %j is told what is missing', async (args, message) => {
  const { status, stderr } = await init(...args);
  expect([status, stderr]).toEqual([1, expect.stringContaining(message)]);
  expect(stderr).not.toContain('hunter2');
});
