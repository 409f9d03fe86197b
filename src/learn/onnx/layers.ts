import type { Dense, Network, Weight } from '../network';
import type { Block, Encoded } from './encoders';
import type { Graph, Value } from './graph';

/** The dense layers and the skip, per member: float32 [members, N, units of the last layer]. */
export function layers(graph: Graph, network: Network, encoded: Encoded): Value {
  const weightOf = (name: string): Weight => network.weights[name]!;
  const activate = (value: Value, dense: Dense): Value => (dense.activation === 'relu' ? graph.node('Relu', [value]) : value);
  const addBias = (value: Value, dense: Dense): Value => {
    const bias = weightOf(dense.bias);
    return graph.node('Add', [value, graph.float32(bias.data, bias.shape)]);
  };
  const fromEncoded = (dense: Dense): Value => {
    const kernel = weightOf(dense.kernel);
    const products = [encoded.shared, encoded.own].flatMap((block) => (block ? [product(graph, block, kernel)] : []));
    return addBias(products.reduce((sum, p) => graph.node('Add', [sum, p])), dense);
  };

  const [first, ...rest] = network.layers;
  let y = activate(fromEncoded(first!), first!);
  for (const dense of rest) {
    const kernel = weightOf(dense.kernel);
    y = activate(addBias(graph.node('MatMul', [y, graph.float32(kernel.data, kernel.shape)]), dense), dense);
  }
  return network.skip ? graph.node('Add', [y, fromEncoded(network.skip)]) : y;
}

/** A part of the encoded row times the rows of the kernel that it meets; [N, in] is the same for all members. */
function product(graph: Graph, block: Block, kernel: Weight): Value {
  const [members, inputs, units] = kernel.shape as [number, number, number];
  const rows = new Float32Array(members * block.columns.length * units);
  for (let m = 0; m < members; m++) {
    block.columns.forEach((column, i) => {
      const from = (m * inputs + column) * units;
      rows.set(kernel.data.subarray(from, from + units), (m * block.columns.length + i) * units);
    });
  }
  return graph.node('MatMul', [block.value, graph.float32(rows, [members, block.columns.length, units])]);
}
