import fc from 'fast-check';
import { tokenise } from '../../src/learn/tokens';
import { stem, vocabularyOf } from '../../src/learn/vocabulary';

const limits = { minTexts: 2, maxWords: 100 };

test('words count in any case and punctuation, once a text, and rare ones are left out', () => {
  const { ids, idf } = vocabularyOf(['The War: the end', 'war!', "War's (end)", 'alone'], limits);
  expect(idf).toHaveLength(2);
  expect(ids['war:']).toBe(0);
  for (const form of ['war', 'war,', '"war"', '(war)', 'war?']) expect(ids[form]).toBe(0);
  expect(ids.end).toBe(1);
  expect(ids.alone).toBeUndefined();
  expect(idf[0]).toBeCloseTo(Math.log(5 / 4) + 1);
});

test('what another alphabet capitalises is one word', () => {
  const { ids } = vocabularyOf(['Élan vital', 'ÉLAN', 'élan'], limits);
  expect(new Set(tokenise('Élan élan ÉLAN').map((token) => ids[token]))).toEqual(new Set([0]));
});

test('names that objects have are words like others', () => {
  const { ids, idf } = vocabularyOf(['constructor __proto__', '__proto__ constructor'], limits);
  expect(Object.keys(ids).length).toBeGreaterThan(2);
  expect(idf).toHaveLength(2);
});

test('a word of the texts is known in every form it was met in, and every id has a weight', () => {
  fc.assert(fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 12 }), { maxLength: 12 }), (texts) => {
    const { ids, idf } = vocabularyOf([...texts, ...texts], limits);
    const known = new Map(Object.entries(ids));
    for (const text of texts) for (const token of tokenise(text)) expect(known.has(token)).toBe(true);
    expect([...known.values()].every((id) => Number.isInteger(id) && id >= 0 && idf[id]! > 0)).toBe(true);
  }));
});

test('the stem of a token is never empty', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => tokenise(text).every((token) => stem(token) !== '')));
});
