import type { Head, Network } from '../network';
import type { Encoded } from './encoders';
import type { Graph, Shape, Value } from './graph';

/** Declares the graph's outputs. `y` is the last layer's output, float32 [members, N, units]. */
export function head(graph: Graph, network: Network, y: Value, encoded: Encoded): void {
  switch (network.head.kind) {
    case 'regression': return regression(graph, network.head, y);
    case 'classification': return classification(graph, network.head, y);
    case 'embedding': return embedding(graph, network.head, y);
    case 'forecast': return forecast(graph, network.head, y, encoded);
  }
}

type HeadOf<K extends Head['kind']> = Extract<Head, { kind: K }>;

/** Scales beyond these would leave float32 when raised. */
const LOG10_RANGE = [-30, 30] as const;
const FLOAT32_MAX = 3.4028234663852886e38;

function regression(graph: Graph, head: HeadOf<'regression'>, y: Value): void {
  const { mean, deviation, lowOffset, highOffset } = head;
  const scaled = graph.node('Mul', [meanOverMembers(graph, y), graph.float32([deviation], [])]);
  const z = graph.node('Add', [scaled, graph.float32([mean, mean + lowOffset, mean + highOffset])]);
  const raised = head.scale === 'linear' ? z : graph.node('Pow', [graph.float32([10], []), clip(graph, z, 'float32', LOG10_RANGE)]);
  const [value, low, high] = graph.nodeOf('Split', [raised, graph.int64([1, 1, 1])], 3, { axis: 1 });
  interval(graph, [value!, low!, high!], ['N', 1]);
}

function classification(graph: Graph, head: HeadOf<'classification'>, y: Value): void {
  const logits = head.temperature === 1 ? y : graph.node('Div', [y, graph.float32([head.temperature], [])]);
  const probabilities = meanOverMembers(graph, graph.node('Softmax', [logits], { axis: -1 }));
  const likeliest = graph.node('ArgMax', [probabilities], { axis: 1, keepdims: 1 });
  graph.output('probabilities', 'float32', ['N', head.classes.length], probabilities);
  graph.output('label', 'string', ['N', 1], graph.node('Gather', [graph.strings(head.classes), likeliest], { axis: 0 }));
  graph.output('probability', 'float32', ['N', 1], graph.node('ReduceMax', [probabilities, graph.int64([1])], { keepdims: 1 }));
}

function embedding(graph: Graph, head: HeadOf<'embedding'>, y: Value): void {
  const normalised = (vectors: Value): Value => {
    const length = graph.node('ReduceL2', [vectors, graph.int64([-1])], { keepdims: 1 });
    return graph.node('Div', [vectors, graph.node('Max', [length, graph.float32([1e-6], [])])]);
  };
  graph.output('vector', 'float32', ['N', head.dimensions], normalised(meanOverMembers(graph, normalised(y))));
}

function forecast(graph: Graph, head: HeadOf<'forecast'>, y: Value, encoded: Encoded): void {
  const { level, spread } = encoded.windows.get(head.window)!;
  const mean = graph.cast(meanOverMembers(graph, y), 'float64');
  const outputs = [undefined, head.lowOffset, head.highOffset].map((offset) => {
    const offsetMean = offset ? graph.node('Add', [mean, graph.float64(offset)]) : mean;
    const z = graph.node('Add', [level, graph.node('Mul', [spread, offsetMean])]);
    if (head.scale === 'linear') return graph.cast(clip(graph, z, 'float64', [-FLOAT32_MAX, FLOAT32_MAX]), 'float32');
    const raised = graph.node('Pow', [graph.float64([10], []), clip(graph, z, 'float64', LOG10_RANGE)]);
    const less = graph.node('Sub', [raised, graph.float64([1], [])]);
    return graph.cast(graph.node('Max', [less, graph.float64([0], [])]), 'float32');
  });
  interval(graph, outputs, ['N', head.horizon]);
}

function interval(graph: Graph, outputs: Value[], shape: Shape): void {
  ['value', 'low', 'high'].forEach((name, i) => graph.output(name, 'float32', shape, outputs[i]!));
}

const meanOverMembers = (graph: Graph, y: Value): Value => graph.node('ReduceMean', [y, graph.int64([0])], { keepdims: 0 });

const clip = (graph: Graph, x: Value, type: 'float32' | 'float64', [low, high]: readonly [number, number]): Value =>
  graph.node('Clip', [x, graph[type]([low], []), graph[type]([high], [])]);
