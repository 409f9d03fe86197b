import type { Tensor3D } from '@tensorflow/tfjs-node';
import { backward, forward, gather } from '../../src/learn/ensemble';
import type { Plan } from '../../src/learn/ensemble';
import { crossFittedErrors, fitTemperature, intervalOffsets } from '../../src/learn/calibrate';
import { encode } from '../../src/learn/encode';
import type { Encoder } from '../../src/learn/network';
import { crossEntropy, huber, prototypes } from '../../src/learn/objectives';
import type { Objective } from '../../src/learn/objectives';
import { join, layoutOf, split } from '../../src/learn/parameters';
import { normal, random } from '../../src/learn/random';
import { loadTensorflow } from '../../src/native';
import { categories, dates, numbers, texts, vectors } from './support/examples';

const uniform = random(1, 'ensemble test');
const gaussians = (length: number): Float32Array => Float32Array.from({ length }, () => normal(uniform));

describe('gradients are those of automatic differentiation', () => {
  const rows = Int32Array.from([0, 1, 2, 3, 4]);
  const targets = Float32Array.from([0.3, NaN, -1, 2, 0.1, 5, -0.2, 1, NaN, 0.5]);
  const codes = gaussians(9).map((x) => x / 2);
  const objectives: [string, Objective][] = [
    ['squares and beyond', huber(targets, 2, 0.7)],
    ['classes', crossEntropy(Int32Array.from([0, 2, 1, 1, 0]), 3)],
    [
      'prototypes',
      prototypes([{ values: 3, codes, target: Int32Array.from([0, -1, 2, 1, 1]), logPrior: Float32Array.from([-1, -2, -0.5]) }], 3, 0.4),
    ],
  ];
  test.each(objectives)('%s', (_, objective) => {
    const tf = loadTensorflow();
    const units = objective.units;
    const plan: Plan = {
      members: 2, width: 4, bags: [{ table: 't', tokens: 6, units: 3 }, { table: 's', tokens: 2, units: 2 }],
      layers: [
        { kernel: 'k0', bias: 'b0', units: 5, activation: 'relu' },
        { kernel: 'k1', bias: 'b1', units: 4, activation: 'relu' },
        { kernel: 'k2', bias: 'b2', units, activation: 'none' }
      ],
      skip: { kernel: 'k3', bias: 'b3', units, activation: 'none' },
    };
    const layout = layoutOf(plan);
    const flat = tf.tensor1d(gaussians(layout.size));
    const inputs = {
      fixed: tf.tensor3d(gaussians(20), [1, 5, 4]), bags: [tf.tensor3d(gaussians(30), [1, 5, 6]), tf.tensor3d(gaussians(10), [1, 5, 2])],
    };
    const mask = tf.tensor3d([1, 0, 1, 1, 0, 1, 1, 1, 0, 1], [2, 5, 1]);
    const automatic = tf.grad((w) => {
      const tiled = { fixed: tf.tile(inputs.fixed, [2, 1, 1]), bags: inputs.bags.map((b) => tf.tile<Tensor3D>(b, [2, 1, 1])) };
      const { output } = forward(tf, plan, split(tf, layout, w as typeof flat), tiled);
      return tf.sum(objective.evaluate(tf, { output, rows, groups: 1, mask }).loss);
    })(flat).dataSync();
    const parameters = split(tf, layout, flat);
    const pass = forward(tf, plan, parameters, inputs);
    const { gradient } = objective.evaluate(tf, { output: pass.output, rows, groups: 1, mask });
    const ours = join(tf, layout, backward(tf, plan, parameters, inputs, pass, gradient)).dataSync();
    const largest = Math.max(...automatic.map(Math.abs));
    expect(largest).toBeGreaterThan(0.1);
    ours.forEach((g, i) => expect(Math.abs(g - automatic[i]!)).toBeLessThan(1e-4 * largest));
  });
});

test('encoders say what network.ts says', () => {
  const encoders: Encoder[] = [
    { kind: 'piecewise', input: 'n', from: 'number', edges: [0, 1, 3] },
    { kind: 'piecewise', input: 'd', from: 'date', edges: [10_000, 10_010] },
    { kind: 'standard', input: 'v', mean: [1, 2], deviation: [2, 4], low: [0, 0], high: [5, 10] },
    { kind: 'flag', input: 'f' },
    { kind: 'onehot', input: 'c', values: ['', 'x'] },
    { kind: 'cycle', input: 'd', periodDays: 4, harmonics: 2 },
    { kind: 'window', input: 'h', scale: 'linear', context: 4, levelOver: 2, minSpread: 0.5 },
    { kind: 'bag', input: 't', split: true, ids: { a: 0, 'a,': 0, b: 1 }, idf: [1, 2], table: 'table', units: 3 },
  ];
  const { block, width, bags } = encode(encoders, {
    rows: 2,
    columns: {
      n: numbers([2, NaN]), d: dates([10_001, Infinity]), v: vectors(2, [5, 100, NaN, -Infinity]),
      f: { type: 'boolean', values: Float64Array.from([1, NaN]) },
      c: categories(['x', null]), h: vectors(4, [1, NaN, 2, 4, NaN, NaN, NaN, NaN]), t: texts(['A, b A c', 'd']),
    },
  });
  const row = (r: number): number[] => Array.from(block.subarray(r * width, (r + 1) * width), (x) => Math.round(1e4 * x) / 1e4 + 0);
  // level (2 + 4) / 2 = 3, spread (2 + 1 + 1) / 3.
  expect(row(0)).toEqual([1, 0.5, 0, 0.1, 0, 2, 2, 1, 0, 0, 1, 1, 0, 0, -1, -1.5, 0, -0.75, 0.75]);
  expect(row(1)).toEqual([0, 0, 1, 1, 0, 0, -0.5, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  expect([...bags[0]!.ids]).toEqual([0, 1, 0]);
  expect([...bags[0]!.offsets]).toEqual([0, 3, 3]);
  expect([...bags[0]!.weights].map((w) => w * Math.sqrt(6))).toEqual([1, 2, 1].map((w) => expect.closeTo(w, 5) as number));
});

test('gathered rows are those asked for, and padding is zeros', () => {
  const tf = loadTensorflow();
  const asIs: Encoder = { kind: 'standard', input: 'v', mean: [0], deviation: [1], low: [-9], high: [9] };
  const encoded = encode([asIs], { rows: 3, columns: { v: vectors(1, [1, 2, 3]) } });
  expect([...gather(tf, encoded, Int32Array.from([2, -1, 0, 1]), 2).fixed.dataSync()]).toEqual([3, 0, 1, 2]);
});

test('interval offsets are the order statistics that hold the next error', () => {
  // 19 errors and one to come: each of the 20 gaps is as likely, 2 of them at either end are left out at 0.8.
  expect(intervalOffsets(Array.from({ length: 19 }, (_, i) => i - 9), 0.8)).toEqual({ low: -8, high: 8 });
  expect(intervalOffsets([], 0.8)).toEqual({ low: 0, high: 0 });
  expect(intervalOffsets([2, 3], 0.8).low).toBe(0);
});

test('the temperature undoes overconfidence, and errors come from the row\'s own member', () => {
  const n = 400;
  const rows = Int32Array.from({ length: n }, (_, i) => i);
  const folds = Int8Array.from(rows, (i) => i % 2);
  const classOf = Int32Array.from(rows, (i) => (i % 10 < 7 ? 0 : 1));
  // Member 0 and 1 both claim odds of e^8 for class 0 on rows of their own; it is right in 7 of 10.
  const data = Float32Array.from({ length: 2 * n * 2 }, (_, i) => (i % 2 === 0 ? 8 : 0));
  const temperature = fitTemperature({ raw: { members: 2, rows: n, units: 2, data }, rows, folds, classOf });
  expect(8 / temperature).toBeCloseTo(Math.log(0.7 / 0.3), 1);
  const raw = { members: 2, rows: 2, units: 1, data: Float32Array.from([1, 2, 10, 20]) };
  const of = { raw, rows: Int32Array.from([0, 1]), folds: Int8Array.from([0, 1]), truth: Float32Array.from([1, 21]), unit: 0 };
  expect(crossFittedErrors(of)).toEqual([0, 1]);
});
