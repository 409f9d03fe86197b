// A worker of a project that kills itself, hard, once around each of some activities: FAULTS="before:train,after:evaluate".
// Files that begin with STRUCK say which faults have struck, so that the next worker works. ROLES are those of the worker; all by default.
const { existsSync, writeFileSync } = require('node:fs');
const { NativeConnection, Runtime, DefaultLogger } = require('@temporalio/worker');
const { loadProject } = require('../../dist/config');
const { connectClient, embeddedEndpoint } = require('../../dist/client/connect');
const { openStore } = require('../../dist/store/fileStore');
const { createRunTraining } = require('../../dist/workers/training');
const { createWorkers } = require('../../dist/workers/worker');

const [, , projectFile, address] = process.argv;
const faults = (process.env.FAULTS ?? '').split(',');

function strike(moment, name) {
  const fault = `${moment}:${name}`;
  const struck = `${process.env.STRUCK}-${moment}-${name}`;
  if (!faults.includes(fault) || existsSync(struck)) return;
  writeFileSync(struck, '');
  process.kill(process.pid, 'SIGKILL');
}

const faulty = (context) => ({
  inbound: {
    async execute(input, next) {
      strike('before', context.info.activityType);
      const result = await next(input);
      strike('after', context.info.activityType);
      return result;
    },
  },
});

(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const project = await loadProject(projectFile, process.env);
  const endpoint = embeddedEndpoint(project, { address });
  const client = await connectClient(endpoint);
  const connection = await NativeConnection.connect(endpoint.options);
  const store = await openStore(project.store);
  const runTraining = createRunTraining({ storePath: project.store.path });
  const spec = { name: 'all', roles: (process.env.ROLES ?? 'workflows,train,serve').split(',') };
  const workers = await createWorkers(project, spec, { connection, client, store, runTraining, activityInterceptors: [faulty] });
  process.on('disconnect', () => process.exit(1));
  process.send?.('ready');
  await Promise.all(workers.map((w) => w.run()));
})().catch((error) => { console.error(error); process.exit(1); });
