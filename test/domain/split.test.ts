import fc from 'fast-check';
import { HOLDOUT, splitByKey, splitByTime } from '../../src/domain/split';
import { DUPLICATE_MARK } from '../../src/domain/version';

const options = fc.record({ holdout: fc.double({ min: 0, max: 0.9, noNaN: true }), foldCount: fc.integer({ min: 1, max: 12 }) });
const keys = fc.array(fc.string(), { maxLength: 60 });
const many = Array.from({ length: 40_000 }, (_, i) => `film ${i}`);
const share = (folds: Int8Array, fold: number) => folds.reduce((n, f) => n + (f === fold ? 1 : 0), 0) / folds.length;

describe('by key', () => {
  test('puts every row into the holdout or into one of the folds', () => {
    fc.assert(fc.property(keys, options, (rows, o) => {
      const { folds, foldCount } = splitByKey(rows, o);
      expect(folds.length).toBe(rows.length);
      expect(foldCount).toBe(o.foldCount);
      for (const fold of folds) expect(fold === HOLDOUT || (fold >= 0 && fold < o.foldCount)).toBe(true);
      if (o.holdout === 0) expect(folds).not.toContain(HOLDOUT);
    }));
  });

  test('depends on the row alone: not on order, nor on what other rows there are', () => {
    fc.assert(fc.property(keys, keys, options, (rows, others, o) => {
      const alone = splitByKey(rows, o).folds;
      const among = splitByKey([...others, ...[...rows].reverse()], o).folds.slice(others.length).reverse();
      expect(among).toEqual(alone);
    }));
  });

  test('a larger holdout holds the smaller one, and leaves the other rows in their folds', () => {
    const small = splitByKey(many, { holdout: 0.1, foldCount: 5 }).folds;
    const large = splitByKey(many, { holdout: 0.3, foldCount: 5 }).folds;
    many.forEach((_, i) => {
      if (small[i] === HOLDOUT) expect(large[i]).toBe(HOLDOUT);
      else if (large[i] !== HOLDOUT) expect(large[i]).toBe(small[i]);
    });
  });

  test('keeps the shares asked for', () => {
    const { folds } = splitByKey(many, { holdout: 0.25, foldCount: 5 });
    expect(share(folds, HOLDOUT)).toBeCloseTo(0.25, 2);
    for (let fold = 0; fold < 5; fold++) expect(share(folds, fold)).toBeCloseTo(0.15, 2);
  });

  test('is the same for ever (by the reference MurmurHash3, with seed 1 for the holdout and 2 for the fold)', () => {
    const rows = ['Alien', 'Heat', 'Ran', 'Vertigo', 'Brazil', 'Gilda', 'Metropolis', 'Stalker', 'Rashomon', ''];
    expect([...splitByKey(rows, { holdout: 0.25, foldCount: 5 }).folds]).toEqual([4, 0, 0, 0, 3, 0, 4, 4, HOLDOUT, 0]);
  });

  test('keeps rows that share a key together', () => {
    fc.assert(fc.property(fc.string(), fc.integer({ min: 2, max: 1e6 }), options, (key, n, o) => {
      fc.pre(!key.includes(DUPLICATE_MARK));
      const [first, later] = splitByKey([key, `${key}${DUPLICATE_MARK}${n}`], o).folds;
      expect(later).toBe(first);
    }));
  });
});

describe('by time', () => {
  const periods = fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 1, maxLength: 80 });

  test('holds out the latest periods, and cuts the others into blocks in order', () => {
    fc.assert(fc.property(periods, options, (rows, o) => {
      const { folds } = splitByTime(rows, o);
      const place = (fold: number) => (fold === HOLDOUT ? o.foldCount : fold);
      rows.forEach((period, i) => rows.forEach((other, j) => {
        if (period === other) expect(folds[i]).toBe(folds[j]);
        if (period < other) expect(place(folds[i]!)).toBeLessThanOrEqual(place(folds[j]!));
      }));
      for (const fold of folds) expect(fold === HOLDOUT || (fold >= 0 && fold < o.foldCount)).toBe(true);
      const distinct = new Set(rows);
      const held = new Set(rows.filter((_, i) => folds[i] === HOLDOUT));
      expect(held.size).toBe(Math.round(distinct.size * o.holdout));
    }));
  });

  test('blocks differ by one period at most', () => {
    const { folds } = splitByTime(Array.from({ length: 103 }, (_, i) => i), { holdout: 0.2, foldCount: 5 });
    const sizes = [0, 1, 2, 3, 4].map((fold) => folds.filter((f) => f === fold).length);
    expect(folds.filter((f) => f === HOLDOUT).length).toBe(21);
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
    expect(sizes.reduce((a, b) => a + b)).toBe(82);
  });

  test('does not depend on the order of rows', () => {
    fc.assert(fc.property(periods, options, (rows, o) => {
      expect([...splitByTime([...rows].reverse(), o).folds].reverse()).toEqual([...splitByTime(rows, o).folds]);
    }));
  });
});
