import { NativeConnection, Runtime } from '@temporalio/worker';
import { parseArgs } from 'node:util';
import { connectClient, embeddedEndpoint, findEndpoint, unreachable } from '../client/connect';
import { loadProject } from '../config';
import { ShoalError } from '../domain/errors';
import { tracingFrom } from '../observe';
import { openStore } from '../store/fileStore';
import { installRuntime } from './runtime';
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
  installRuntime(spec);
  const tracing = tracingFrom(process.env, { service: `shoal-${spec.name}`, warn: (message) => Runtime.instance().logger.warn(message) });

  const endpoint = values.address ? embeddedEndpoint(project, { address: values.address }) : findEndpoint(project, values.project);
  const client = await connectClient(endpoint);
  const connection = await NativeConnection.connect(endpoint.options).catch((error: unknown) => { throw unreachable(endpoint, error); });
  const store = await openStore(project.store);
  const temporal = { ...project.temporal, namespace: endpoint.namespace };
  const workers = await createWorkers({ ...project, temporal }, spec, { connection, client, store, runTraining: createRunTraining({ storePath: project.store.path }), tracing });

  process.on('disconnect', () => workers.forEach((w) => { if (w.getState() === 'RUNNING') w.shutdown(); }));
  const running = workers.map((w) => w.run());
  process.send?.({ type: 'ready' });
  await Promise.all(running);
  await tracing?.flush();
  await connection.close();
  await client.connection.close();
}

main().then(() => process.exit(0), (error: unknown) => {
  process.send?.({ type: 'failed', message: error instanceof Error ? error.message : String(error) });
  process.stderr.write(`${error instanceof ShoalError ? error.message : error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(1);
});
