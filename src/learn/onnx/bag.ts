import type { BagEncoder, Weight } from '../network';
import { MAX_TOKENS } from '../tokens';
import type { Graph, Value } from './graph';

/**
 * sum(idf * row) / sqrt(sum(idf^2)) over a row's tokens, [members, N, units].
 *
 * One gather serves all members and the norm: row t of the gathered table is idf[t] * table[m, t] for each member m, then
 * idf[t]^2. What is no token, or not in the vocabulary, is a row of zeros at its end.
 */
export function bag(graph: Graph, encoder: BagEncoder, weight: Weight): Value {
  const { units, idf } = encoder;
  const members = weight.shape[0]!;
  const width = members * units;
  const table = graph.float32(gatheredTable(encoder, weight), [idf.length + 1, width + 1]);

  const tokens = encoder.split ? split(graph, encoder.input) : encoder.input;
  const known = Object.keys(encoder.ids).sort();
  const ids = graph.node('LabelEncoder', [tokens], {
    keys_strings: known, values_int64s: known.map((token) => encoder.ids[token]!), default_int64: idf.length,
  });
  const sums = encoder.split
    ? sumInSteps(graph, table, ids, width + 1)
    : graph.node('Reshape', [graph.node('Gather', [table, ids]), graph.int64([-1, width + 1])]);
  const [weighted, squares] = graph.nodeOf('Split', [sums, graph.int64([width, 1])], 2, { axis: 1 });
  const norm = graph.node('Max', [graph.node('Sqrt', [squares!]), graph.float32([1e-12], [])]);
  const mean = graph.node('Div', [weighted!, norm]);
  if (members === 1) return graph.node('Unsqueeze', [mean, graph.int64([0])]);
  return graph.node('Transpose', [graph.node('Reshape', [mean, graph.int64([-1, members, units])])], { perm: [1, 0, 2] });
}

/** Tokens that are looked up at once: enough for a title or a sentence. */
const STEP = 32;

/**
 * ids int64 [N, tokens] -> the sums of the table's rows, [N, width]. Some tokens at a time, since one long text in a batch must not
 * cost all its rows that much memory.
 */
function sumInSteps(graph: Graph, table: Value, ids: Value, width: number): Value {
  const one = graph.int64([1]);
  const [rows, most] = graph.nodeOf('Split', [graph.node('Shape', [ids]), graph.int64([1, 1])], 2, { axis: 0 });
  const trips = graph.node('Div', [graph.node('Add', [most!, graph.int64([STEP - 1])]), graph.int64([STEP])]);
  const zeros = graph.node('ConstantOfShape', [graph.node('Concat', [rows!, graph.int64([width])], { axis: 0 })]);
  return graph.loop(trips, zeros, ['N', width], (iteration, sums) => {
    const from = graph.node('Mul', [iteration, graph.int64([STEP])]);
    const some = graph.node('Slice', [ids, from, graph.node('Add', [from, graph.int64([STEP])]), one]);
    return graph.node('Add', [sums, graph.node('ReduceSum', [graph.node('Gather', [table, some]), one], { keepdims: 0 })]);
  });
}

/** The same as `tokenise`: string [N, 1] -> [N, most tokens of a row], padded with "". N is at least 1. */
export function split(graph: Graph, text: Value): Value {
  const lower = graph.node('StringNormalizer', [graph.node('Reshape', [text, graph.int64([-1])])], {
    case_change_action: 'LOWER', is_case_sensitive: 1, locale: 'C',
  });
  const [tokens] = graph.nodeOf('StringSplit', [lower], 2, { maxsplit: MAX_TOKENS });
  // What is left of a longer text follows as one more token.
  return graph.node('Slice', [tokens!, graph.int64([0]), graph.int64([MAX_TOKENS]), graph.int64([1])]);
}

function gatheredTable({ idf, units }: BagEncoder, weight: Weight): Float32Array {
  const [members, rows] = weight.shape as [number, number, number];
  const width = members * units + 1;
  const table = new Float32Array((idf.length + 1) * width);
  idf.forEach((w, t) => {
    for (let m = 0; m < members; m++) {
      for (let u = 0; u < units; u++) table[t * width + m * units + u] = w * weight.data[(m * rows + t) * units + u]!;
    }
    table[(t + 1) * width - 1] = w * w;
  });
  return table;
}
