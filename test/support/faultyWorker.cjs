// A worker of a project that kills itself, hard, once, around an activity: FAULT="before:train" or "after:train".
// FAULT_DONE names a file that says the fault has struck, so that the next worker works. ROLES are those of the worker; all by default.
const { existsSync, writeFileSync } = require('node:fs');
const { NativeConnection, Runtime, DefaultLogger } = require('@temporalio/worker');
const { loadProject } = require('../../dist/config');
const { connectClient, embeddedEndpoint } = require('../../dist/client/connect');
const { openStore } = require('../../dist/store/fileStore');
const { createRunTraining } = require('../../dist/workers/training');
const { createWorkers } = require('../../dist/workers/worker');

const [, , projectFile, address] = process.argv;
const [when, activity] = (process.env.FAULT ?? '').split(':');
const done = process.env.FAULT_DONE;

function strike(moment, name) {
  if (moment !== when || name !== activity || existsSync(done)) return;
  writeFileSync(done, '');
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
