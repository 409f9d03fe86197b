import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { Shoal } from '../src/client';
import { embeddedEndpoint } from '../src/client/connect';
import { registerSearchAttributes } from '../src/client/searchAttributes';
import { startWorkers } from '../src/cli/workerProcesses';
import { loadProject } from '../src/config';
import { TestServer } from '../test/support/server';
import { smallProject, twoModels } from '../test/support/smallProject';
import { TraceReceiver } from '../test/support/traceReceiver';

/**
 * What traces cost a chained prediction, with worker processes as `shoal up` starts them. Run it with a build:
 * `SHOAL_TEMPORAL_BINARY=... node -r ./bench/register.cjs bench/tracing.ts`. One process predicts without traces, one with; by turns.
 */
const TIMES = 150;
const ROUNDS = 4;
const FLAT = { size: 80, city: 'Bern', built: '1990-06-01', note: 'bright quiet flat' };

/** In a process of its own: what a traced program loads is loaded for good. */
async function predictions(projectFile: string, address: string): Promise<void> {
  const project = await loadProject(projectFile, {});
  const shoal = await Shoal.connect({ projectFile, project, endpoint: embeddedEndpoint(project, { address }) });
  const taken: number[] = [];
  for (let i = 0; i < TIMES + 20; i++) {
    const started = performance.now();
    await shoal.predict('flats', [FLAT]);
    if (i >= 20) taken.push(performance.now() - started);
  }
  await shoal.close();
  console.log(JSON.stringify(taken));
}

async function main(): Promise<void> {
  const server = await TestServer.start({ namespaces: 1 });
  const files = smallProject({ namespace: server.namespace(), rows: 300, models: twoModels({ maxEpochs: 6, chain: 'gates: []' }) });
  const receiver = new TraceReceiver();
  const traced = await receiver.start();
  const project = await loadProject(files.file, {});
  const shoal = await Shoal.connect({ projectFile: files.file, project, endpoint: embeddedEndpoint(project, server) });
  await registerSearchAttributes(shoal.temporal, project.temporal.namespace);
  const taken: Record<string, number[]> = { off: [], on: [] };
  try {
    for (let round = 0; round < ROUNDS; round++) {
      for (const [name, env] of Object.entries({ off: {}, on: traced })) {
        Object.assign(process.env, env);
        const workers = await startWorkers(project, files.file, server.address);
        try {
          if (round === 0 && name === 'off') await shoal.settled(await shoal.train());
          const { stdout } = await promisify(execFile)(process.execPath, ['-r', path.join(__dirname, 'register.cjs'), __filename, files.file, server.address], { env: process.env });
          taken[name]!.push(...JSON.parse(stdout.trim().split('\n').at(-1)!) as number[]);
        } finally {
          await workers.stop();
          for (const key of Object.keys(env)) delete process.env[key];
        }
      }
    }
    const at = (values: number[], share: number) => Number(values.sort((a, b) => a - b)[Math.floor(share * values.length)]!.toFixed(1));
    console.table(Object.fromEntries(Object.entries(taken).map(([name, values]) => [`traces ${name}`, { predictions: values.length, 'p50 ms': at(values, 0.5), 'p95 ms': at(values, 0.95) }])));
    console.log(`${receiver.spans.length} spans received`);
  } finally {
    await shoal.close();
    await receiver.stop();
    await server.stop();
    files.remove();
  }
}

const [, , projectFile, address] = process.argv;
void (projectFile && address ? predictions(projectFile, address) : main()).then(() => process.exit(0), (error: unknown) => { console.error(error); process.exit(1); });
