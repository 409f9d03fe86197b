// A worker of a project that kills itself, hard, around some activities: FAULTS="before:train,after:look#3" is before the first training
// and after the third look. Times are counted in files that begin with STRUCK, so that the next worker goes on with them; where ARMED
// names a file, only once it is there. ROLES are those of the worker; all by default.
const { appendFileSync, existsSync, statSync } = require('node:fs');
const { NativeConnection, Runtime, DefaultLogger } = require('@temporalio/worker');
const { loadProject } = require('../../dist/config');
const { connectClient, embeddedEndpoint } = require('../../dist/client/connect');
const { openStore } = require('../../dist/store/fileStore');
const { createRunTraining } = require('../../dist/workers/training');
const { createWorkers } = require('../../dist/workers/worker');

const [, , projectFile, address] = process.argv;
const { STRUCK, ARMED } = process.env;
const faults = (process.env.FAULTS ?? '').split(',').filter(Boolean).map((fault) => (fault.includes('#') ? fault : `${fault}#1`));

function strike(moment, name) {
  const point = `${moment}:${name}`;
  if (!faults.some((fault) => fault.startsWith(`${point}#`)) || (ARMED && !existsSync(ARMED))) return;
  const count = `${STRUCK}-${moment}-${name}`;
  appendFileSync(count, '.');
  if (faults.includes(`${point}#${statSync(count).size}`)) process.kill(process.pid, 'SIGKILL');
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
