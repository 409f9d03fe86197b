import * as fc from 'fast-check';
import type { Column, Table } from '../../../src/domain/table';
import { widthOf } from '../../../src/learn/encode';
import { type Dense, type Encoder, type Head, HISTORY, type Network, START, type Weights } from '../../../src/learn/network';
import { tokenise } from '../../../src/learn/tokens';

export interface Case { network: Network; table: Table }

const WORDS = [
  'the', 'The', 'THE', 'dark', 'Dark:', 'knight', 'é', 'É', 'ÉCOLE', 'I\u0307', '😀', '日本', 'ß', '(2012)', '__proto__', 'constructor',
  'a\tb', '\u00a0',
];
const CATEGORIES = ['', 'Action', 'action', ' Action', 'Æon Flux', '😀', 'drama/comedy', '__proto__', 'x'.repeat(300)];

const real = (min: number, max: number) => fc.double({ min, max, noNaN: true });
const reals = (length: number, min: number, max: number) => fc.array(real(min, max), { minLength: length, maxLength: length });
const mostly = <T>(usual: fc.Arbitrary<T>, ...others: fc.Arbitrary<T>[]) => fc.oneof({ weight: 4, arbitrary: usual }, ...others);

const number = mostly(real(-10, 10), fc.constantFrom(NaN, Infinity, -Infinity, 3e38, -3e38, 1e12, 0, -0));
const date = mostly(real(-40_000, 40_000), fc.constantFrom(NaN, Infinity, -Infinity, 0, -719_162, 2_932_896, 1e300, -0.25));
const step = mostly(real(-5, 100), fc.constantFrom(NaN, Infinity, -Infinity));
const anyString = fc.string({ unit: 'binary', maxLength: 12 });
const category = mostly<string | null>(fc.constantFrom(...CATEGORIES), fc.constant(null), anyString);
const phrase = fc.tuple(fc.array(fc.constantFrom(...WORDS, 'unseen'), { maxLength: 8 }), fc.constantFrom(' ', '  ', ' \u2003', '\n'))
  .map(([words, gap]) => words.join(gap));
const text = mostly<string | null>(
  phrase, fc.constant(null), anyString, fc.constant('dark '.repeat(400)), fc.constant('\ud800 Dark: \udc00x'));

/** An encoder, and what the column it reads may hold. */
type Draft = { encoder: Encoder; column: (rows: number) => fc.Arbitrary<Column> };

const rowsOf = <T>(of: fc.Arbitrary<T>, length: number): fc.Arbitrary<T[]> => fc.array(of, { minLength: length, maxLength: length });
const numeric = (type: 'number' | 'boolean' | 'date', of: fc.Arbitrary<number>): Draft['column'] => (rows) =>
  rowsOf(of, rows).map((v) => ({ type, values: Float64Array.from(v) }));
const strings = (type: 'category' | 'text', of: fc.Arbitrary<string | null>): Draft['column'] => (rows) =>
  rowsOf(of, rows).map((values) => ({ type, values }));
const vectors = (width: number, of: fc.Arbitrary<number>): Draft['column'] => (rows) =>
  rowsOf(of, rows * width).map((v) => ({ type: 'vector', width, values: Float32Array.from(v) }));

const edges = fc.uniqueArray(fc.integer({ min: -40, max: 40 }), { minLength: 2, maxLength: 6 })
  .map((steps) => steps.sort((a, b) => a - b).map((v) => v / 4));

const standard = (input: string, width: number): fc.Arbitrary<Encoder> =>
  fc.tuple(reals(width, -5, 5), reals(width, 0.1, 5), reals(width, -20, 0), reals(width, 0.5, 20))
    .map(([mean, deviation, low, high]) => ({ kind: 'standard', input, mean, deviation, low, high }));

const bag = (input: string, split: boolean): fc.Arbitrary<Encoder> => fc.record({
  known: fc.uniqueArray(fc.constantFrom(...(split ? WORDS.flatMap(tokenise) : CATEGORIES)), { minLength: 1 }),
  idf: fc.array(real(0.3, 6), { minLength: 1, maxLength: 4 }),
  units: fc.integer({ min: 1, max: 3 }),
}).map(({ known, idf, units }) => ({
  kind: 'bag', input, split, units, idf, table: `${input}.table`,
  ids: Object.fromEntries(known.map((token, i) => [token, i % idf.length])),
}));

const cycle = (input: string): fc.Arbitrary<Draft> =>
  fc.tuple(fc.constantFrom(7, 30.436875, 365.2425), fc.integer({ min: 1, max: 3 }))
    .map(([periodDays, harmonics]) => ({ encoder: { kind: 'cycle', input, periodDays, harmonics }, column: numeric('date', date) }));

const categoryBag = (input: string): fc.Arbitrary<Draft> =>
  bag(input, false).map((encoder) => ({ encoder, column: strings('category', category) }));

const window = (scale: 'linear' | 'log10'): fc.Arbitrary<Draft> => fc.integer({ min: 1, max: 6 }).chain((context) =>
  fc.tuple(fc.integer({ min: 1, max: context }), fc.constantFrom(0.05, 1)).map(([levelOver, minSpread]) => (
    { encoder: { kind: 'window', input: HISTORY, scale, context, levelOver, minSpread }, column: vectors(context, step) })));

const ANY: ((input: string) => fc.Arbitrary<Draft>)[] = [
  (input) => edges.map((e) => ({ encoder: { kind: 'piecewise', input, from: 'number', edges: e }, column: numeric('number', number) })),
  (input) => edges.map((e) => (
    { encoder: { kind: 'piecewise', input, from: 'date', edges: e.map((v) => 19_000.1 + 100 * v) }, column: numeric('date', date) })),
  (input) => standard(input, 1).map((encoder) => ({ encoder, column: numeric('number', number) })),
  (input) => fc.integer({ min: 1, max: 4 }).chain((width) =>
    standard(input, width).map((encoder) => ({ encoder, column: vectors(width, number) }))),
  (input) => fc.constant({ encoder: { kind: 'flag', input }, column: numeric('boolean', fc.constantFrom(0, 1, NaN)) }),
  (input) => fc.subarray(CATEGORIES, { minLength: 1 }).map((values) => (
    { encoder: { kind: 'onehot', input, values }, column: strings('category', category) })),
  cycle,
  (input) => bag(input, true).map((encoder) => ({ encoder, column: strings('text', text) })),
  categoryBag,
];

const anyDrafts: fc.Arbitrary<Draft[]> = fc.array(fc.constantFrom(...ANY), { minLength: 1, maxLength: 7 })
  .chain((kinds) => fc.tuple(...kinds.map((draft, i) => draft(`in.put-${i} é`))));

const forecastDrafts = ({ horizon, scale }: Extract<Head, { kind: 'forecast' }>): fc.Arbitrary<Draft[]> => {
  const ahead: Encoder = { kind: 'horizon', input: 'price.ahead-1', horizon, mean: 0.3, deviation: 2, low: -9, high: 8 };
  return fc.tuple(window(scale), cycle(START), fc.constant({ encoder: ahead, column: vectors(horizon, number) }), categoryBag('series'));
};

const scale = fc.constantFrom<('linear' | 'log10')[]>('linear', 'log10');
const HEADS: { [K in Head['kind']]: fc.Arbitrary<Head> } = {
  regression: fc.record({
    kind: fc.constant('regression'), scale, mean: real(-10, 10), deviation: real(0.1, 3), lowOffset: real(-2, 0), highOffset: real(0, 2),
  }),
  classification: fc.record({
    kind: fc.constant('classification'),
    classes: fc.constantFrom<string[][]>(['a', 'b'], ['', 'É 😀', 'value'], ['1', '2', '3', '4', '5']),
    temperature: fc.constantFrom<number[]>(1, 0.5, 2.5),
  }),
  embedding: fc.record({ kind: fc.constant('embedding'), dimensions: fc.integer({ min: 1, max: 5 }) }),
  forecast: fc.integer({ min: 1, max: 4 }).chain((horizon) => fc.record({
    kind: fc.constant('forecast'), window: fc.constant(HISTORY), scale, horizon: fc.constant(horizon),
    lowOffset: reals(horizon, -2, 0), highOffset: reals(horizon, 0, 2),
  })),
};

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
  fc.oneof(...kinds.map((kind) => HEADS[kind])).chain((head) => fc.record({
    drafts: head.kind === 'forecast' ? forecastDrafts(head) : anyDrafts,
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
    kernel: weight(`${name}.kernel`, [members, inputs, units], 1 / Math.sqrt(inputs)),
    bias: weight(`${name}.bias`, [members, 1, units], 0.3),
    units,
    activation,
  });
  for (const encoder of encoders) {
    if (encoder.kind === 'bag') weight(encoder.table, [members, encoder.idf.length, encoder.units], 1);
  }
  const encoded = encoders.map(widthOf).reduce((a, b) => a + b, 0);
  const widths = [...hidden, outputWidth(head)];
  const layers = widths.map((units, i) => dense(`layers.${i}`, widths[i - 1] ?? encoded, units, i < hidden.length ? 'relu' : 'none'));
  return { members, encoders, layers, ...(skip && { skip: dense('skip', encoded, outputWidth(head), 'none') }), head, weights };
}
