import * as fc from 'fast-check';
import type { Head } from '../../src/learn/network';
import { exportOnnx } from '../../src/learn/onnx/export';
import { type Case, cases } from './onnx/generate';
import { evaluate, type Outputs } from './onnx/reference';
import { featuresOf, open, run } from './onnx/run';

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
