import { NativeConnection, Runtime } from '@temporalio/worker';
import { connectClient, embeddedEndpoint, findEndpoint, unreachable } from '../client/connect';
import { registerSearchAttributes } from '../client/searchAttributes';
import { loadProject } from '../config';
import { ShoalError } from '../domain/errors';
import { nearest } from '../domain/nearest';
import { tracingFrom } from '../observe';
import { openStore } from '../store/fileStore';
import { installRuntime } from './runtime';
import { createRunTraining } from './training';
import { createWorkers } from './worker';

/**
 * Is a worker of a project, in this process, until SIGTERM or SIGINT, or until the process that started it is gone where there is a
 * channel to it. Logs JSON lines to standard error. `address` is the server's where it is neither in the project nor in the environment.
 */
export async function runWorker({ project: file, name, address }: { project: string; name: string | undefined; address?: string }): Promise<void> {
  const project = await loadProject(file, process.env);
  const spec = project.workers.find((w) => w.name === name);
  if (!spec) {
    const names = project.workers.map((w) => w.name);
    const near = nearest(name ?? '', names);
    throw new ShoalError('CONFIG', `${file} has no worker "${name}".`, { remedy: near ? `Did you mean "${near}"?` : `It has: ${names.join(', ')}.` });
  }
  installRuntime(spec);
  const tracing = tracingFrom(process.env, { service: `shoal-${spec.name}`, warn: (message) => Runtime.instance().logger.warn(message) });

  const endpoint = address ? embeddedEndpoint(project, { address }) : findEndpoint(project, file);
  const client = await connectClient(endpoint);
  if (spec.roles.includes('workflows')) await registerSearchAttributes(client, endpoint.namespace);
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

