import type { Table } from '../domain/table';
import { loadTensorflow } from '../native';
import { answer } from './answer';
import type { Raw } from './answer';
import { encode } from './encode';
import type { Encoded } from './encode';
import { forward, gather, planOf } from './ensemble';
import type { TF } from './ensemble';
import type { Network } from './network';
import { toParameters } from './parameters';

const MAX_FLOATS = 4_000_000;

/** The ensemble's answers, in TensorFlow.js: the outputs that the network's ONNX file gives, as columns. */
export function predict(network: Network, table: Table): Table {
  return answer(network, rawOutputs(loadTensorflow(), network, encode(network.encoders, table)), table);
}

/** Every member's last layer for every row. */
export function rawOutputs(tf: TF, network: Network, encoded: Encoded): Raw {
  const plan = planOf(network, encoded);
  const units = network.layers.at(-1)!.units;
  const { members } = network;
  const { rows } = encoded;
  const raw: Raw = { members, rows, units, data: new Float32Array(members * rows * units) };
  const perRow = encoded.width * members + plan.bags.reduce((sum, b) => sum + b.tokens, 0);
  const chunk = Math.max(1, Math.min(4096, Math.floor(MAX_FLOATS / Math.max(1, perRow))));
  const parameters = toParameters(tf, network.weights);
  try {
    for (let from = 0; from < rows; from += chunk) {
      const length = Math.min(chunk, rows - from);
      const some = Int32Array.from({ length }, (_, i) => from + i);
      const data = tf.tidy(() => forward(tf, plan, parameters, gather(tf, encoded, some, 1)).output.dataSync());
      for (let m = 0; m < members; m++) {
        raw.data.set(data.subarray(m * length * units, (m + 1) * length * units), (m * rows + from) * units);
      }
    }
  } finally {
    tf.dispose(parameters);
  }
  return raw;
}
