import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { readOutcomes } from '../../src/data/outcomes';
import { writeRows } from '../../src/data/rows';
import { shoal } from '../support/cli';
import { TestProject } from '../support/project';
import { TestServer } from '../support/server';
import { errorOf } from '../data/support';

jest.setTimeout(120_000);

let server: TestServer;
let project: TestProject;
beforeAll(async () => {
  server = await TestServer.start({ namespaces: 5 });
});
beforeEach(async () => {
  // Outcomes go to the store, past all workers.
  project = await TestProject.open(server, { workers: [] });
});
afterEach(() => project?.close());
afterAll(() => server?.stop());

const command = (args: string[], input?: string) => shoal(['--project', project.files.file, ...args], { input, env: { TEMPORAL_ADDRESS: server.address } });
const known = async () => Object.fromEntries([...(await readOutcomes(project.store, { chain: 'flats' })).values()].map(({ key, value }) => [key, value]));
const file = (name: string, text: string): string => {
  const at = path.join(project.files.folder, name);
  writeFileSync(at, text);
  return at;
};

it('programs record rows, and files of every format', async () => {
  expect(await project.shoal.recordOutcomes('flats', [{ key: '1', value: 1500 }, { id: 2, rent: 1600.5, city: 'Bern' }])).toEqual({ recorded: 2 });
  await project.shoal.recordOutcomes('flats', file('rents.csv', 'id,city,rent\n3,Zug,1700\n4,Bern,1800\n'));
  await project.shoal.recordOutcomes('flats', file('rents.jsonl', '{"key": "5", "value": 1900, "at": "2026-01-01"}\n'));
  const parquet = path.join(project.files.folder, 'rents.parquet');
  await writeRows(parquet, [{ id: 6, rent: 2000 }, { id: 1, rent: 1550 }]);
  await project.shoal.recordOutcomes('flats', parquet);
  await project.shoal.recordOutcomes('flats', parquet);
  expect(await known()).toEqual({ 1: 1550, 2: 1600.5, 3: 1700, 4: 1800, 5: 1900, 6: 2000 });
});

it('a row that is wrong is named, and nothing is recorded', async () => {
  const fail = (outcomes: string | Record<string, unknown>[], chain = 'flats') => errorOf(project.shoal.recordOutcomes(chain, outcomes));
  expect(await fail([{ id: 1, rent: 1500 }, { id: 2, rent: NaN }])).toMatchObject({ code: 'OUTCOME_ROW', details: { row: 1 }, message: expect.stringMatching(/Row 1 .*NaN/) });
  expect(await fail(file('bad.csv', 'id,rent\n1,1500\n2,\n'))).toMatchObject({ code: 'OUTCOME_ROW', message: expect.stringMatching(/Row 1 .*no value.*rent or value/) });
  expect(await fail(file('other.csv', 'flat,rent\n1,1500\n'))).toMatchObject({ code: 'OUTCOME_ROW', message: expect.stringMatching(/Row 0 .*no key.*id or key/) });
  expect(await fail(path.join(project.files.folder, 'none.csv'))).toMatchObject({ code: 'SOURCE_MISSING' });
  expect(await fail([], 'flats')).toMatchObject({ code: 'REQUEST_EMPTY' });
  expect(await fail([{ id: 1, rent: 1 }], 'flat')).toMatchObject({ code: 'UNKNOWN_CHAIN', message: expect.stringMatching(/Did you mean "flats"/) });
  expect(await known()).toEqual({});
});

it('`shoal outcomes` records a file, or what it is sent', async () => {
  const named = await command(['outcomes', 'flats', '--input', file('rents.csv', 'id,rent\n1,1500\n2,1600\n')]);
  expect(named).toMatchObject({ status: 0, stdout: 'Recorded 2 outcomes of chain flats.\n' });
  const sent = await command(['--json', 'outcomes', 'flats'], '{"key": "3", "value": 1700}\n');
  expect(sent.json()).toEqual({ chain: 'flats', recorded: 1 });
  const wrong = await command(['--json', 'outcomes', 'flats'], '[{"key": "4", "value": 1800}, {"key": "5", "value": "dear"}]');
  expect(wrong.status).toBe(1);
  expect(wrong.json().error).toMatchObject({ code: 'OUTCOME_ROW', message: expect.stringMatching(/Row 1 .*"dear"/), details: { row: 1 } });
  expect(await known()).toEqual({ 1: 1500, 2: 1600, 3: 1700 });
});
