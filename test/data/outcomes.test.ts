import { compactOutcomes, readOutcomes, recordOutcomes } from '../../src/data/outcomes';
import type { NewOutcome } from '../../src/domain/outcomes';
import { outcomesOf } from '../../src/domain/outcomes';
import { dyingStore } from '../support/faultyStore';
import { classification, embedding, regression } from '../domain/specs';
import { errorOf, usePlace } from './support';

const place = usePlace();
const START = Date.parse('2026-03-01T00:00:00Z');
const HOUR = 3_600_000;
const iso = (ms: number): string => new Date(ms).toISOString();

let chains = 0;
/** A chain of its own: what is recorded at which hour, and what is known then. */
function chain() {
  const name = `chain${chains++}`;
  return {
    name,
    record: (hour: number, outcomes: NewOutcome[]) => recordOutcomes(place.store, { chain: name, outcomes, now: START + hour * HOUR }),
    compact: (hour: number, store = place.store) => compactOutcomes(store, { chain: name, before: iso(START + hour * HOUR) }),
    known: async (of: { since?: string; until?: string } = {}) =>
      Object.fromEntries([...(await readOutcomes(place.store, { chain: name, ...of })).values()].map(({ key, value, at }) => [key, [value, (Date.parse(at) - START) / HOUR]])),
  };
}

describe('outcomes', () => {
  test('of several for a key the one that became known last counts, whenever it was told', async () => {
    const of = chain();
    await of.record(1, [{ key: 'a', value: 1 }, { key: 'b', value: 2.5 }, { key: 'c', value: 'Drama' }]);
    await of.record(2, [{ key: 'a', value: 10 }, { key: 'b', value: 99, at: iso(START) }]);
    await of.compact(3);
    await of.record(4, [{ key: 'c', value: 'Comedy' }, { key: 'c', value: 'Horror' }]);
    expect(await of.known()).toEqual({ a: [10, 2], b: [2.5, 1], c: ['Horror', 4] });
    expect(await of.known({ until: iso(START + 2 * HOUR) })).toEqual({ a: [1, 1], b: [2.5, 1], c: ['Drama', 1] });
    expect(await of.known({ since: iso(START + 2 * HOUR) })).toEqual({ a: [10, 2], b: [99, 0], c: ['Horror', 4] });
  });

  test('recorded again change nothing, not even when they became known', async () => {
    const of = chain();
    const file = [{ key: 'a', value: 1 }, { key: 'b', value: 'x' }];
    await of.record(1, file);
    await of.record(2, file);
    await of.compact(3);
    await of.record(4, [...file, { key: 'c', value: 3 }]);
    await of.record(5, [{ key: 'b', value: 'y' }]);
    await of.record(6, [{ key: 'b', value: 'y' }]);
    expect(await of.known()).toEqual({ a: [1, 1], b: ['y', 5], c: [3, 4] });
  });

  test('taken back by what was said before', async () => {
    const of = chain();
    await of.record(1, [{ key: 'a', value: 1 }]);
    await of.record(2, [{ key: 'a', value: 2 }]);
    await of.record(3, [{ key: 'a', value: 1 }]);
    expect(await of.known()).toEqual({ a: [1, 3] });
  });

  test('survive a compaction that is killed at any write', async () => {
    for (let at = 0, ended = false; !ended; at++) {
      for (const effect of ['before', 'after'] as const) {
        const of = chain();
        for (let hour = 1; hour < 4; hour++) await of.record(hour, [{ key: 'a', value: hour }, { key: `b${hour}`, value: 'x' }]);
        const expected = { a: [3, 3], b1: ['x', 1], b2: ['x', 2], b3: ['x', 3] };
        ended = await of.compact(5, dyingStore(place.store, { at, effect }).store).then(() => true, () => false);
        expect(await of.known()).toEqual(expected);
        await of.compact(5);
        expect(await place.store.listBlobs(`outcomes/${of.name}/`)).toEqual([]);
        expect(await of.known()).toEqual(expected);
      }
    }
  });

  test.each<[what: string, outcome: unknown, words: RegExp]>([
    ['a missing key', { value: 1 }, /Row 1 .* key undefined/],
    ['an empty key', { key: '', value: 1 }, /Row 1 .* key ""/],
    ['a key that is a number', { key: 7, value: 1 }, /Row 1 .* key 7/],
    ['a missing value', { key: 'a' }, /Row 1 .* value undefined/],
    ['an empty value', { key: 'a', value: '' }, /Row 1 .* value ""/],
    ['NaN', { key: 'a', value: NaN }, /Row 1 .* value NaN/],
    ['infinity', { key: 'a', value: -Infinity }, /Row 1 .* value -Infinity/],
    ['a value of another type', { key: 'a', value: [1] }, /Row 1 .* value \[1\]/],
    ['a time that is none', { key: 'a', value: 1, at: 'soon' }, /Row 1 .* known at "soon"/],
    ['no object', null, /Row 1 .* is null/],
  ])('%s is an error that names the row, and nothing is recorded', async (_what, outcome, words) => {
    const of = chain();
    const error = await errorOf(of.record(1, [{ key: 'good', value: 1 }, outcome as NewOutcome]));
    expect(error).toMatchObject({ code: 'OUTCOME_ROW', message: expect.stringMatching(words), details: { row: 1 } });
    expect(error.message).toMatch(/nothing was recorded/);
    expect(await of.known()).toEqual({});
  });

  test('that are none are refused', async () => {
    expect(await errorOf(chain().record(1, []))).toMatchObject({ code: 'REQUEST_EMPTY' });
  });
});

describe('rows as outcomes', () => {
  const rent = { chain: 'flats', keyColumns: ['id'], model: regression({ name: 'rent', target: 'rent' }) };
  const genre = { chain: 'films', keyColumns: ['title', 'released'], model: classification({ name: 'genre', target: 'genre' }) };
  const fail = (rows: unknown[], of = rent) => errorOf((async () => outcomesOf(rows as never, of))());

  test('take the key columns and the target, or key and value', () => {
    expect(outcomesOf([{ id: 7, rent: 900, city: 'Bern' }, { key: 'x', value: 5 }, { id: 8, value: 0 }], rent))
      .toEqual([{ key: '7', value: 900 }, { key: 'x', value: 5 }, { key: '8', value: 0 }]);
    expect(outcomesOf([{ title: 'Big', released: '1988-06-03', genre: 'Comedy', at: '1989' }, { key: 'y', value: true }], genre))
      .toEqual([{ key: 'Big\u001f1988-06-03', value: 'Comedy', at: '1989-01-01T00:00:00.000Z' }, { key: 'y', value: 'true' }]);
  });

  test.each<[what: string, row: unknown, words: RegExp, of?: typeof genre]>([
    ['no key', { rent: 1 }, /Row 1 .*has no key.*id or key/],
    ['key columns without a value', { id: null, rent: 1 }, /Row 1 .*has no key/],
    ['no value', { id: 1, rent: null }, /Row 1 .*has no value.*rent or value/],
    ['a number as text', { id: 1, rent: '900' }, /Row 1 .*value "900".*finite/],
    ['a class that is a list', { key: 'a', value: ['x'] }, /Row 1 .*value \["x"\].*name of one/, genre],
    ['no object', 5, /Row 1 .*is 5/],
  ])('%s is an error', async (_what, row, words, of: typeof rent | typeof genre = rent) => {
    const good = of === genre ? { key: 'a', value: 'x' } : { id: 0, rent: 1 };
    expect(await fail([good, row], of as typeof rent)).toMatchObject({ code: 'OUTCOME_ROW', message: expect.stringMatching(words), details: { row: 1 } });
  });

  test('of a chain that predicts vectors are refused', async () => {
    expect(await fail([{ key: 'a', value: 1 }], { ...rent, model: embedding({ name: 'title' }) as never })).toMatchObject({ code: 'OUTCOME_ROW', message: expect.stringMatching(/vectors/) });
  });
});
