import fc from 'fast-check';
import { canonicalJson } from '../../src/store/canonicalJson';

const values = fc.jsonValue({ noUnicodeString: false } as never);

test('is JSON of the same value', () => {
  fc.assert(fc.property(values, (value) => {
    expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
  }));
});

test('does not depend on the order of keys, at any depth', () => {
  const reversed = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(reversed);
    if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).reverse().map(([k, v]) => [k, reversed(v)]));
    return value;
  };
  fc.assert(fc.property(values, (value) => {
    expect(canonicalJson(reversed(value))).toBe(canonicalJson(value));
  }));
});

test('is different for different values', () => {
  fc.assert(fc.property(values, values, (a, b) => {
    fc.pre(JSON.stringify(a) !== JSON.stringify(b));
    let equal = true;
    try { expect(a).toEqual(b); } catch { equal = false; }
    expect(canonicalJson(a) === canonicalJson(b)).toBe(equal);
  }));
});

test('sorts by code unit and leaves out what is undefined', () => {
  expect(canonicalJson({ b: 1, a: undefined, Z: [null, { y: 1, x: -0 }], 'é': '\u2028' })).toBe('{"Z":[null,{"x":0,"y":1}],"b":1,"é":"\u2028"}');
  expect(canonicalJson(Object.create(null, { a: { value: 1, enumerable: true } }))).toBe('{"a":1}');
});

test.each([NaN, Infinity, -Infinity])('%s is refused, with its path', (value) => {
  expect(() => canonicalJson({ metrics: [{ rmse: value }] })).toThrow(expect.objectContaining({ code: 'NOT_FINITE', message: expect.stringContaining('metrics.0.rmse') }));
});

test.each([
  ['Map', new Map()], ['Date', new Date(0)], ['Float32Array', new Float32Array(1)], ['undefined', undefined], ['bigint', 1n], ['function', () => 1], ['Thing', new (class Thing {})()],
])('a %s inside is refused, with its path', (kind, value) => {
  expect(() => canonicalJson({ list: [value] })).toThrow(new RegExp(`list\\.0 is .*${kind}`));
});
