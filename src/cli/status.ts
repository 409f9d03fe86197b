import type { ProjectStatus } from '../client';
import { headline } from '../domain/headline';
import type { ModelView, ReleaseDecision, ReleaseView, Step } from '../workflows/messages';
import { triggerInWords } from './explain';
import { bold, decidedBy, dim, green, lasting, red, when, wrapped, yellow } from './output';

/** The one screen to look at in the morning: the most pressing first, and nothing of what is well but a line for each chain. */

export interface MorningContext {
  now: Date;
  /** By model: the steps of its newest run. */
  steps: Record<string, Step[]>;
  /** What starts by itself next. */
  next?: { what: string; at: string }[];
}

const SHOWN = 8;
const SHORT = 170;

/** The beginning of a reason: `explain` tells the whole. */
const short = (reason: string): string => (reason.length > SHORT ? `${reason.slice(0, SHORT - 1).trimEnd()}…` : reason);
const SHOWN_WARNINGS = 2;

export function morning({ models, chains }: ProjectStatus, { now, steps, next = [] }: MorningContext): string {
  const yesterday = new Date(now.getFullYear(), now.getMonth(), now.getDate() - 1).toISOString();
  const since = (iso: string) => lasting(now.getTime() - Date.parse(iso));
  const sections: [title: string, items: string[]][] = [
    [yellow('waits for a person'), chains.flatMap((c) => waiting(c, since))],
    [red('went wrong'), [...models.flatMap((m) => failure(m, since)), ...chains.flatMap(poorHealth)]],
    [yellow('data warnings'), Object.entries(steps).flatMap(([model, its]) => warnings(model, its))],
    ['runs', [...models.flatMap((m) => running(m, since)), ...chains.flatMap((c) => underWay(c, since))]],
    ['decided since yesterday', decided({ models, chains }, yesterday)],
    ['next', [...models.flatMap(held), ...next.map(({ what, at }) => `${what}, ${when(at)}`)]],
  ];
  return [
    ...sections.filter(([, items]) => items.length > 0).map(([title, items]) => [bold(title), ...items.map(bullet), ''].join('\n')),
    ...chains.map((c) => chainLine(c, since)),
    // A model that no chain uses has no other line.
    ...models.filter((m) => !chains.some((c) => m.model in c.models)).map((m) => `${bold(m.model)}  ${m.latest ? `${m.latest.version.id}, ${headline(m.latest.metrics)}` : 'no version yet'}`),
  ].join('\n');
}

const bullet = (item: string): string => {
  const [text, ...commands] = item.split('\n');
  return [`  ${wrapped(text!, { indent: 4 })}`, ...commands.map((command) => `    ${command}`)].join('\n');
};

function waiting({ chain, rollout, activity }: ReleaseView, since: (iso: string) => string): string[] {
  if (!rollout) return [];
  const { number, phase, paused, evaluation } = rollout;
  const command = (name: string) => `npx shoal ${name} ${chain} -r "why"`;
  if (paused) return [`${chain} ${number} is paused for ${since(paused.at)} by ${paused.by}: ${paused.reason}\n${command('resume')}`];
  if (phase !== 'approval' && phase !== 'asking') return [];
  const why = phase === 'asking' ? activity : `${chain} ${number} waits for approval for ${since(rollout.phaseAt)}${evaluation ? `: ${headline(evaluation.metrics)}, ${evaluation.verdict.reason}` : ''}`;
  return [`${why}\n${command('approve')}\n${command('refuse')}\nnpx shoal explain ${chain} ${number}`];
}

/** The newest run, when it failed. */
function failure({ model, runs }: ModelView, since: (iso: string) => string): string[] {
  const [run] = runs;
  return run?.status === 'failed' ? [`${model}: run ${run.run} failed ${since(run.endedAt)} ago, asked for ${triggerInWords(run.request.trigger)}: ${run.reason}\nnpx shoal explain ${model}`] : [];
}

/** What a chain's monitor says, where it has one. */
function poorHealth({ chain, health }: ReleaseView): string[] {
  return health && health.state !== 'ok' ? [`${chain}: ${health.state} since ${when(health.since)}: ${health.reason}`] : [];
}

function warnings(model: string, steps: Step[]): string[] {
  const all = steps.flatMap((step) => step.warnings ?? []);
  const more = all.length - SHOWN_WARNINGS;
  return all.slice(0, SHOWN_WARNINGS).map((warning, i) => `${model}: ${warning}${more > 0 && i === SHOWN_WARNINGS - 1 ? `\nand ${more} more: npx shoal explain ${model}` : ''}`);
}

function running({ model, running: run, waiting: queued }: ModelView, since: (iso: string) => string): string[] {
  return [
    ...(run ? [`${model}: run ${run.run} for ${since(run.startedAt)}, ${triggerInWords(run.request.trigger)}: ${run.request.reason}`] : []),
    ...(queued ? [`${model}: one more run waits, ${triggerInWords(queued.trigger)}: ${queued.reason}`] : []),
  ];
}

function underWay({ chain, rollout, bake, activity, idle }: ReleaseView, since: (iso: string) => string): string[] {
  if (rollout && !rollout.paused && rollout.phase !== 'approval' && rollout.phase !== 'asking') return [`${chain}: ${activity} ${dim(`(for ${since(rollout.phaseAt)})`)}`];
  return bake || !idle ? [`${chain}: ${activity}`] : [];
}

function decided({ models, chains }: ProjectStatus, from: string): string[] {
  const all = [
    ...chains.flatMap(({ chain, decisions }) => decisions.map((d) => ({ at: d.at, text: `${chain} ${d.number} ${decidedBy(coloured(d.status), { by: d.by, reason: short(d.reason) })}` }))),
    ...models.flatMap(({ model, runs }) => runs.flatMap((run, i) => {
      if (run.status === 'unchanged' || (run.status === 'failed' && i === 0)) return [];
      const text = `${model}${run.made ? ` ${run.made.version.id}` : `, run ${run.run},`} ${coloured(run.status)}: ${short(run.reason)}`;
      return [{ at: run.endedAt, text }];
    })),
  ].filter(({ at }) => at >= from).sort((a, b) => b.at.localeCompare(a.at));
  const shown = all.slice(0, SHOWN).map(({ at, text }) => `${when(at)}  ${text}`);
  return all.length > SHOWN ? [...shown, dim(`and ${all.length - SHOWN} more: npx shoal status --all`)] : shown;
}

/** Automatic runs that are held back, where the model says so. */
function held(view: ModelView): string[] {
  const { model, held: one } = view;
  return one ? [`${model}: a run waits until ${when(one.until)}: ${one.why}; ${triggerInWords(one.request.trigger)}: ${one.request.reason}`] : [];
}

function chainLine(view: ReleaseView, since: (iso: string) => string): string {
  const { chain, current, evaluation, decisions, activity } = view;
  if (!current) return `${bold(chain)}  ${wrapped(activity, { indent: chain.length + 2 })}`;
  const { health } = view;
  const at = decisions.find((d) => d.number === current.number && d.status === 'promoted')?.at;
  const state = health ? (health.state === 'ok' ? green('ok') : red(health.state)) : '';
  return [bold(chain), `release ${current.number}${at ? ` for ${since(at)}` : ''}`, evaluation ? headline(evaluation.metrics) : '', state].filter(Boolean).join('  ');
}

function coloured(status: ReleaseDecision['status'] | 'made'): string {
  if (status === 'promoted' || status === 'made') return green(status);
  return status === 'refused' ? yellow(status) : red(status);
}
