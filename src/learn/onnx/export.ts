import type { ColumnType } from '../../domain/table';
import type { Feature } from '../../domain/version';
import type { Network } from '../network';
import { encode } from './encoders';
import { type ElementType, Graph } from './graph';
import { head } from './heads';
import { layers } from './layers';

const ELEMENT: Record<ColumnType, ElementType> = {
  number: 'float32', boolean: 'float32', vector: 'float32', date: 'float64', category: 'string', text: 'string',
};

/**
 * The network as one ONNX file that takes raw columns: its inputs are `features`, its outputs those of the network's head (see
 * learn/network.ts for their types and shapes). Operators are those of ONNX's own sets, so any ONNX Runtime from 1.17 on runs it.
 * Equal networks and metadata give equal bytes. A text input needs at least one row.
 *
 * @throws ShoalError CONFIG when an input's name is also an output's
 */
export function exportOnnx(network: Network, features: Feature[], metadata: Record<string, string> = {}): Uint8Array {
  const graph = new Graph();
  for (const { name, type, width } of features) graph.input(name, ELEMENT[type], ['N', type === 'vector' ? width! : 1]);
  const encoded = encode(graph, network);
  head(graph, network, layers(graph, network, encoded), encoded);
  return graph.serialise('shoal', metadata);
}
