import { rm } from 'node:fs/promises';
import { Models } from '../src/serve/models';
import { chainOutputs, runStages, runStagesOnTable, tableOutputs } from '../src/serve/stages';
import { rowsToTable } from '../src/domain/rows';
import type { Row } from '../src/domain/prediction';
import { boxOffice, boxOfficeRelease, temporaryStore } from '../test/serve/fixtures';
import { loadOnnxRuntime } from '../src/native';

/** Latency of a chain of four models within a serving process. Run it with `node -r ./bench/register.cjs bench/serve.ts`. */

const SOURCES = ['Novel', 'Original', 'Comic', null];
const rowsOf = (n: number): Row[] => Array.from({ length: n }, (_, i) => ({
  Title: `The night of day ${i}`, Source: SOURCES[i % 4], Budget: 10 + (i % 90), Sequel: i % 3 === 0,
  Released: `2003-${String(1 + (i % 12)).padStart(2, '0')}-15`,
}));

async function main(): Promise<void> {
  const { store, path } = await temporaryStore();
  try {
    const models = new Models({ store });
    const versions = await boxOffice(store);
    const release = boxOfficeRelease(versions);
    const stages = release.spec.stages.map((stage) => stage.model);
    const cold = performance.now();
    await models.warm(Object.values(versions));
    console.log(
      `loading four versions: ${(performance.now() - cold).toFixed(1)} ms; onnxruntime ${loadOnnxRuntime().env.versions.node ?? ''}`
    );

    const ask = async (rows: Row[]): Promise<void> => {
      const answers = await runStages({ release, stages, rows, earlier: {} }, { models });
      chainOutputs(release, rows, answers);
    };
    const table = rowsToTable(rowsOf(100_000), [
      'Title:text', 'Source:category', 'Budget:number', 'Released:date', 'Sequel:boolean',
    ].map((text) => {
      const [column, type] = text.split(':');
      return { name: column!, column: column!, type: type as 'number' };
    }));
    const one = rowsOf(1);
    const thousand = rowsOf(1_000);
    const results = [
      await measure('one row', 2_000, () => ask(one)),
      await measure('1,000 rows', 100, () => ask(thousand)),
      await measure('100,000 rows, as a table', 3, async () => {
        tableOutputs(release, table, await runStagesOnTable({ release, input: table }, { models }));
      }),
    ];
    console.table(Object.fromEntries(results.map(({ name, ...figures }) => [name, figures])));
  } finally {
    await rm(path, { recursive: true, force: true });
  }
}

async function measure(
  name: string, times: number, work: () => Promise<void>
): Promise<{ name: string; 'p50 ms': number; 'p99 ms': number }> {
  for (let i = 0; i < Math.min(times, 200); i++) await work();
  const taken: number[] = [];
  for (let i = 0; i < times; i++) {
    const start = performance.now();
    await work();
    taken.push(performance.now() - start);
  }
  taken.sort((a, b) => a - b);
  const at = (share: number): number => Number(taken[Math.min(times - 1, Math.floor(share * times))]!.toFixed(3));
  return { name, 'p50 ms': at(0.5), 'p99 ms': at(0.99) };
}

void main();
