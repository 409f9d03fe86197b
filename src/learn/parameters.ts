import type { Tensor1D, Tensor3D } from '@tensorflow/tfjs-node';
import type { Encoded } from './encode';
import type { Parameters, Plan, TF } from './ensemble';
import type { Weights } from './network';
import { normal, random } from './random';

type Shape = [members: number, rows: number, columns: number];

/** Small, so that a word met a few times says little yet. */
const TABLE_DEVIATION = 0.1;

/** All weights in one flat vector, so that the optimiser takes a dozen ops whatever the number of layers. */
export interface Layout {
  entries: { name: string; shape: Shape; offset: number; size: number }[];
  size: number;
  /** 1 where weight decay applies (kernels and tables), 0 for biases. */
  decay: Float32Array;
}

export function layoutOf(plan: Plan): Layout {
  const inputs = plan.width + plan.bags.reduce((sum, b) => sum + b.units, 0);
  const shapes: [string, Shape, decay: number][] = plan.bags.map((b) => [b.table, [plan.members, b.tokens, b.units], 1]);
  let width = inputs;
  for (const layer of plan.layers) {
    shapes.push([layer.kernel, [plan.members, width, layer.units], 1], [layer.bias, [plan.members, 1, layer.units], 0]);
    width = layer.units;
  }
  if (plan.skip) {
    const { kernel, bias, units } = plan.skip;
    shapes.push([kernel, [plan.members, inputs, units], 1], [bias, [plan.members, 1, units], 0]);
  }
  let size = 0;
  const entries = shapes.map(([name, shape]) => {
    const entry = { name, shape, offset: size, size: shape[0] * shape[1] * shape[2] };
    size += entry.size;
    return entry;
  });
  const decay = new Float32Array(size);
  entries.forEach((e, i) => decay.fill(shapes[i]![2], e.offset, e.offset + e.size));
  return { entries, size, decay };
}

export const split = (tf: TF, layout: Layout, flat: Tensor1D): Parameters =>
  Object.fromEntries(layout.entries.map((e) => [e.name, tf.reshape(tf.slice1d(flat, e.offset, e.size), e.shape) as Tensor3D]));

export const join = (tf: TF, layout: Layout, parameters: Parameters): Tensor1D =>
  tf.concat1d(layout.entries.map((e) => tf.reshape(parameters[e.name]!, [e.size]) as Tensor1D));

export const toWeights = (layout: Layout, flat: Float32Array): Weights =>
  Object.fromEntries(layout.entries.map((e) => [e.name, { shape: [...e.shape], data: flat.slice(e.offset, e.offset + e.size) }]));

export const toParameters = (tf: TF, weights: Weights): Parameters =>
  Object.fromEntries(Object.entries(weights).map(([name, { shape, data }]) => [name, tf.tensor3d(data, shape as Shape)]));

/** The flat vector with the skip kernel of every member as given [inputs, units], and 0 elsewhere. */
export function skipOnly(plan: Plan, layout: Layout, kernel: Float32Array): Float32Array {
  const flat = new Float32Array(layout.size);
  const { offset } = layout.entries.find((e) => e.name === plan.skip?.kernel)!;
  for (let m = 0; m < plan.members; m++) flat.set(kernel, offset + m * kernel.length);
  return flat;
}

/**
 * He's initialisation (2015) by the number of inputs that are ever on; biases and the skip layer start at 0, the last layer small. What an
 * input that never varies would meet starts at 0 and stays there: nothing untrained speaks when it is first on in a request.
 */
export function initialWeights(of: { plan: Plan; layout: Layout; encoded: Encoded; rows: Int32Array; seed: number }): Float32Array {
  const { plan, layout, encoded, rows, seed } = of;
  const alive = everOn(encoded, rows);
  const bagUnits = plan.bags.reduce((sum, b) => sum + b.units, 0);
  const flat = new Float32Array(layout.size);
  const fill = (name: string, deviation: number, on: (row: number) => boolean = () => true): void => {
    const { shape, offset } = layout.entries.find((e) => e.name === name)!;
    const uniform = random(seed, 'weights', name);
    const perMember = shape[1] * shape[2];
    for (let i = 0; i < shape[0] * perMember; i++) {
      const x = normal(uniform) * deviation;
      if (on(Math.floor((i % perMember) / shape[2]))) flat[offset + i] = x;
    }
  };
  for (const bag of plan.bags) fill(bag.table, TABLE_DEVIATION);
  const meanSquare = alive.energy + bagUnits * TABLE_DEVIATION ** 2;
  plan.layers.forEach((layer, l) => {
    const inputs = l === 0 ? Math.max(1, meanSquare) : plan.layers[l - 1]!.units;
    const last = l === plan.layers.length - 1;
    const deviation = last ? 0.3 / Math.sqrt(inputs) : Math.sqrt(2 / inputs);
    fill(layer.kernel, deviation, l === 0 ? (row) => row >= plan.width || alive.on[row] === 1 : undefined);
  });
  return flat;
}

/** Which fixed inputs are ever non-zero, and the mean sum of squares of a row. */
function everOn({ width, block }: Encoded, rows: Int32Array): { on: Uint8Array; energy: number } {
  const on = new Uint8Array(width);
  let squares = 0;
  for (const row of rows) {
    for (let j = 0; j < width; j++) {
      const x = block[row * width + j]!;
      if (x !== 0) on[j] = 1;
      squares += x * x;
    }
  }
  return { on, energy: squares / Math.max(1, rows.length) };
}
