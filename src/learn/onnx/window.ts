import type { WindowEncoder } from '../network';
import type { Graph, Value } from './graph';

/** `value` float32 [N, context]; `level` and `spread` float64 [N, 1], for the head. */
export interface NormalisedWindow { value: Value; level: Value; spread: Value; context: number }

/** (x - level) / spread by the row's own level and spread. In float64: sums of large values stay finite. */
export function window(graph: Graph, encoder: WindowEncoder): NormalisedWindow {
  const { context, levelOver } = encoder;
  const zero = graph.float64([0], []);
  const one = graph.float64([1], []);

  const raw = graph.cast(encoder.input, 'float64');
  const finite = graph.node('Less', [graph.node('Abs', [raw]), graph.float64([Infinity], [])]);
  const present = graph.cast(finite, 'float64');
  const x = scale(graph, graph.node('Where', [finite, raw, zero]), encoder.scale);

  // Two columns: over the last positions, over all.
  const masks = graph.float64(Array.from({ length: context }, (_, i) => [i >= context - levelOver ? 1 : 0, 1]).flat(), [context, 2]);
  const counts = graph.node('MatMul', [present, masks]);
  const means = graph.node('Div', [
    graph.node('MatMul', [graph.node('Mul', [x, present]), masks]), graph.node('Max', [counts, one])]);
  const [recentCount, count] = graph.nodeOf('Split', [counts, graph.int64([1, 1])], 2, { axis: 1 });
  const [recentMean, mean] = graph.nodeOf('Split', [means, graph.int64([1, 1])], 2, { axis: 1 });
  const level = graph.node('Where', [graph.node('Greater', [recentCount!, zero]), recentMean!, mean!]);

  const difference = graph.node('Mul', [graph.node('Sub', [x, level]), present]);
  const total = graph.node('ReduceSum', [graph.node('Abs', [difference]), graph.int64([1])], { keepdims: 1 });
  const deviation = graph.node('Div', [total, graph.node('Max', [count!, one])]);
  const spread = graph.node('Max', [deviation, graph.float64([encoder.minSpread], [])]);
  return { value: graph.cast(graph.node('Div', [difference, spread]), 'float32'), level, spread, context };
}

/** log10(1 + max(x, 0)), or x as it is. */
function scale(graph: Graph, x: Value, by: WindowEncoder['scale']): Value {
  if (by === 'linear') return x;
  const positive = graph.node('Max', [x, graph.float64([0], [])]);
  const logarithm = graph.node('Log', [graph.node('Add', [positive, graph.float64([1], [])])]);
  return graph.node('Mul', [logarithm, graph.float64([Math.LOG10E], [])]);
}
