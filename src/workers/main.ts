import { NativeConnection, Runtime, makeTelemetryFilterString, DefaultLogger } from '@temporalio/worker';
import { parseArgs } from 'node:util';
import { connectClient, embeddedEndpoint, findEndpoint, unreachable } from '../client/connect';
import { loadProject } from '../config';
import { ShoalError } from '../domain/errors';
import { openStore } from '../store/fileStore';
import { createRunTraining } from './training';
import { createWorkers } from './worker';

/**
 * A worker process: `node dist/workers/main.js --project temporal.yaml --worker serve`. Logs JSON lines to standard error.
 * Ends on SIGTERM and SIGINT, and with the process that started it where there is a channel to it.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { project: { type: 'string', default: 'temporal.yaml' }, worker: { type: 'string' }, address: { type: 'string' } } });
  const project = await loadProject(values.project, process.env);
  const spec = project.workers.find((w) => w.name === values.worker);
  if (!spec) {
    throw new ShoalError('CONFIG', `${values.project} has no worker "${values.worker}".`, { remedy: `It has: ${project.workers.map((w) => w.name).join(', ')}.` });
  }
  Runtime.install({
    shutdownSignals: ['SIGTERM', 'SIGINT'],
    logger: new DefaultLogger('INFO', ({ level, timestampNanos, message, meta }) =>
      process.stderr.write(`${JSON.stringify({ time: new Date(Number(timestampNanos / 1_000_000n)).toISOString(), level, worker: spec.name, message, ...meta }, errorsInWords)}\n`)),
    telemetryOptions: { logging: { forward: {}, filter: makeTelemetryFilterString({ core: 'WARN' }) } },
  });

  const endpoint = values.address ? embeddedEndpoint(project, { address: values.address }) : findEndpoint(project, values.project);
  const client = await connectClient(endpoint);
  const connection = await NativeConnection.connect(endpoint.options).catch((error: unknown) => { throw unreachable(endpoint, error); });
  const store = await openStore(project.store);
  const temporal = { ...project.temporal, namespace: endpoint.namespace };
  const workers = await createWorkers({ ...project, temporal }, spec, { connection, client, store, runTraining: createRunTraining({ storePath: project.store.path }) });

  process.on('disconnect', () => workers.forEach((w) => { if (w.getState() === 'RUNNING') w.shutdown(); }));
  const running = workers.map((w) => w.run());
  process.send?.({ type: 'ready' });
  await Promise.all(running);
  await connection.close();
  await client.connection.close();
}

const errorsInWords = (_key: string, value: unknown) => (value instanceof Error ? { name: value.name, message: value.message, stack: value.stack } : value);

main().then(() => process.exit(0), (error: unknown) => {
  process.send?.({ type: 'failed', message: error instanceof Error ? error.message : String(error) });
  process.stderr.write(`${error instanceof ShoalError ? error.message : error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(1);
});
