import fc from 'fast-check';
import { Recent } from '../../src/domain/recent';

test('knows the ranks and quantiles of the newest numbers', () => {
  const numbers = fc.array(fc.oneof(fc.integer({ min: 0, max: 5 }), fc.double({ noNaN: true, min: -10, max: 10 })), { minLength: 1, maxLength: 60 });
  fc.assert(fc.property(numbers, fc.integer({ min: 1, max: 20 }), fc.integer({ min: 0, max: 5 }), (values, size, value) => {
    const recent = new Recent(size);
    for (const number of values) recent.add(number);
    const newest = values.slice(-size).sort((a, b) => a - b);
    expect(recent.length).toBe(newest.length);
    // Plus zero: which of two zeros is there, 0 or -0, makes no difference.
    expect(recent.quantile(0) + 0).toBe(newest[0]! + 0);
    expect(recent.quantile(0.5) + 0).toBe(newest[Math.ceil((newest.length - 1) / 2)]! + 0);
    expect(recent.quantile(1) + 0).toBe(newest.at(-1)! + 0);
    const below = newest.filter((number) => number < value).length;
    const equal = newest.filter((number) => number === value).length;
    expect(recent.rank(value)).toBeCloseTo((below + equal / 2) / newest.length, 12);
  }));
});
