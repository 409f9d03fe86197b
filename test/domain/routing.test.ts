import fc from 'fast-check';
import { routeTo } from '../../src/domain/routing';

const weight = fc.double({ min: 0, max: 1, noNaN: true });

test('who has the candidate keeps it at every larger weight', () => {
  fc.assert(fc.property(fc.string(), fc.string(), weight, weight, (key, salt, a, b) => {
    const [small, large] = [Math.min(a, b), Math.max(a, b)];
    if (routeTo(key, { weight: small, salt }) === 'candidate') expect(routeTo(key, { weight: large, salt })).toBe('candidate');
  }));
});

test('a key goes to the same release every time; nobody has it at 0, everybody at 1', () => {
  fc.assert(fc.property(fc.string(), fc.string(), weight, (key, salt, at) => {
    expect(routeTo(key, { weight: at, salt })).toBe(routeTo(key, { weight: at, salt }));
    expect(routeTo(key, { weight: 0, salt })).toBe('current');
    expect(routeTo(key, { weight: 1, salt })).toBe('candidate');
  }));
});

test('the share of keys is the weight, and each candidate has other ones', () => {
  const keys = Array.from({ length: 20_000 }, (_, i) => `user ${i}`);
  const has = (salt: string): boolean[] => keys.map((key) => routeTo(key, { weight: 0.25, salt }) === 'candidate');
  const [first, second] = [has('films 7'), has('films 8')];
  const count = (of: boolean[]): number => of.filter(Boolean).length;
  // Three standard deviations of a binomial.
  const near = (n: number, p: number): void => expect(Math.abs(n - keys.length * p)).toBeLessThan(3 * Math.sqrt(keys.length * p * (1 - p)));
  near(count(first), 0.25);
  near(count(second), 0.25);
  near(count(first.map((is, i) => is && second[i]!)), 0.0625);
});

test('where salt ends and key begins matters', () => {
  const keys = Array.from({ length: 200 }, (_, i) => String(i));
  const routes = (salt: string, prefix: string): string[] => keys.map((key) => routeTo(prefix + key, { weight: 0.5, salt }));
  expect(routes('films 1', '2')).not.toEqual(routes('films 12', ''));
});
