import { Listr, type ListrGetRendererClassFromValue, type ListrTask } from 'listr2';
import type { Batch, ProgressEvent, ProjectStatus, Shoal } from '../client';
import type { ModelView, RunRecord } from '../workflows/messages';
import { dim, print, red, yellow } from './output';

/** Shows a batch of runs, all of them at once, until they have settled. */
export async function showProgress(shoal: Shoal, batch: Batch, options: { live: boolean }): Promise<ProjectStatus> {
  return options.live ? showLive(shoal, batch) : shoal.settled(batch, { onEvent: printer() });
}

async function showLive(shoal: Shoal, batch: Batch): Promise<ProjectStatus> {
  const names = [...batch.models].reverse();
  const chains = Object.keys(shoal.project.chains);
  const lines = new Map<string, string>();
  const ended = new Map<string, (record: RunRecord) => void>();
  const settling = shoal.settled(batch, {
    onEvent: (event) => {
      const line = lineOf(event);
      if (line !== undefined) lines.set(nameOf(event), line);
      if (event.type === 'run.ended' && event.record.batches?.includes(batch.id)) ended.get(event.model)?.(event.record);
    },
  });
  // Whoever is not told of its end is at its end all the same.
  const over = settling.then(() => undefined, () => undefined);
  const tasks = new Listr<unknown, 'default'>(
    [
      ...names.map((name): ListrTask<unknown, ListrGetRendererClassFromValue<'default'>> => ({
        title: name,
        task: async (_: unknown, task) => {
          const timer = setInterval(() => { task.output = lines.get(name) ?? ''; }, 100);
          const record = await Promise.race([new Promise<RunRecord>((resolve) => { ended.set(name, resolve); }), over]);
          clearInterval(timer);
          if (record) task.title = `${name.padEnd(18)} ${outcomeInWords(record)}`;
          task.output = '';
        },
        rendererOptions: { persistentOutput: true },
      })),
      {
        title: 'release',
        task: async (_: unknown, task) => {
          const timer = setInterval(() => { task.output = chains.map((c) => `${c}: ${lines.get(c) ?? ''}`).join('\n'); }, 100);
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

const nameOf = (event: ProgressEvent): string => ('model' in event ? event.model! : event.chain!);

/** Notes are written for the Temporal UI, in Markdown. */
const plainly = (note: string): string => note.replace(/\[([^\]]*)\]\((https?:[^)]*)\)/g, (_link, text: string, address: string) => (text === 'report' ? address : `${text} ${address}`));

/** What a person is shown of an event; nothing of one that says no more than another. */
function lineOf(event: ProgressEvent): string | undefined {
  switch (event.type) {
    case 'run.began': return event.request.reason;
    case 'step.began': return event.step === 'upstream' ? 'waiting for the models it takes inputs from' : event.step;
    case 'step.ended': return event.status === 'failed' || !event.note ? undefined : dim(`(${event.step}: ${plainly(event.note)})`);
    case 'training': {
      const { epoch, maxEpochs, validationLoss } = event.progress;
      return `train  epoch ${epoch} of at most ${maxEpochs}, validation loss ${validationLoss.toFixed(4)}`;
    }
    case 'retrying': return `${event.step ?? 'a step'}  attempt ${event.attempt}, after: ${event.reason.split('\n')[0]}`;
    case 'run.ended': return outcomeInWords(event.record);
    case 'chain.activity': return event.activity;
    case 'release.phase': case 'release.decision': case 'release.action': case 'missed': return undefined;
  }
}

export function outcomeLine(view: ModelView): string {
  const run = view.runs[0];
  return run ? outcomeInWords(run) : 'has not run yet';
}

function outcomeInWords(run: RunRecord): string {
  const seconds = ((Date.parse(run.endedAt) - Date.parse(run.startedAt)) / 1000).toFixed(1);
  switch (run.status) {
    case 'made': return `version ${run.made!.version.id} in ${seconds} s`;
    case 'unchanged': return `version ${run.made!.version.id}, unchanged`;
    case 'refused': return `${yellow('refused')}: ${run.reason}`;
    case 'failed': return `${red('failed')}: ${run.reason}`;
  }
}

/** One line for each step that something comes to: for logs, and where there is no terminal. */
function printer(): (event: ProgressEvent) => void {
  let training = '';
  return (event) => {
    const line = lineOf(event);
    if (line === undefined) return;
    if (event.type === 'training') {
      // Once a training, not once an epoch.
      const run = `${event.model}/${event.run}`;
      if (training === run) return;
      training = run;
    }
    print(`${nameOf(event).padEnd(20)} ${line}`);
  };
}
