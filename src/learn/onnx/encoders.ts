import { widthOf } from '../encode';
import type {
  BagEncoder, CycleEncoder, Encoder, FlagEncoder, HorizonEncoder, Network, OneHotEncoder, PiecewiseEncoder, StandardEncoder,
} from '../network';
import { bag } from './bag';
import type { Graph, Value } from './graph';
import { type NormalisedWindow, window } from './window';

/** Numbers a row, with the place of each column in the encoded row as the network has it. */
export interface Block { value: Value; columns: number[] }

/** The encoded rows: [N, columns] that all members share, and [members, N, columns] that differ from member to member. */
export interface Encoded { shared?: Block; own?: Block; windows: Map<string, NormalisedWindow> }

/** An encoder, and the place of its first number in the encoded row. */
type Placed<E extends Encoder> = { encoder: E; offset: number };

/**
 * Encoders of one kind are computed together, over one block of columns: what a row costs is the number of operators far more
 * than their width. The first layer's kernel takes its rows in the order of the blocks.
 */
export function encode(graph: Graph, network: Network): Encoded {
  let width = 0;
  const placed = network.encoders.map((encoder) => {
    const offset = width;
    width += widthOf(encoder);
    return { encoder, offset };
  });
  const all = <K extends Encoder['kind']>(...kinds: K[]): Placed<Extract<Encoder, { kind: K }>>[] =>
    placed.filter((p): p is Placed<Extract<Encoder, { kind: K }>> => (kinds as string[]).includes(p.encoder.kind));

  const windows = all('window').map(({ encoder, offset }) => ({ input: encoder.input, offset, ...window(graph, encoder) }));
  const shared: Block[] = [
    ...together(all('piecewise'), (group) => piecewise(graph, group)),
    ...together(all('standard', 'horizon'), (group) => standard(graph, group)),
    ...together(all('flag'), (group) => flag(graph, group)),
    ...together(all('onehot'), (group) => onehot(graph, group)),
    ...together(all('cycle'), (group) => cycle(graph, group)),
    ...windows.map(({ value, offset, context }) => ({ value, columns: range(offset, context) })),
  ];
  const own = all('bag').map(({ encoder, offset }): Block => ({
    value: bag(graph, encoder, network.weights[encoder.table]!), columns: range(offset, encoder.units),
  }));
  return {
    ...(shared.length > 0 && { shared: join(graph, shared, 1) }),
    ...(own.length > 0 && { own: join(graph, own, 2) }),
    windows: new Map(windows.map((w) => [w.input, w])),
  };
}

/** clip((d - lower) / (upper - lower), 0, 1), and 1 for a missing value at the end. */
function piecewise(graph: Graph, group: Placed<PiecewiseEncoder>[]): Block {
  const numbers = group.filter(({ encoder }) => encoder.from === 'number');
  const dates = group.filter(({ encoder }) => encoder.from === 'date');
  const ordered = [...numbers, ...dates];
  const edges = ordered.map(({ encoder: { edges, from } }) => {
    const origin = from === 'date' ? edges[0]! : 0;
    return edges.map((edge) => Math.fround(edge - origin));
  });

  const x = graph.concat([
    ...together(numbers, (some) => graph.concat(inputsOf(some), 1)),
    ...together(dates, (some) => graph.cast(
      graph.node('Sub', [graph.concat(inputsOf(some), 1), graph.float64(some.map(({ encoder }) => encoder.edges[0]!))]), 'float32')),
  ], 1);
  const missing = graph.node('IsNaN', [x]);
  const known = graph.node('Where', [missing, graph.float32(edges.map((e) => e[0]!)), x]);
  const d = spread(graph, known, edges.map((e) => e.length - 1));
  const lower = edges.flatMap((e) => e.slice(0, -1));
  const upper = edges.flatMap((e) => e.slice(1));
  const ratio = graph.node('Div', [graph.node('Sub', [d, graph.float32(lower)]), graph.float32(upper.map((u, j) => u - lower[j]!))]);
  const clipped = graph.node('Clip', [ratio, graph.float32([0], []), graph.float32([1], [])]);
  return {
    value: graph.concat([clipped, graph.cast(missing, 'float32')], 1),
    columns: [
      ...ordered.flatMap(({ encoder, offset }) => range(offset, encoder.edges.length - 1)),
      ...ordered.map(({ encoder, offset }) => offset + encoder.edges.length - 1),
    ],
  };
}

/** (clip(x, low, high) - mean) / deviation, 0 for a missing value. */
function standard(graph: Graph, group: Placed<StandardEncoder | HorizonEncoder>[]): Block {
  const each = (of: (encoder: StandardEncoder | HorizonEncoder) => number | number[]): Value =>
    graph.float32(group.flatMap(({ encoder }) => {
      const values = of(encoder);
      return typeof values === 'number' ? new Array<number>(widthOf(encoder)).fill(values) : values;
    }));
  const x = graph.concat(inputsOf(group), 1);
  const clipped = graph.node('Max', [graph.node('Min', [x, each((e) => e.high)]), each((e) => e.low)]);
  const scaled = graph.node('Div', [graph.node('Sub', [clipped, each((e) => e.mean)]), each((e) => e.deviation)]);
  return {
    value: graph.node('Where', [graph.node('IsNaN', [x]), graph.float32([0], []), scaled]),
    columns: group.flatMap(({ encoder, offset }) => range(offset, widthOf(encoder))),
  };
}

/** [x > 0.5, x <= 0.5]; both are false of a missing value. */
function flag(graph: Graph, group: Placed<FlagEncoder>[]): Block {
  const x = graph.concat(inputsOf(group), 1);
  const half = graph.float32([0.5], []);
  const yes = graph.node('Greater', [x, half]);
  const no = graph.node('LessOrEqual', [x, half]);
  return {
    value: graph.cast(graph.node('Concat', [yes, no], { axis: 1 }), 'float32'),
    columns: [...group.map(({ offset }) => offset), ...group.map(({ offset }) => offset + 1)],
  };
}

/** 1 where the category's place in `values` is the entry's; a category never seen has none. */
function onehot(graph: Graph, group: Placed<OneHotEncoder>[]): Block {
  const places = graph.concat(group.map(({ encoder }) => graph.node('LabelEncoder', [encoder.input], {
    keys_strings: encoder.values, values_int64s: encoder.values.map((_, place) => place), default_int64: -1,
  })), 1);
  const entries = group.flatMap(({ encoder }) => encoder.values.map((_, place) => place));
  const hits = graph.node('Equal', [spread(graph, places, group.map(({ encoder }) => encoder.values.length)), graph.int64(entries)]);
  return {
    value: graph.cast(hits, 'float32'),
    columns: group.flatMap(({ encoder, offset }) => range(offset, encoder.values.length)),
  };
}

/** sin(k p), cos(k p) of the phase p = fmod(x, period) * 2 pi / period; fmod of what is not finite is NaN, which becomes 0. */
function cycle(graph: Graph, group: Placed<CycleEncoder>[]): Block {
  const periods = group.map(({ encoder }) => encoder.periodDays);
  const remainder = graph.node('Mod', [graph.concat(inputsOf(group), 1), graph.float64(periods)], { fmod: 1 });
  const phase = graph.cast(graph.node('Mul', [remainder, graph.float64(periods.map((period) => (2 * Math.PI) / period))]), 'float32');
  const harmonics = group.flatMap(({ encoder }) => range(1, encoder.harmonics));
  const angle = graph.node('Mul', [spread(graph, phase, group.map(({ encoder }) => encoder.harmonics)), graph.float32(harmonics)]);
  const waves = graph.node('Concat', [graph.node('Sin', [angle]), graph.node('Cos', [angle])], { axis: 1 });
  const places = group.flatMap(({ encoder, offset }) => range(0, encoder.harmonics).map((k) => offset + 2 * k));
  return {
    value: graph.node('Where', [graph.node('IsNaN', [waves]), graph.float32([0], []), waves]),
    columns: [...places, ...places.map((place) => place + 1)],
  };
}

/** [N, inputs] -> [N, sum of widths]: each column as often as its encoder has entries. One column broadcasts by itself. */
function spread(graph: Graph, columns: Value, widths: number[]): Value {
  if (widths.length === 1) return columns;
  return graph.node('Gather', [columns, graph.int64(widths.flatMap((width, i) => new Array<number>(width).fill(i)))], { axis: 1 });
}

const inputsOf = (group: { encoder: Exclude<Encoder, BagEncoder> }[]): Value[] => group.map(({ encoder }) => encoder.input);
const together = <T, R>(group: T[], make: (group: T[]) => R): R[] => (group.length > 0 ? [make(group)] : []);
const range = (from: number, length: number): number[] => Array.from({ length }, (_, i) => from + i);
const join = (graph: Graph, blocks: Block[], axis: number): Block =>
  ({ value: graph.concat(blocks.map((b) => b.value), axis), columns: blocks.flatMap((b) => b.columns) });
