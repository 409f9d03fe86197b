import fc from 'fast-check';
import { hash32, unitHash } from '../../src/domain/hash';
import cases from './reference/murmur3.json';

test('agrees with the reference implementation of MurmurHash3', () => {
  expect(cases.length).toBeGreaterThan(300);
  for (const [text, seed, expected] of cases as [string, number, number][]) {
    expect({ text, seed, hash: hash32(text, seed) }).toEqual({ text, seed, hash: expected });
  }
});

test('is an unsigned 32-bit integer, and a number in [0, 1)', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), fc.integer(), (text, seed) => {
    const hash = hash32(text, seed);
    expect(Number.isInteger(hash) && hash >= 0 && hash < 2 ** 32).toBe(true);
    expect(unitHash(text, seed)).toBe(hash / 2 ** 32);
  }));
});

test('spreads consecutive names evenly', () => {
  const bins = new Int32Array(20);
  for (let i = 0; i < 100_000; i++) bins[Math.floor(unitHash(`row ${i}`, 1) * 20)]!++;
  const chiSquare = bins.reduce((sum, n) => sum + (n - 5_000) ** 2 / 5_000, 0);
  // The 99.9th percentile of chi-square with 19 degrees of freedom.
  expect(chiSquare).toBeLessThan(43.8);
});
