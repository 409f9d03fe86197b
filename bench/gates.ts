import { evaluate, type Scored } from '../src/domain/evaluate';
import { random } from '../src/domain/random';
import { evaluateSlices } from '../src/domain/slices';
import type { GateSpec } from '../src/domain/spec';
import { run, trainProject } from '../test/activities/fixtures';
import { regression } from '../test/domain/specs';
import { twoModels } from '../test/support/smallProject';

/** How long it takes to judge. After a build: `node -r ./bench/register.cjs bench/gates.ts`. */

const OPTIONS = { resamples: 1_000, seed: 1, confidence: 0.95 };

async function time<T>(what: string, work: () => T | Promise<T>): Promise<T> {
  const start = performance.now();
  const result = await work();
  console.log(`${what}: ${((performance.now() - start) / 1000).toFixed(2)} s`);
  return result;
}

async function slices(rows: number, count: number): Promise<void> {
  const next = random(3);
  const column = () => ({ type: 'number' as const, values: Float64Array.from({ length: rows }, next) });
  const predictions = () => ({ outputs: { rows, columns: { value: column() } } });
  const scored: Scored = { truth: { task: 'regression', target: column() }, newcomer: predictions(), champion: { ...predictions(), version: 'c' }, baseline: predictions() };
  const gates: GateSpec[] = [{ metric: 'rmse', against: 'champion', min: 0, slice: { column: 'c', minRows: 30 } }];
  const parts = Array.from({ length: count }, (_, i) => ({ name: `c = ${i}`, rows: Array.from({ length: Math.floor(rows / count) }, (__, j) => i + j * count) }));
  await time(`${rows} rows as a whole, all metrics`, () => evaluate(regression(), scored, OPTIONS));
  await time(`${rows} rows in ${count} slices, one metric`, () => evaluateSlices(regression(), scored, { gates, slices: new Map([['column c', parts]]) }, OPTIONS));
}

async function main(): Promise<void> {
  await slices(10_000, 12);
  await slices(100_000, 200);
  const flats = await trainProject({ models: twoModels({ maxEpochs: 20 }), rows: 20_000 });
  try {
    const release = flats.release();
    const { ablate, checkServable, evaluateRelease } = flats.activities();
    await time('evaluateRelease, 5,000 rows', () => run(evaluateRelease, { candidate: release }));
    const ablation = await time('ablate, 5,000 rows, two models', () => run(ablate, { release }));
    for (const { reason } of ablation.components) console.log(`  ${reason}`);
    console.log(`  ${(await time('checkServable, two models', () => run(checkServable, { release }))).reason}`);
  } finally {
    flats.remove();
  }
}

void main();
