import * as fc from 'fast-check';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Head } from '../../src/learn/network';
import { exportOnnx } from '../../src/learn/onnx/export';
import { cases } from './onnx/generate';
import { python } from '../support/python';
import { featuresOf, feedsOf, open, plainText } from './onnx/run';

type Answer = { metadata: Record<string, string>; outputs: Record<string, { dims: number[]; data: (number | string)[] }> };

const folder = mkdtempSync(join(tmpdir(), 'onnx-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const HEADS: Head['kind'][] = ['regression', 'classification', 'embedding', 'forecast'];

test.each(HEADS)('%s: exported files pass the ONNX checker and run the same in Python', async (kind) => {
  const examples = fc.sample(cases([kind]), { numRuns: 40, seed: 7 }).map(({ network, table }, i) => {
    const file = join(folder, `${kind}-${i}.onnx`);
    const plain = plainText(table);
    const bytes = exportOnnx(network, featuresOf(plain), { model: 'é "x"', version: '1' });
    writeFileSync(file, bytes);
    return { file, bytes, feeds: feedsOf(plain) };
  });
  const answers = await python<Answer[]>(join(__dirname, 'onnx/check.py'), examples.map(({ file, feeds }) => ({
    file,
    feeds: Object.fromEntries(Object.entries(feeds).map(([name, { type, dims, data }]) => [name, { type, dims, data: jsonOf(data) }])),
  })), join(__dirname, 'onnx/requirements.txt'));

  expect(answers).toHaveLength(40);
  for (const [i, { bytes, feeds }] of examples.entries()) {
    const session = await open(bytes);
    const here = await session.run(feeds);
    const there = answers[i]!;
    expect(there.metadata).toEqual({ model: 'é "x"', version: '1' });
    expect(Object.keys(there.outputs).sort()).toEqual(Object.keys(here).sort());
    for (const [name, { dims, data }] of Object.entries(there.outputs)) {
      expect(dims).toEqual(here[name]!.dims);
      data.forEach((value, at) => {
        const mine = (here[name]!.data as ArrayLike<number | string>)[at]!;
        if (typeof value === 'string') expect(mine).toBe(value);
        else expect(Math.abs((mine as number) - value)).toBeLessThanOrEqual(1e-5 * Math.max(1, Math.abs(value)));
      });
    }
    await session.release();
  }
}, 300_000);

const jsonOf = (data: unknown): (number | string)[] =>
  Array.from(data as ArrayLike<number | string>, (v) => (typeof v === 'number' && !Number.isFinite(v) ? String(v) : v));
