// A worker of clockWorkflows.ts, with what is around Shoal's workflows: its address, namespace, and after how many ms the tasks it leaves behind go to others.
const { DefaultLogger, NativeConnection, Runtime, Worker } = require('@temporalio/worker');
const { WORKFLOW_SOURCES } = require('../../dist/workers/workflowSources');

const [, , address, namespace, stickyMs] = process.argv;

(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const worker = await Worker.create({
    connection: await NativeConnection.connect({ address }),
    namespace,
    taskQueue: 'clock',
    workflowsPath: require.resolve('./clockWorkflows.ts'),
    interceptors: { workflowModules: WORKFLOW_SOURCES.workflowInterceptorModules },
    stickyQueueScheduleToStartTimeout: Number(stickyMs),
  });
  process.on('disconnect', () => process.exit(1));
  process.send('ready');
  await worker.run();
})().catch((error) => { console.error(error); process.exit(1); });
