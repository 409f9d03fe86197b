import * as fc from 'fast-check';
import type { Table } from '../../src/domain/table';
import type { Head, Network } from '../../src/learn/network';
import { exportOnnx } from '../../src/learn/onnx/export';
import { predict } from '../../src/learn/predict';
import { type Case, cases } from './onnx/generate';
import { evaluate, type Outputs } from './onnx/reference';
import { featuresOf, open, plainText, run } from './onnx/run';

const HEADS: Head['kind'][] = ['regression', 'classification', 'embedding', 'forecast'];

describe('an exported network computes what its docstrings say', () => {
  test.each(HEADS)('%s', async (kind) => {
    await fc.assert(fc.asyncProperty(cases([kind]), async (example) => {
      const { network, table } = example;
      const session = await open(exportOnnx(network, featuresOf(table)));
      try {
        const { outputs } = await run(session, table);
        expectClose(outputs, evaluate(network, table), example);
      } finally {
        await session.release();
      }
    }), { numRuns: 300 });
  }, 120_000);
});

describe('TensorFlow.js and ONNX Runtime agree', () => {
  test.each(HEADS)('%s', async (kind) => {
    await fc.assert(fc.asyncProperty(cases([kind]), async (example) => {
      const table = plainText(example.table);
      const network = bagsLast(example.network);
      const session = await open(exportOnnx(network, featuresOf(table)));
      try {
        const { outputs } = await run(session, table);
        expectClose(outputs, rowsOf(predict(network, table)), example);
      } finally {
        await session.release();
      }
    }), { numRuns: 60 });
  }, 120_000);
});

/** As training needs them; any order can be exported. */
function bagsLast(network: Network): Network {
  const of = (bag: boolean) => network.encoders.filter((e) => (e.kind === 'bag') === bag);
  return { ...network, encoders: [...of(false), ...of(true)] };
}

function rowsOf(table: Table): Outputs {
  return Object.fromEntries(Object.entries(table.columns).map(([name, column]) => {
    const width = column.type === 'vector' ? column.width : 1;
    const values = Array.from(column.values as ArrayLike<number | string>);
    return [name, Array.from({ length: table.rows }, (_, r) => values.slice(r * width, (r + 1) * width))];
  }));
}

/** Within 1e-4, relative beyond 1; a linear forecast's errors are relative to its history, from which it is scaled. */
function expectClose(actual: Outputs, expected: Outputs, { network, table }: Case): void {
  expect(Object.keys(actual).sort()).toEqual(Object.keys(expected).sort());
  const history = table.columns.history?.values as Float32Array | undefined;
  const scale = network.head.kind === 'forecast' && history ? Math.max(...history.map((v) => (Number.isFinite(v) ? Math.abs(v) : 0))) : 1;
  for (const [name, rows] of Object.entries(expected)) {
    rows.forEach((row, r) => row.forEach((value, i) => {
      const got = actual[name]![r]![i]!;
      if (typeof value === 'string' && got === value) return;
      const close = typeof value === 'string' ? isTie(expected.probabilities![r] as number[], got as string, network.head)
        : Number.isFinite(got) && Math.abs((got as number) - value) <= 1e-4 * Math.max(1, scale, Math.abs(value));
      if (!close) throw new Error(`${name}[${r}, ${i}] is ${got}, expected ${value}`);
    }));
  }
}

const isTie = (probabilities: number[], label: string, head: Head): boolean =>
  head.kind === 'classification' && probabilities[head.classes.indexOf(label)]! > Math.max(...probabilities) - 1e-5;
