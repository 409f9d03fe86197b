import { NativeConnection, Runtime } from '@temporalio/worker';
import { parseArgs } from 'node:util';
import { connectClient, embeddedEndpoint, findEndpoint, unreachable } from '../client/connect';
import { loadProject } from '../config';
import { ShoalError } from '../domain/errors';
import { EXIT, exitCodeOf } from '../domain/exitCodes';
import { tracingFrom } from '../observe';
import { openStore } from '../store/fileStore';
import { installRuntime } from './runtime';
import { createRunTraining } from './training';
import { createWorkers } from './worker';

/**
 * A worker process: `node dist/workers/main.js --project temporal.yaml --worker serve`. Logs JSON lines to standard error.
 * Ends on SIGTERM and SIGINT, and with the process that started it where there is a channel to it; its status is as that of `shoal`.
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

/** What is wrong is said in words; of what nobody foresaw, where it happened too. */
main().then(() => process.exit(EXIT.ok.code), (error: unknown) => {
  const misused = error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
  const known = error instanceof ShoalError;
  process.send?.({ type: 'failed', code: known ? error.code : 'INTERNAL', message: error instanceof Error ? error.message : String(error) });
  process.stderr.write(`${!(error instanceof Error) ? String(error) : known || misused ? error.message : error.stack}\n`);
  process.exit(misused ? EXIT.usage.code : exitCodeOf(error));
});
