import type { Tensor1D, Tensor3D } from '@tensorflow/tfjs-node';
import type { TF } from './ensemble';

export interface Batch { output: Tensor3D; rows: Int32Array; groups: number; mask: Tensor3D }

/**
 * What the ensemble is trained towards. `evaluate` takes its output [members, rows, units], the rows it is of (`groups` equally long
 * lists one after the other: 1 when all members saw the same, else one each; -1 pads) and the mask [members, rows, 1]: how much each
 * counts. Loss and weight are sums by member [members]; the gradient is of the loss sum.
 */
export interface Objective {
  units: number;
  evaluate(tf: TF, of: Batch): { loss: Tensor1D; weight: Tensor1D; gradient: Tensor3D };
  /** The target's bytes, for the fingerprint of a checkpoint. */
  targets: Float32Array[];
}

/**
 * Huber's loss (1964), with squares up to `delta`, over `width` targets a row [rows, width]; a NaN target does not count. Each row weighs
 * the same however many of its targets are known.
 */
export function huber(target: Float32Array, width: number, delta: number): Objective {
  return {
    units: width,
    targets: [target],
    evaluate(tf, { output, rows, groups, mask }) {
      const y = pick(target, width, rows);
      const known = Float32Array.from(y, (v) => (Number.isNaN(v) ? 0 : 1));
      for (let i = 0; i < y.length; i++) if (Number.isNaN(y[i]!)) y[i] = 0;
      const shape: [number, number, number] = [groups, rows.length / groups, width];
      const counted = tf.mul<Tensor3D>(mask, tf.tensor3d(known, shape));
      const error = tf.sub(output, tf.tensor3d(y, shape));
      const clipped = tf.clipByValue(error, -delta, delta);
      const gradient = tf.mul<Tensor3D>(clipped, counted);
      // clipped * (error - clipped / 2) is error^2 / 2 inside delta and delta * (|error| - delta / 2) outside.
      const loss = tf.sum<Tensor1D>(tf.mul(gradient, tf.sub(error, tf.mul(clipped, 0.5))), [1, 2]);
      return { loss, weight: tf.sum<Tensor1D>(counted, [1, 2]), gradient };
    },
  };
}

/** Softmax cross-entropy. `target` is each row's class. */
export function crossEntropy(target: Int32Array, classes: number): Objective {
  return {
    units: classes,
    targets: [Float32Array.from(target)],
    evaluate(tf, { output, rows, groups, mask }) {
      const y = new Float32Array(rows.length * classes);
      for (let i = 0; i < rows.length; i++) if (rows[i]! >= 0) y[i * classes + target[rows[i]!]!] = 1;
      const truth = tf.tensor3d(y, [groups, rows.length / groups, classes]);
      const logarithms = tf.logSoftmax(output, 2);
      const loss = tf.neg(tf.sum(tf.mul(tf.mul(truth, logarithms), mask), [1, 2])) as Tensor1D;
      const gradient = tf.mul<Tensor3D>(tf.sub(tf.exp(logarithms), truth), mask);
      return { loss, weight: tf.sum<Tensor1D>(mask, [1, 2]), gradient };
    },
  };
}

/** One attribute's part in `prototypes`: a unit vector for each value [values, dimensions], and each row's value, -1 where missing. */
export interface Codes {
  values: number;
  codes: Float32Array;
  target: Int32Array;
  /** Logarithms of the values' shares. */
  logPrior: Float32Array;
}

/**
 * Hyperspherical prototypes (Mettes, van der Pol and Snoek, 2019): the output's direction is drawn towards the fixed code of each of the
 * row's attribute values, away from the other values' codes: cross-entropy of the softmax of cosine / `temperature`. As the codes are
 * fixed, all members learn the same space. The values' shares are added as constants (Menon et al., 2021, "Long-tail learning via logit
 * adjustment"), so that the direction tells what the inputs say, not what is common anyway.
 */
export function prototypes(attributes: readonly Codes[], dimensions: number, temperature: number): Objective {
  const scale = 1 / temperature;
  return {
    units: dimensions,
    targets: attributes.flatMap((a) => [a.codes, Float32Array.from(a.target)]),
    evaluate(tf, { output, rows, groups, mask }) {
      const norm = tf.maximum(tf.norm(output, 2, 2, true), 1e-6);
      const direction = tf.div<Tensor3D>(output, norm);
      const parts = attributes.map(({ values, codes, target, logPrior }) => {
        const y = new Float32Array(rows.length * values);
        const known = new Float32Array(rows.length);
        for (let i = 0; i < rows.length; i++) {
          const value = rows[i]! >= 0 ? target[rows[i]!]! : -1;
          if (value < 0) continue;
          y[i * values + value] = 1;
          known[i] = 1;
        }
        const perGroup = rows.length / groups;
        const counted = tf.mul<Tensor3D>(mask, tf.tensor3d(known, [groups, perGroup, 1]));
        const truth = tf.tensor3d(y, [groups, perGroup, values]);
        const table = tf.tensor3d(codes, [1, values, dimensions]);
        const cosine = tf.matMul<Tensor3D>(direction, table, false, true);
        const logarithms = tf.logSoftmax(tf.add(tf.mul(cosine, scale), tf.tensor3d(logPrior, [1, 1, values])), 2);
        const wrong = tf.mul<Tensor3D>(tf.sub(tf.exp(logarithms), truth), tf.mul(counted, scale));
        return {
          loss: tf.neg(tf.sum(tf.mul(tf.mul(truth, logarithms), counted), [1, 2])) as Tensor1D,
          weight: tf.sum<Tensor1D>(counted, [1, 2]),
          gradient: tf.matMul<Tensor3D>(wrong, table),
        };
      });
      const pull = tf.addN(parts.map((p) => p.gradient));
      // Only the part across the direction turns it.
      const along = tf.mul(direction, tf.sum(tf.mul(pull, direction), 2, true));
      return {
        loss: tf.addN(parts.map((p) => p.loss)),
        weight: tf.addN(parts.map((p) => p.weight)),
        gradient: tf.div<Tensor3D>(tf.sub(pull, along), norm),
      };
    },
  };
}

function pick(values: Float32Array, width: number, rows: Int32Array): Float32Array {
  const out = new Float32Array(rows.length * width);
  for (let i = 0; i < rows.length; i++) if (rows[i]! >= 0) out.set(values.subarray(rows[i]! * width, (rows[i]! + 1) * width), i * width);
  return out;
}
