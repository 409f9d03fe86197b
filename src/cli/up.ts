import path from 'node:path';
import { Shoal } from '../client';
import { embeddedEndpoint, namedEndpoint } from '../client/connect';
import { registerSearchAttributes } from '../client/searchAttributes';
import { loadProject } from '../config';
import { onceEnded } from './ended';
import { openStore } from '../store/fileStore';
import { dim, print, printJson, rule } from './output';
import { showProgress } from './progress';
import { chainTable, modelTable, predictionBlocks, type Example } from './report';
import { projectReportServer } from './reportServer';
import { firstReportPort, startServer } from './server';
import { startWorkers } from './workerProcesses';

const SHOWN_PREDICTIONS = 3;
const ASKED_PREDICTIONS = 12;

/** Starts all that the project needs, brings its models and chains up to date, shows how they do, and stays until it is told to end. */
export async function up(options: { project: string; exit: boolean; stay: boolean; json: boolean }): Promise<number> {
  const projectFile = path.resolve(options.project);
  const project = await loadProject(projectFile, process.env);
  const live = Boolean(process.stdout.isTTY) && !options.json;
  const stays = options.stay || (live && !options.exit);
  const say = options.json ? () => undefined : print;
  const ended = onceEnded();

  const named = namedEndpoint(project);
  const server = named ? undefined : await startServer(projectFile, { namespace: project.temporal.namespace });
  try {
    const endpoint = named ?? embeddedEndpoint(project, server!);
    say(`Temporal at ${endpoint.address}${endpoint.ui ? `, its UI at ${endpoint.ui}` : ''}`);
    const reports = await projectReportServer(projectFile, await openStore(project.store), { firstPort: firstReportPort() });
    say(`Reports at ${reports.address}`);
    const shoal = await Shoal.connect({ projectFile, project, endpoint, reports: reports.address }).catch(async (error: unknown) => { await reports.stop(); throw error; });
    try {
      await registerSearchAttributes(shoal.temporal, endpoint.namespace);
      const workers = await startWorkers(project, projectFile, server?.address);
      try {
        say(`Workers: ${project.workers.map((w) => `${w.name} (${w.roles.join(', ')})`).join(', ')}`);
        say();
        await shoal.schedules.apply();
        const work = bringUpToDate(shoal, { live, json: options.json });
        const status = await Promise.race([work, ended.then(() => undefined)]);
        if (status === undefined) return 130;
        if (!stays) return status;
        print();
        print('Server and workers stay up until Ctrl-C. Try, in another terminal: npx shoal status');
        await ended;
        print('Ending.');
        return 0;
      } finally {
        await workers.stop();
      }
    } finally {
      await shoal.close();
      await reports.stop();
    }
  } finally {
    await server?.stop();
  }
}

async function bringUpToDate(shoal: Shoal, { live, json }: { live: boolean; json: boolean }): Promise<number> {
  const batch = await shoal.train(undefined, { trigger: 'start', reason: 'the project was started' });
  const status = json ? await shoal.settled(batch) : await showProgress(shoal, batch, { live });
  const examples = await Promise.all(status.chains.filter((c) => c.current).map(async ({ chain }) => {
    return { chain, examples: await tellingExamples(shoal, chain) };
  }));
  const failed = status.models.some((m) => m.runs[0]?.status === 'failed') || status.chains.some((c) => !c.current);

  if (json) {
    printJson({ ...status, examples });
    return failed ? 1 : 0;
  }
  print();
  print(rule('models'));
  print(modelTable(status));
  for (const chain of status.chains) {
    print();
    print(chainTable(chain));
    const example = examples.find((e) => e.chain === chain.chain);
    if (example && example.examples.length > 0) {
      print();
      print(rule('held-out rows, predicted'));
      print(predictionBlocks(example.examples));
    }
  }
  if (shoal.endpoint.ui) {
    print();
    print(rule('in the Temporal UI'));
    for (const id of [...status.chains.map((c) => `release/${c.chain}`), ...status.models.map((m) => `model/${m.model}`)]) print(dim(uiLink(shoal, id)));
  }
  return failed ? 1 : 0;
}

/** A few held-out rows with their predictions; those that every stage's model answered itself come first. */
async function tellingExamples(shoal: Shoal, chain: string): Promise<Example[]> {
  const rows = await shoal.heldOut(chain, ASKED_PREDICTIONS);
  if (rows.length === 0) return [];
  const { outputs = [], stages = {} } = await shoal.predict(chain, rows.map((r) => r.row));
  const examples = rows.map((row, i): Example => ({
    ...row,
    outputs: outputs[i] ?? {},
    stages: Object.fromEntries(Object.entries(stages).map(([stage, a]) => [
      stage, { status: a.status[i]!, outputs: Object.fromEntries(Object.entries(a.outputs).map(([name, values]) => [name, values[i]])) },
    ])),
  }));
  const stoodIn = (example: Example) => Object.values(example.stages).filter((s) => s.status !== 'model').length;
  return examples.sort((a, b) => stoodIn(a) - stoodIn(b)).slice(0, SHOWN_PREDICTIONS);
}

const uiLink = (shoal: Shoal, workflowId: string) => `${shoal.endpoint.ui}/namespaces/${shoal.endpoint.namespace}/workflows/${encodeURIComponent(workflowId)}`;
