import type { Explanation, ReleaseExplanation, VersionExplanation } from '../client';
import { figure } from '../domain/headline';
import type { AskedFor } from '../domain/recordNames';
import type { MetricResult, Verdict } from '../domain/version';
import { bold, decidedBy, dim, green, red, said, table, when, yellow } from './output';

/** Why a version or a release is what it is, in words. */
export const explanationInWords = (explanation: Explanation): string =>
  (explanation.kind === 'version' ? versionInWords(explanation) : releaseInWords(explanation));

function versionInWords({ model, version, asked, run, steps, card, releases, from }: VersionExplanation): string {
  const [newest] = releases;
  const warnings = (steps ?? []).flatMap((step) => step.warnings ?? []);
  const failed = steps?.find((step) => step.status === 'failed');
  const came = run?.status === 'failed' || run?.status === 'refused' ? run.status : card ? (card.verdict.passed ? 'passed its gates' : 'refused') : (run?.status ?? 'never evaluated');
  return lines(
    `${bold(version ? `${model} ${version}` : `${model}, run ${run?.run}`)}: ${coloured(came)}${newest ? `; ${verdictOf(newest.status)} in ${newest.chain} ${newest.number}` : ''}`,
    asked && said('asked for', askedInWords(asked)),
    run?.status === 'failed' && said('failed', `${failed ? `at ${failed.name}: ` : ''}${run.reason}`),
    run?.status === 'refused' && card?.verdict.passed !== false && said('refused', run.reason),
    card && said('data', `snapshot ${card.snapshot.sha256.slice(0, 12)} of ${card.snapshot.source}: ${card.snapshot.rows.toLocaleString('en-US')} rows, ${card.snapshot.columns} columns`
      + Object.entries(card.upstream).map(([name, id]) => `\noutputs of ${name} ${id}`).join('')),
    warnings.length > 0 && said('warnings', warnings.join('\n')),
    card && said('trained', `${card.training.maker ? `by ${card.training.maker.kind} ${card.training.maker.name}` : `${card.timings.epochs} epochs, seed ${card.seed}`}, in ${card.timings.trainSeconds.toFixed(1)} s`),
    card?.labels && said('labels', `${card.labels.suspects} of ${card.labels.rows} are suspects. ${card.labels.verdict.reason}`),
    card && said('scored', `on ${card.holdout.rows.toLocaleString('en-US')} rows that no model was trained on\n${scores(card.metrics)}`),
    card && said('verdict', verdictInWords(card.verdict)),
    ...releases.map((r, i) => said(i === 0 ? 'releases' : '', `${r.chain} ${r.number}, ${verdictOf(r.status)}${r.current ? ', in place' : ''}: ${r.reason}`)),
    remembered(from),
  );
}

function releaseInWords(explanation: ReleaseExplanation): string {
  const { chain, number, status, current, fresh, origin, trail, decisions, actions, activity, versions, from } = explanation;
  const evaluation = decisions.find((d) => d.evaluation)?.evaluation;
  const checks = decisions.find((d) => d.look)?.look?.verdict.checks.filter((c) => c.verdict !== 'not measured') ?? [];
  const pinned = Object.entries(versions).filter(([model]) => !fresh.some((f) => f.model === model));
  return lines(
    `${bold(`${chain} ${number}`)}: ${coloured(status)}${current ? ', in place' : ''}`,
    origin && said('tried for', `${originWord(origin.kind)} (${origin.by}): ${origin.reason}`),
    ...fresh.map((f, i) => said(i === 0 ? 'new in it' : '', `${f.model} ${f.version}${f.asked ? `, ${askedInWords(f.asked)}` : ''}${f.reason ? `. ${f.reason}` : ''}`)),
    pinned.length > 0 && said('as before', pinned.map(([model, id]) => `${model} ${id}`).join(', ')),
    evaluation && said('scored', `end to end on ${evaluation.rows.toLocaleString('en-US')} rows that no model was trained on\n${scores(evaluation.metrics)}`),
    evaluation && said('gates', gatesInWords(evaluation.verdict)),
    ...trail.map((t, i) => said(i === 0 ? 'its way' : '', `${when(t.at)}  ${t.phase}${t.phase === 'canary' ? ` ${percent(t.weight ?? 0)}` : ''}${t.requests ? ` (${t.requests} requests)` : ''}${t.said ? `: ${t.said}` : ''}`)),
    checks.length > 0 && said('the judge', checks.map((c) => `${c.check} ${coloured(c.verdict)} on ${c.requests} requests: ${c.reason}`).join('\n')),
    activity && said('now', activity),
    ...[...actions].reverse().map((a, i) => said(i === 0 ? 'stepped in' : '', `${when(a.at)}  ${a.by}: ${a.action}, "${a.reason}"`)),
    ...[...decisions].reverse().map((d, i) => said(i === 0 ? 'decided' : '', `${when(d.at)}  ${decidedBy(coloured(d.status), d)}`)),
    remembered(from),
  );
}

export const askedInWords = ({ run, trigger, reason, by, at }: AskedFor): string => `run ${run} on ${when(at)}, ${triggerInWords(trigger)} (${by}): ${reason}`;

/** What asked for a run, as a word in a sentence. */
export function triggerInWords(trigger: string): string {
  const words: Record<string, string> = {
    start: 'as the project was started', schedule: 'by its schedule', newData: 'for new data', drift: 'for drift', degradation: 'as its chain got worse', cascade: 'for a cascade',
    person: 'by a person', code: 'by a program',
  };
  return words[trigger] ?? trigger;
}

function originWord(kind: string): string {
  const words: Record<string, string> = { versions: 'new versions', pinned: 'one new version, the rest pinned', cascade: 'models retrained against each other', proposal: 'proposed' };
  return words[kind] ?? kind;
}

const scores = (metrics: readonly MetricResult[]): string => table(
  ['metric', 'value', 'baseline', 'champion', 'rows'],
  metrics.map((m) => [m.metric, figure(m.value), m.baseline ? figure(m.baseline.value) : '', m.champion ? figure(m.champion.value) : '', m.rows === undefined ? '' : m.rows.toLocaleString('en-US')]),
  { right: [1, 2, 3, 4] },
);

const verdictInWords = (verdict: Verdict): string => `${coloured(verdict.passed ? 'passed' : 'refused')}: ${verdict.reason}\n${gatesInWords(verdict)}`;

const gatesInWords = ({ gates, reason }: Verdict): string => (gates.length === 0 ? reason
  : gates.map((g) => `${g.passed ? green('✓') : red('✗')} ${g.gate}: ${g.reason}${g.slice ? ` (${g.slice}${g.rows === undefined ? '' : `, ${g.rows} rows`})` : ''}`).join('\n'));

const verdictOf = (status: string): string => (status === 'under way' ? 'on its way' : status);
const percent = (share: number): string => `${Number((100 * share).toFixed(1))}%`;

function coloured(word: string): string {
  if (['promoted', 'made', 'unchanged', 'passed', 'passed its gates', 'pass'].includes(word)) return green(word);
  return ['failed', 'rolled back', 'fail'].includes(word) ? red(word) : word === 'refused' ? yellow(word) : word;
}

const remembered = (from: 'server' | 'store'): string | false => from === 'store' && dim('The server does not answer or has forgotten this: read from the store.');
const lines = (...all: (string | false | undefined)[]): string => all.filter((line): line is string => typeof line === 'string' && line !== '').join('\n');

