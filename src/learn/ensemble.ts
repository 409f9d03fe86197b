import type { Tensor3D } from '@tensorflow/tfjs-node';
import type { Encoded } from './encode';
import type { Dense, Network } from './network';

export type TF = typeof import('@tensorflow/tfjs-node');

/** What an ensemble computes, without its weights. Inputs are `width` fixed numbers, then the bags' units. */
export interface Plan {
  members: number;
  width: number;
  bags: { table: string; tokens: number; units: number }[];
  layers: Dense[];
  skip: Dense | undefined;
}

/** Weights as tensors, by name. */
export type Parameters = Record<string, Tensor3D>;

/** Some rows as tensors: [1, rows, *] when all members see the same rows, [members, rows, *] when each has its own. */
export interface Inputs { fixed: Tensor3D; bags: Tensor3D[] }

/** `hidden[l]` is what layer l reads, [members or 1, rows, *]; `output` is [members, rows, units]. */
export interface Pass { hidden: Tensor3D[]; output: Tensor3D }

export const planOf = (network: Network, encoded: Encoded): Plan => ({
  members: network.members,
  width: encoded.width,
  bags: encoded.bags.map(({ encoder }) => ({ table: encoder.table, tokens: encoder.idf.length, units: encoder.units })),
  layers: network.layers,
  skip: network.skip,
});

/** Rows `rows[i]` of the encoded table, `groups` equally long lists of them one after the other. A row of -1 is all zeros. */
export function gather(tf: TF, encoded: Encoded, rows: Int32Array, groups: number): Inputs {
  const perGroup = rows.length / groups;
  const { width, block } = encoded;
  const fixed = new Float32Array(rows.length * width);
  for (let i = 0; i < rows.length; i++) if (rows[i]! >= 0) fixed.set(block.subarray(rows[i]! * width, (rows[i]! + 1) * width), i * width);
  const bags = encoded.bags.map(({ encoder, offsets, ids, weights }) => {
    const tokens = encoder.idf.length;
    const dense = new Float32Array(rows.length * tokens);
    for (let i = 0; i < rows.length; i++) {
      if (rows[i]! < 0) continue;
      for (let k = offsets[rows[i]!]!; k < offsets[rows[i]! + 1]!; k++) dense[i * tokens + ids[k]!]! += weights[k]!;
    }
    return tf.tensor3d(dense, [groups, perGroup, tokens]);
  });
  return { fixed: tf.tensor3d(fixed, [groups, perGroup, width]), bags };
}

/** `dropout`, if given, has one factor for every number a hidden layer puts out: 0, or 1 / (share kept). */
export function forward(
  tf: TF, plan: Plan, parameters: Parameters, inputs: Inputs, dropout?: (shape: [number, number, number]) => Tensor3D,
): Pass {
  const bags = inputs.bags.map((bag, i) => tf.matMul<Tensor3D>(bag, parameters[plan.bags[i]!.table]!));
  const fixed = bags.length > 0 && inputs.fixed.shape[0] < plan.members ? tf.tile(inputs.fixed, [plan.members, 1, 1]) : inputs.fixed;
  const hidden: Tensor3D[] = [bags.length > 0 ? tf.concat([fixed, ...bags], 2) : fixed];
  let output: Tensor3D = hidden[0]!;
  for (const layer of plan.layers) {
    output = tf.add(tf.matMul(hidden.at(-1)!, parameters[layer.kernel]!), parameters[layer.bias]!);
    if (layer.activation === 'none') continue;
    output = tf.relu<Tensor3D>(output);
    if (dropout) output = tf.mul<Tensor3D>(output, dropout(output.shape));
    hidden.push(output);
  }
  if (plan.skip) output = tf.add(output, tf.add(tf.matMul(hidden[0]!, parameters[plan.skip.kernel]!), parameters[plan.skip.bias]!));
  return { hidden, output };
}

/**
 * Gradients of a loss by weight name, given its gradient by the ensemble's output (back-propagation; Rumelhart et al., 1986).
 * Written out because an op costs more than its arithmetic here, and automatic differentiation takes several times as many.
 * A dropped or negative unit has output 0, so one comparison masks both; `scale` is dropout's 1 / (share kept).
 */
export function backward(
  tf: TF, plan: Plan, parameters: Parameters, inputs: Inputs, pass: Pass, gradient: Tensor3D, scale = 1,
): Parameters {
  const gradients: Parameters = {};
  const bias = (g: Tensor3D): Tensor3D => tf.sum(g, 1, true);
  const below: Tensor3D[] = [];
  const bagUnits = plan.bags.reduce((sum, b) => sum + b.units, 0);
  /** The part of a first-layer kernel that reads the bags. */
  const ofBags = (kernel: Tensor3D): Tensor3D => tf.slice(kernel, [0, plan.width, 0], [plan.members, bagUnits, kernel.shape[2]]);

  let g = gradient;
  for (let l = plan.layers.length - 1; l >= 0; l--) {
    const layer = plan.layers[l]!;
    const kernel = parameters[layer.kernel]!;
    gradients[layer.kernel] = tf.matMul(pass.hidden[l]!, g, true, false);
    gradients[layer.bias] = bias(g);
    if (l === 0) {
      if (bagUnits > 0) below.push(tf.matMul(g, ofBags(kernel), false, true));
      break;
    }
    const open = tf.cast(tf.greater(pass.hidden[l]!, 0), 'float32');
    g = tf.mul(tf.matMul(g, kernel, false, true), scale === 1 ? open : tf.mul(open, scale));
  }
  if (plan.skip) {
    gradients[plan.skip.kernel] = tf.matMul(pass.hidden[0]!, gradient, true, false);
    gradients[plan.skip.bias] = gradients[plan.layers.at(-1)!.bias]!;
    if (bagUnits > 0) below.push(tf.matMul(gradient, ofBags(parameters[plan.skip.kernel]!), false, true));
  }
  if (bagUnits > 0) {
    const parts = tf.split(tf.addN(below), plan.bags.map((b) => b.units), 2) as Tensor3D[];
    plan.bags.forEach((b, i) => { gradients[b.table] = tf.matMul(inputs.bags[i]!, parts[i]!, true, false); });
  }
  return gradients;
}
