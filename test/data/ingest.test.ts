import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ingestSource } from '../../src/data/ingest';
import type { Profile } from '../../src/data/profile';
import type { SourceSpec } from '../../src/domain/spec';
import { openStore } from '../../src/store/fileStore';
import type { Store } from '../../src/store/store';

const VEGA = join(__dirname, '../../node_modules/vega-datasets/data');

let folder: string;
let store: Store;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shoal-ingest-'));
  store = await openStore({ path: join(folder, 'store') });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const ingest = (source: Partial<SourceSpec>) => ingestSource({ name: 's', paths: [], format: 'csv', key: [], ...source }, { store });
const profileOf = async (snapshot: Awaited<ReturnType<typeof ingest>>) => store.readJson<Profile>(snapshot.profile);

test('films, dirty as they are', async () => {
  const snapshot = await ingest({ name: 'films', format: 'json', paths: [join(VEGA, 'movies.json')] });
  console.log(snapshot.columns);
  console.log(JSON.stringify(await profileOf(snapshot), null, 1).slice(0, 9000));
});
test('others', async () => {
  for (const [f, format] of [['birdstrikes.csv', 'csv'], ['seattle-weather.csv','csv'], ['us-employment.csv','csv'], ['flights-3m.parquet', 'parquet']] as const) {
    const t = Date.now();
    const snapshot = await ingest({ name: f, format, paths: [join(VEGA, f)] });
    console.log(f, Date.now() - t, 'ms', snapshot.rows, snapshot.columns.map((c) => `${c.name}:${c.type}:${c.missing}:${c.distinct}`).join(', '), (await profileOf(snapshot)).duplicateRows);
  }
});
