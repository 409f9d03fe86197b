import * as fc from 'fast-check';
import type { Column, Table } from '../../../src/domain/table';
import { type Dense, type Encoder, type Head, HISTORY, type Network, START, type Weights } from '../../../src/learn/network';
import { widthOf } from '../../../src/learn/onnx/encoders';
import { tokenise } from '../../../src/learn/tokens';

export interface Case { network: Network; table: Table }

const WORDS = ['the', 'The', 'THE', 'dark', 'Dark:', 'knight', 'é', 'É', 'ÉCOLE', 'I\u0307', '😀', '日本', 'ß', '(2012)', '__proto__', 'constructor', 'a\tb', '\u00a0'];
const CATEGORIES = ['', 'Action', 'action', ' Action', 'Æon Flux', '😀', 'drama/comedy', '__proto__', 'x'.repeat(300)];

const small = fc.double({ min: -10, max: 10, noNaN: true });
const number = fc.oneof({ weight: 4, arbitrary: small }, fc.constantFrom(NaN, Infinity, -Infinity, 3e38, -3e38, 1e12, 0, -0));
const date = fc.oneof({ weight: 4, arbitrary: fc.double({ min: -40_000, max: 40_000, noNaN: true }) },
  fc.constantFrom(NaN, Infinity, -Infinity, 0, -719_162, 2_932_896, 1e300, -0.25));
const category = fc.oneof({ weight: 4, arbitrary: fc.constantFrom<(string | null)[]>(...CATEGORIES, null) }, fc.string({ unit: 'binary', maxLength: 6 }));
const text = fc.oneof(
  { weight: 4, arbitrary: fc.array(fc.constantFrom(...WORDS, 'unseen'), { maxLength: 8 }).chain((words) =>
    fc.constantFrom(' ', '  ', ' \u2003', '\n').map((gap) => words.join(gap))) },
  fc.constant(null), fc.string({ unit: 'binary', maxLength: 12 }), fc.constant('dark '.repeat(400)), fc.constant('\ud800 Dark: \udc00x'));
const step = fc.oneof({ weight: 4, arbitrary: fc.double({ min: -5, max: 100, noNaN: true }) }, fc.constantFrom(NaN, Infinity, -Infinity));

const increasing = fc.uniqueArray(fc.integer({ min: -40, max: 40 }), { minLength: 2, maxLength: 6 }).map((e) => e.sort((a, b) => a - b).map((v) => v / 4));
const numbers = (length: number, min: number, max: number) => fc.array(fc.double({ min, max, noNaN: true }), { minLength: length, maxLength: length });

type Draft = { encoder: Encoder; column: (rows: number) => fc.Arbitrary<Column>; tokens?: number };

const numeric = (type: 'number' | 'boolean' | 'date', of: fc.Arbitrary<number>) => (rows: number): fc.Arbitrary<Column> =>
  fc.array(of, { minLength: rows, maxLength: rows }).map((v) => ({ type, values: Float64Array.from(v) }));
const strings = (type: 'category' | 'text', of: fc.Arbitrary<string | null>) => (rows: number): fc.Arbitrary<Column> =>
  fc.array(of, { minLength: rows, maxLength: rows }).map((values) => ({ type, values }));
const vectors = (width: number, of: fc.Arbitrary<number>) => (rows: number): fc.Arbitrary<Column> =>
  fc.array(of, { minLength: rows * width, maxLength: rows * width }).map((v) => ({ type: 'vector', width, values: Float32Array.from(v) }));

const standard = (input: string, width: number): fc.Arbitrary<Encoder> =>
  fc.tuple(numbers(width, -5, 5), numbers(width, 0.1, 5), numbers(width, -20, 0), numbers(width, 0.5, 20))
    .map(([mean, deviation, low, high]) => ({ kind: 'standard', input, mean, deviation, low, high }));

const bag = (input: string, split: boolean): fc.Arbitrary<Encoder & { kind: 'bag' }> =>
  fc.record({ known: fc.subarray(split ? WORDS.flatMap(tokenise) : CATEGORIES, { minLength: 1 }), rows: fc.integer({ min: 1, max: 4 }), units: fc.integer({ min: 1, max: 3 }) })
    .chain(({ known, rows, units }) => numbers(rows, 0.3, 6).map((idf) => ({
      kind: 'bag', input, split, units, idf, table: `${input}.table`,
      ids: Object.fromEntries([...new Set(known)].map((token, i) => [token, i % rows])),
    })));

/** One encoder and the column it reads, by kind. */
const DRAFTS: ((input: string) => fc.Arbitrary<Draft>)[] = [
  (input) => increasing.map((edges) => ({ encoder: { kind: 'piecewise', input, from: 'number', edges }, column: numeric('number', number) })),
  (input) => increasing.map((edges) => ({ encoder: { kind: 'piecewise', input, from: 'date', edges: edges.map((e) => 19_000.1 + 100 * e) }, column: numeric('date', date) })),
  (input) => standard(input, 1).map((encoder) => ({ encoder, column: numeric('number', number) })),
  (input) => fc.integer({ min: 1, max: 4 }).chain((width) => standard(input, width).map((encoder) => ({ encoder, column: vectors(width, number) }))),
  (input) => fc.constant({ encoder: { kind: 'flag', input }, column: numeric('boolean', fc.constantFrom(0, 1, NaN)) }),
  (input) => fc.subarray(CATEGORIES, { minLength: 1 }).map((values) => ({ encoder: { kind: 'onehot', input, values }, column: strings('category', category) })),
  (input) => fc.tuple(fc.constantFrom(7, 30.436875, 365.2425), fc.integer({ min: 1, max: 3 }))
    .map(([periodDays, harmonics]) => ({ encoder: { kind: 'cycle', input, periodDays, harmonics }, column: numeric('date', date) })),
  (input) => bag(input, true).map((encoder) => ({ encoder, column: strings('text', text) })),
  (input) => bag(input, false).map((encoder) => ({ encoder, column: strings('category', category) })),
];

const forecastDrafts = (horizon: number, scale: 'linear' | 'log10'): fc.Arbitrary<Draft[]> => fc.tuple(
  fc.integer({ min: 1, max: 6 }).chain((context) => fc.tuple(fc.integer({ min: 1, max: context }), fc.constantFrom(0.05, 1)).map(([levelOver, minSpread]): Draft => ({
    encoder: { kind: 'window', input: HISTORY, scale, context, levelOver, minSpread }, column: vectors(context, step) }))),
  DRAFTS[6]!(START),
  fc.constant<Draft>({ encoder: { kind: 'horizon', input: 'price.ahead-1', horizon, mean: 0.3, deviation: 2, low: -9, high: 8 }, column: vectors(horizon, number) }),
  DRAFTS[8]!('series'));

const anyDrafts: fc.Arbitrary<Draft[]> = fc.array(fc.nat({ max: DRAFTS.length - 1 }), { minLength: 1, maxLength: 7 })
  .chain((kinds) => fc.tuple(...kinds.map((kind, i) => DRAFTS[kind]!(`in.put-${i} é`))));

const heads: fc.Arbitrary<Head> = fc.oneof(
  fc.record({ kind: fc.constant('regression' as const), scale: fc.constantFrom('linear' as const, 'log10' as const), mean: small, deviation: fc.double({ min: 0.1, max: 3, noNaN: true }),
    lowOffset: fc.double({ min: -2, max: 0, noNaN: true }), highOffset: fc.double({ min: 0, max: 2, noNaN: true }) }),
  fc.record({ kind: fc.constant('classification' as const), classes: fc.constantFrom<string[][]>(['a', 'b'], ['', 'É 😀', 'value'], ['1', '2', '3', '4', '5']), temperature: fc.constantFrom<number[]>(1, 0.5, 2.5) }),
  fc.record({ kind: fc.constant('embedding' as const), dimensions: fc.integer({ min: 1, max: 5 }) }),
  fc.record({ kind: fc.constant('forecast' as const), window: fc.constant(HISTORY), scale: fc.constantFrom('linear' as const, 'log10' as const), lowOffset: numbers(3, -2, 0), highOffset: numbers(3, 0, 2), horizon: fc.constant(3) }),
);

const outputWidth = (head: Head): number => {
  switch (head.kind) {
    case 'regression': return 1;
    case 'classification': return head.classes.length;
    case 'embedding': return head.dimensions;
    case 'forecast': return head.horizon;
  }
};

/** Random small networks with every kind of encoder and head, and rows for them: missing, unseen, infinite, huge, any Unicode. */
export const cases = (kinds: Head['kind'][] = ['regression', 'classification', 'embedding', 'forecast']): fc.Arbitrary<Case> =>
  heads.filter((head) => kinds.includes(head.kind)).chain((head) => fc.record({
    drafts: head.kind === 'forecast' ? forecastDrafts(head.horizon, head.scale) : anyDrafts,
    members: fc.integer({ min: 1, max: 3 }),
    hidden: fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 3 }),
    skip: fc.boolean(),
    seed: fc.integer(),
    rows: fc.integer({ min: 1, max: 5 }),
  }).chain(({ drafts, rows, ...rest }) => fc.tuple(...drafts.map((draft) => draft.column(rows))).map((columns) => ({
    network: build({ head, encoders: drafts.map((draft) => draft.encoder), ...rest }),
    table: { rows, columns: Object.fromEntries(drafts.map((draft, i) => [draft.encoder.input, columns[i]!])) },
  }))));

export interface Shape { head: Head; encoders: Encoder[]; members: number; hidden: number[]; skip: boolean; seed: number }

/** A network of this shape with seeded random weights. */
export function build({ head, encoders, members, hidden, skip, seed }: Shape): Network {
  const weights: Weights = {};
  let state = seed >>> 0;
  const random = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
  const weight = (name: string, shape: number[], scale: number): string => {
    weights[name] = { shape, data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => scale * random()) };
    return name;
  };
  const dense = (name: string, inputs: number, units: number, activation: Dense['activation']): Dense => ({
    kernel: weight(`${name}.kernel`, [members, inputs, units], 1 / Math.sqrt(inputs)), bias: weight(`${name}.bias`, [members, 1, units], 0.3), units, activation,
  });
  for (const encoder of encoders) {
    if (encoder.kind === 'bag') weight(encoder.table, [members, encoder.idf.length, encoder.units], 1);
  }
  const encoded = encoders.map(widthOf).reduce((a, b) => a + b, 0);
  const widths = [...hidden, outputWidth(head)];
  const layers = widths.map((units, i) => dense(`layers.${i}`, widths[i - 1] ?? encoded, units, i < hidden.length ? 'relu' : 'none'));
  return { members, encoders, layers, ...(skip && { skip: dense('skip', encoded, outputWidth(head), 'none') }), head, weights };
}
