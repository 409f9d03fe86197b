import * as fc from 'fast-check';
import { split } from '../../src/learn/onnx/bag';
import { Graph } from '../../src/learn/onnx/graph';
import { MAX_TOKENS, tokenise } from '../../src/learn/tokens';
import { open, run, type Session } from './onnx/run';

let session: Session;

beforeAll(async () => {
  const graph = new Graph();
  graph.output('tokens', 'string', ['N', 'T'], split(graph, graph.input('text', 'string', ['N', 1])));
  session = await open(graph.serialise('tokens', {}));
});
afterAll(() => session.release());

async function tokensInGraph(texts: (string | null)[]): Promise<string[][]> {
  const { outputs } = await run(session, { rows: texts.length, columns: { text: { type: 'text', values: texts } } });
  return outputs.tokens!.map((row) => (row as string[]).filter((token) => token !== ''));
}

const SPACES = [
  ' ', '  ', '\t', '\n', '\r\n', '\v', '\f', '\u0085', '\u00a0', '\u1680', '\u2003', '\u2028', '\u2029', '\u3000', '\ufeff', '\u200b',
];
const WORDS = ['THE', 'The', 'É', 'İstanbul', 'ΣΑΣ', 'ß', '😀', 'İ', 'K', "Knight's:", '\0', '\u0001', '\u007f'];
const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 20 }).map((units) => String.fromCharCode(...units)),
  fc.array(fc.constantFrom(...SPACES, ...WORDS), { maxLength: 20 })
    .map((parts) => parts.join('')),
);

test('the graph cuts every text as tokenise does', async () => {
  await fc.assert(fc.asyncProperty(fc.array(anyText, { minLength: 1, maxLength: 6 }), async (texts) => {
    expect(await tokensInGraph(texts)).toEqual(texts.map(tokenise));
  }), { numRuns: 3_000 });
});

test('very long texts', async () => {
  const texts = [
    'A'.repeat(1_000_000), 'Ab '.repeat(500_000), `${' '.repeat(1_000_000)}X`, 'y '.repeat(MAX_TOKENS), `${'z '.repeat(MAX_TOKENS)}last`,
  ];
  const tokens = await tokensInGraph(texts);
  expect(tokens).toEqual(texts.map(tokenise));
  expect(tokens.map((t) => t.length)).toEqual([1, MAX_TOKENS, 1, MAX_TOKENS, MAX_TOKENS]);
});

test('a text with nothing in it has no tokens, alone or among others', async () => {
  expect(await tokensInGraph([null, '', '   '])).toEqual([[], [], []]);
  expect(await tokensInGraph(['', 'One two'])).toEqual([[], ['one', 'two']]);
  expect(['', '   '].map(tokenise)).toEqual([[], []]);
});
