import { startServer } from '../src/cli/server';
import { startWorkers } from '../src/cli/workerProcesses';
import { Shoal } from '../src/client';
import { embeddedEndpoint } from '../src/client/connect';
import { registerSearchAttributes } from '../src/client/searchAttributes';
import { loadProject } from '../src/config';
import { smallProject } from '../test/support/smallProject';

/**
 * How long it takes to roll a chain back: from asking for it to the first prediction by the release it goes to. Server and workers run as
 * `shoal up` starts them. After a build: `node -r ./bench/register.cjs bench/rollback.ts`.
 */

const TIMES = 30;
const FLAT = { size: 80, city: 'Bern', built: '1990-06-01', note: 'bright quiet flat' };

interface Taken { swap: number; prediction: number }

async function main(): Promise<void> {
  const files = smallProject();
  const project = await loadProject(files.file, {});
  const server = await startServer(files.file, { namespace: project.temporal.namespace, firstPort: 17_200 });
  try {
    const shoal = await Shoal.connect({ projectFile: files.file, project, endpoint: embeddedEndpoint(project, server) });
    await registerSearchAttributes(shoal.temporal, project.temporal.namespace);
    const workers = await startWorkers(project, files.file, server.address);
    try {
      for (const release of [1, 2, 3]) {
        if (release > 1) files.addFlats(150);
        await shoal.settled(await shoal.train());
        await until(async () => (await shoal.chain('flats'))?.current?.number === release, `release ${release} is in place`);
        console.log(`release ${release} is in place`);
      }
      const rows: Record<string, Taken[]> = { 'to the one before': [], 'to one by its number': [] };
      // Back and forth between two; then each time to the one that was not in place for longest.
      let target = 3;
      for (let i = 0; i < TIMES; i++) rows['to the one before']!.push(await timed(shoal, { expected: target = target === 3 ? 2 : 3 }));
      for (let i = 0; i < TIMES; i++) rows['to one by its number']!.push(await timed(shoal, { expected: 1 + (i % 3), to: 1 + (i % 3) }));
      console.table(Object.fromEntries(Object.entries(rows).flatMap(([name, taken]) => [
        [`${name}: asked until swapped`, quantiles(taken.map((t) => t.swap))],
        [`${name}: then the first prediction`, quantiles(taken.map((t) => t.prediction))],
        [`${name}: together`, quantiles(taken.map((t) => t.swap + t.prediction))],
      ])));
    } finally {
      await workers.stop();
      await shoal.close();
    }
  } finally {
    await server.stop();
    files.remove();
  }
}

async function timed(shoal: Shoal, { expected, to }: { expected: number; to?: number }): Promise<Taken> {
  const asked = performance.now();
  const { number } = await shoal.rollback('flats', { by: 'bench', reason: 'to see how long it takes', to });
  const swapped = performance.now();
  const { release } = await shoal.predict('flats', [FLAT]);
  const answered = performance.now();
  if (number !== expected || release !== expected) throw new Error(`Release ${release} answers after a rollback to ${expected}.`);
  // The next one finds nothing under way.
  await new Promise((resolve) => setTimeout(resolve, 300));
  return { swap: swapped - asked, prediction: answered - swapped };
}

function quantiles(taken: number[]): Record<string, number> {
  const sorted = [...taken].sort((a, b) => a - b);
  const at = (share: number): number => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!);
  return { 'p50 ms': at(0.5), 'p95 ms': at(0.95), 'most ms': at(1) };
}

async function until(condition: () => Promise<boolean>, what: string): Promise<void> {
  for (const deadline = Date.now() + 120_000; !(await condition());) {
    if (Date.now() > deadline) throw new Error(`It did not come to this: ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

void main();
