import { Listr, type ListrGetRendererClassFromValue, type ListrTask } from 'listr2';
import type { Batch, LifecycleProgress, ProjectStatus, Shoal } from '../client';
import type { ModelView } from '../workflows/messages';
import { dim, print, red, yellow } from './output';

/** Shows a batch of runs, all of them at once, until they have settled. */
export async function showProgress(shoal: Shoal, batch: Batch, options: { live: boolean }): Promise<ProjectStatus> {
  const names = [...batch.models].reverse();
  const lines = new Map<string, string>();
  const done = new Map<string, (view: ModelView) => void>();
  const update = options.live ? (name: string, line: string) => void lines.set(name, line) : printChanges();

  /** Questions under way: they are waited for, since nobody may ask on a connection that is closed. */
  const asking = new Map<string, Promise<void>>();
  const settling = shoal.settled(batch, (status) => {
    for (const view of status.models) {
      if (!batch.models.includes(view.model)) continue;
      if (view.settled.includes(batch.id)) done.get(view.model)?.(view);
      else if (view.running && !asking.has(view.model)) {
        const asked = shoal.lifecycle(view.running.workflowId).then((l) => { if (l) update(view.model, stepLine(l)); }, () => undefined);
        asking.set(view.model, asked.finally(() => asking.delete(view.model)));
      }
    }
    for (const chain of status.chains) update(chain.chain, chain.activity);
  }).finally(() => Promise.all(asking.values()));

  if (!options.live) {
    for (const name of names) done.set(name, once((view) => print(`${name.padEnd(20)} ${outcomeLine(view)}`)));
    return settling;
  }
  const tasks = new Listr<unknown, 'default'>(
    [
      ...names.map((name): ListrTask<unknown, ListrGetRendererClassFromValue<'default'>> => ({
        title: name,
        task: (_: unknown, task) => new Promise<void>((resolve) => {
          const timer = setInterval(() => { task.output = lines.get(name) ?? ''; }, 100);
          done.set(name, once((view) => {
            clearInterval(timer);
            task.title = `${name.padEnd(18)} ${outcomeLine(view)}`;
            task.output = '';
            resolve();
          }));
        }),
        rendererOptions: { persistentOutput: true },
      })),
      {
        title: 'release',
        task: async (_: unknown, task) => {
          const timer = setInterval(() => { task.output = [...shoalChains(shoal)].map((c) => `${c}: ${lines.get(c) ?? ''}`).join('\n'); }, 100);
          const status = await settling.finally(() => clearInterval(timer));
          task.title = status.chains.map((c) => `${c.chain.padEnd(18)} ${c.activity}`).join('\n');
        },
      },
    ],
    { concurrent: true, exitOnError: false, rendererOptions: { collapseSubtasks: false } },
  );
  await tasks.run();
  return settling;
}

const shoalChains = (shoal: Shoal) => Object.keys(shoal.project.chains);

function stepLine({ steps, training, retrying }: LifecycleProgress): string {
  const running = steps.find((s) => s.status === 'running');
  if (!running) return '';
  const last = [...steps].reverse().find((s) => s.status === 'done');
  if (retrying) return `${running.name}  attempt ${retrying.attempt}, after: ${retrying.reason.split('\n')[0]}`;
  if (running.name === 'upstream') return 'waiting for the models it takes inputs from';
  if ((running.name === 'train' || running.name === 'retrain') && training) return `${running.name}  epoch ${training.epoch} of at most ${training.maxEpochs}, validation loss ${training.validationLoss.toFixed(4)}`;
  return `${running.name}${last?.note ? dim(`  (${last.name}: ${last.note})`) : ''}`;
}

export function outcomeLine(view: ModelView): string {
  const run = view.runs[0];
  if (!run) return 'has not run yet';
  const seconds = ((Date.parse(run.endedAt) - Date.parse(run.startedAt)) / 1000).toFixed(1);
  switch (run.status) {
    case 'made': return `version ${run.made!.version.id} in ${seconds} s`;
    case 'unchanged': return `version ${run.made!.version.id}, unchanged`;
    case 'refused': return `${yellow('refused')}: ${run.reason}`;
    case 'failed': return `${red('failed')}: ${run.reason}`;
  }
}

/** One line for each step a model comes to: for logs, and where there is no terminal. */
function printChanges(): (name: string, line: string) => void {
  const shown = new Map<string, string>();
  return (name, line) => {
    const step = line.split('  ')[0] ?? '';
    if (!step || shown.get(name) === step) return;
    shown.set(name, step);
    print(`${name.padEnd(20)} ${line}`);
  };
}

function once<T>(f: (value: T) => void): (value: T) => void {
  let called = false;
  return (value) => {
    if (called) return;
    called = true;
    f(value);
  };
}
