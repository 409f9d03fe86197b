import { readFileSync } from 'node:fs';
import path from 'node:path';
import { writeRows } from '../../src/data/rows';
import type { ImportedFile, Manifest, Snapshot } from '../../src/domain/version';
import type { Graph } from '../../src/learn/onnx/graph';
import { errorOf, usePlace } from '../data/support';
import { regression } from '../domain/specs';
import { flats } from '../support/smallProject';
import { bench, column, onnx } from './support';

const place = usePlace();
let snapshot: Snapshot;
beforeAll(async () => { snapshot = await place.ingest({ name: 'flats', paths: [await place.write('flats.csv', flats(300))], key: ['id'] }); });

const RENT = regression({ name: 'rent', target: 'rent', source: 'flats', inputs: [column('size')] });
const file = (more: (graph: Graph, value: string) => void = () => undefined) => onnx([['size', 'float32', ['N', 1]]], (graph) => {
  const value = graph.node('Mul', ['size', graph.float32([25], [])]);
  more(graph, value);
  graph.output('value', 'float32', ['N', 1], value);
});
const withInterval = () => file((graph, value) => {
  graph.output('low', 'float32', ['N', 1], graph.node('Mul', [value, graph.float32([0.8], [])]));
  graph.output('high', 'float32', ['N', 1], graph.node('Mul', [value, graph.float32([1.2], [])]));
});
const offer = async (bytes: Uint8Array, more: Partial<ImportedFile> = {}): Promise<ImportedFile> => ({ name: 'rent.onnx', onnx: await place.store.put(bytes, 'onnx'), ...more });

it('a file that says all by itself becomes a version, as it is but for nothing, once', async () => {
  const model = bench(place.store, RENT, snapshot);
  const made = await model.import(await offer(withInterval()));
  expect(made.summary.maker).toEqual({ kind: 'file', name: 'rent.onnx' });
  const manifest = await place.store.readJson<Manifest>(made.version.manifest);
  expect(manifest.baseline.value).toBeGreaterThan(1_000);
  expect(await model.import(await offer(withInterval()))).toEqual({ ...made, summary: { ...made.summary, reused: true } });
});

it('what other models learn from must be cross-fitted, or come from a file that was not trained on these rows', async () => {
  const model = bench(place.store, RENT, snapshot);
  const error = await errorOf(model.import(await offer(withInterval()), true));
  expect(error).toMatchObject({ code: 'TRAINER_CONTRACT', message: expect.stringMatching(/^rent\.onnx can't be a version of rent: there are no cross-fitted outputs, and other models learn from its outputs/) as string });
  expect((await model.import(await offer(withInterval(), { unseen: true }), true)).summary.reused).toBe(false);
});

it('an interval is added from cross-fitted outputs, or from the answers of a file that was not trained on these rows', async () => {
  const model = bench(place.store, RENT, snapshot);
  expect((await errorOf(model.import(await offer(file())))).message).toMatch(/its ONNX file gives no low and high/);
  const unseen = await model.import(await offer(file(), { unseen: true }));
  const { rows } = await bench(place.store, { ...RENT, name: 'rent' }, snapshot).input();
  const parquet = path.join(place.folder, 'outputs.parquet');
  await writeRows(parquet, rows.map((row) => ({ __key: row.__key, value: 25 * (row.size as number) + row.__fold })));
  const fitted = await model.import(await offer(file(), { outputs: await place.store.put(readFileSync(parquet), 'parquet') }), true);
  expect(fitted.version.id).not.toBe(unseen.version.id);
  const asked = { rows: 1, columns: { size: { type: 'number' as const, values: Float64Array.of(100) } } };
  for (const { version } of [unseen, fitted]) {
    const { columns: { value, low, high } } = await model.models.run(version, asked);
    expect(value!.values[0]).toBe(2500);
    expect(low!.values[0]).toBeLessThan(2500);
    expect(high!.values[0]).toBeGreaterThan(2500);
  }
});
