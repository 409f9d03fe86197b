import { readdir, chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { periodStart } from '../../src/domain/calendar';
import type { Table } from '../../src/domain/table';
import type { VersionRef } from '../../src/domain/version';
import { Models } from '../../src/serve/models';
import type { Store } from '../../src/store/store';
import { FIRST_MONTH, marketValue, MONTHS, putForecast, putVersion, sum, temporaryStore } from './fixtures';

const x = (...values: number[]): Table => ({ rows: values.length, columns: { x: { type: 'number', values: Float64Array.from(values) } } });

let place: Awaited<ReturnType<typeof temporaryStore>>;
beforeAll(async () => { place = await temporaryStore(); });
afterAll(() => place.remove());

/** The store, counting the files it is asked for. */
function counting(store: Store): { store: Store; asked: string[] } {
  const asked: string[] = [];
  const localFile: Store['localFile'] = (ref) => {
    asked.push(ref.uri);
    return store.localFile(ref);
  };
  const get = (target: Store, name: string | symbol): unknown =>
    (name === 'localFile' ? localFile : (Reflect.get(target, name) as () => void).bind(target));
  return { asked, store: new Proxy(store, { get }) };
}

describe('models', () => {
  it('load a version once, however many ask for it at the same time', async () => {
    const ref = await putVersion(place.store, sum('doubled', { x: 2 }));
    const { store, asked } = counting(place.store);
    const models = new Models({ store });
    const answers = await Promise.all(Array.from({ length: 10 }, (_, i) => models.run(ref, x(i))));
    expect(answers.map((a) => a.columns.value!.values[0])).toEqual(Array.from({ length: 10 }, (_, i) => 2 * i));
    expect(asked).toHaveLength(1);
    await models.warm([ref]);
    expect(asked).toHaveLength(1);
  });

  it('let go of the least recently used when there are too many', async () => {
    const refs: VersionRef[] = [];
    for (const name of ['a', 'b', 'c']) refs.push(await putVersion(place.store, sum(name, { x: 1 })));
    const models = new Models({ store: place.store }, { maxVersions: 2 });
    await models.warm(refs.slice(0, 2));
    await models.run(refs[0]!, x(1));
    await models.warm([refs[2]!]);
    expect(await models.loaded()).toEqual(['a', 'c']);
    expect((await models.run(refs[1]!, x(5))).columns.value!.values[0]).toBe(5);
    expect(await models.loaded()).toEqual(['c', 'b']);
  });

  it('let go of versions by their size', async () => {
    const refs = [await putVersion(place.store, sum('d', { x: 1 })), await putVersion(place.store, sum('e', { x: 1 }))];
    const models = new Models({ store: place.store }, { maxBytes: 1 });
    await models.warm([refs[0]!]);
    await models.warm([refs[1]!]);
    expect(await models.loaded()).toEqual(['e']);
  });

  it('finish a call whose version is let go of meanwhile', async () => {
    const refs = await Promise.all(['f', 'g', 'h', 'i'].map((name, i) => putVersion(place.store, sum(name, { x: i + 1 }))));
    const models = new Models({ store: place.store }, { maxVersions: 1 });
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, i) => models.run(refs[i % 4]!, x(...new Array<number>(5_000).fill(1))))
    );
    expect(answers.map((a) => a.columns.value!.values[4_999])).toEqual(Array.from({ length: 40 }, (_, i) => (i % 4) + 1));
  });

  it('say so when an artifact is damaged, and work again when it is whole', async () => {
    const made = sum('damaged', { x: 4 });
    const ref = await putVersion(place.store, made);
    const { onnx } = await place.store.readJson<{ onnx: { uri: string } }>(ref.manifest);
    const path = join(place.path, onnx.uri);
    await chmod(path, 0o644);
    await writeFile(path, Buffer.alloc(made.onnx.length));
    const models = new Models({ store: place.store });
    await expect(models.run(ref, x(1))).rejects.toMatchObject({ code: 'ARTIFACT_CORRUPT' });
    await writeFile(path, made.onnx);
    expect((await models.run(ref, x(1))).columns.value!.values[0]).toBe(4);
  });

  it('say so when an artifact is gone', async () => {
    const ref = await putVersion(place.store, sum('gone', { x: 1 }));
    const nothing: VersionRef = {
      ...ref, manifest: { ...ref.manifest, uri: ref.manifest.uri.replace(/[0-9a-f]{64}/, 'f'.repeat(64)), sha256: 'f'.repeat(64) },
    };
    await expect(new Models({ store: place.store }).run(nothing, x(1))).rejects.toMatchObject({ code: 'ARTIFACT_MISSING' });
    expect((await readdir(place.path)).sort()).toContain('objects');
  });
});

describe('a forecast version', () => {
  const ask = (...days: number[]): Table =>
    ({ rows: days.length, columns: { Released: { type: 'date', values: Float64Array.from(days) } } });
  const month = (i: number): number => periodStart(FIRST_MONTH + i, 'month') + 14;
  const mean = (from: number, to: number): number => {
    const values = Array.from({ length: to - from }, (_, i) => marketValue(FIRST_MONTH + from + i));
    return values.reduce((a, b) => a + b) / values.length;
  };
  let models: Models;
  let ref: VersionRef;
  beforeAll(async () => {
    models = new Models({ store: place.store });
    ref = await putForecast(place.store);
  });

  it('forecasts the period that is asked for, from what was known before it', async () => {
    // The network says the level of its six months; the interval widens with the step.
    const { columns, refused } = await models.run(ref, ask(month(20), month(MONTHS), month(MONTHS + 2)));
    const end = mean(MONTHS - 6, MONTHS);
    const expected = [mean(14, 20), end, end];
    expected.forEach((value, row) => expect(columns.value!.values[row]).toBeCloseTo(value, 3));
    const width = (row: number) => (columns.high!.values[row] as number) - (columns.low!.values[row] as number);
    expect(width(2) / width(1)).toBeCloseTo(3, 4);
    expect(refused.size).toBe(0);
  });

  it('refuses what it cannot forecast, row by row, with the reason', async () => {
    const { columns, refused } = await models.run(ref, ask(month(20), month(MONTHS + 3), NaN, month(-1)));
    expect(Array.from(columns.value!.values as Float64Array, Number.isNaN)).toEqual([false, true, true, true]);
    expect([...refused.keys()]).toEqual([1, 2, 3]);
    expect(refused.get(1)).toContain('2004-04 is too far ahead');
    expect(refused.get(2)).toContain('missing');
    expect(refused.get(3)).toContain('no history before it');
  });

  it('answers a row the same alone or among others', async () => {
    const all = await models.run(ref, ask(...Array.from({ length: 60 }, (_, i) => month(i - 5))));
    for (const i of [0, 6, 30, 52, 55, 59]) {
      const alone = await models.run(ref, ask(month(i - 5)));
      expect(alone.columns.value!.values[0]).toEqual(all.columns.value!.values[i]);
    }
  });

  it('has seasonal naive as its baseline, however far ahead', async () => {
    const { columns } = await models.baseline(ref, ask(month(30), month(MONTHS), month(MONTHS + 40), NaN));
    expect(columns.value!.values).toEqual(Float64Array.of(
      marketValue(FIRST_MONTH + 18), marketValue(FIRST_MONTH + 36), marketValue(FIRST_MONTH + 36 + (40 % 12)), NaN,
    ));
  });
});
