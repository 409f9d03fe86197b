import type { DataCheck } from '../domain/dataRules';
import { figure } from '../domain/headline';
import type { ChainAnswer } from '../domain/prediction';
import { reportLink } from '../domain/reportNames';
import type { ModelSpec } from '../domain/spec';
import type { MetricResult, Release, ReleaseEvaluation, SliceResult } from '../domain/version';
import { healthDetails } from './healthDetails';
import type { Ignored, Look, MadeVersion, ModelView, ReleaseView, RunRequest, Step } from './messages';
import { percent } from './releaseWords';
import { modelSteering, releaseSteering } from './steering';

/** What the Temporal UI shows of a workflow at the moment: Markdown. */

const MARK = { waiting: '·', running: '▶', done: '✓', failed: '✗' } as const;

export function lifecycleDetails(model: ModelSpec, request: RunRequest, steps: Step[]): string {
  return [
    `**${model.name}** (${model.task}), asked by ${request.by}: ${request.reason}`,
    '',
    '| step | | seconds | |',
    '|---|---|---|---|',
    ...steps.map((s) => `| ${s.name} | ${MARK[s.status]} | ${s.seconds?.toFixed(1) ?? ''} | ${s.note ?? ''} |`),
    ...steps.flatMap((s) => (s.warnings?.length ? ['', `${s.name} warns:`, '', ...s.warnings.map((warning) => `- ${warning}`)] : [])),
  ].join('\n');
}

/** `2 warnings: future of release_date, drift of budget`; nothing when there is nothing to warn of. */
export function warningsInWords({ findings = [], counts }: Partial<DataCheck>): string[] {
  if (!counts || counts.warn === 0) return [];
  const named = findings.slice(0, 3).map(({ rule, column }) => (column ? `${rule} of ${column}` : rule));
  return [`${counts.warn} ${counts.warn === 1 ? 'warning' : 'warnings'}: ${named.join(', ')}${findings.length > named.length ? ' ...' : ''}`];
}

export function modelDetails(view: ModelView, reports?: string): string {
  return [
    `**${view.model}** (${view.task})`,
    '',
    view.running ? `Run ${view.running.run} is under way: ${view.running.request.reason}` : 'Waiting for a reason to run.',
    view.waiting ? `One more is waiting: ${view.waiting.reason}` : '',
    view.held ? `A run waits until ${view.held.until}, as ${view.held.why}: ${view.held.request.reason}` : '',
    '',
    ...modelSteering(view),
    '',
    view.latest ? `Newest version \`${view.latest.version.id}\`${linkTo(view.latest)}: ${view.latest.verdict.reason}\n\n${metricTable(view.latest.metrics)}` : 'No version yet.',
    '',
    '| run | ended | came to | why |',
    '|---|---|---|---|',
    ...view.runs.map((r) => `| ${r.run} | ${r.endedAt} | ${r.status}${r.made ? ` \`${r.made.version.id}\`${linkTo(r.made)}` : ''} | ${r.reason} |`),
    ...ignoredTable(view.ignored),
  ].join('\n');

  function linkTo({ version, report }: MadeVersion): string {
    const link = report && reportLink(reports, { model: version.model, version: version.id });
    return link ? ` (${link})` : '';
  }
}

export function releaseDetails(view: ReleaseView, reports?: string): string {
  const { rollout, bake } = view;
  const named = (number: number) => {
    const link = reportLink(reports, { chain: view.chain, number });
    return link ? `[${number}](${link})` : String(number);
  };
  return [
    `**${view.chain}**: ${view.activity}`,
    '',
    view.current ? `Release ${view.current.number}: ${versionsInWords(view.current)}` : 'No release yet.',
    view.evaluation ? `\n${metricTable(view.evaluation.metrics)}` : '',
    ...(rollout ? ['', `**Candidate ${rollout.number}** (${rollout.origin.reason}): ${rollout.phase}, answers ${percent(rollout.weight)} of the requests`, ...judgedInWords(rollout.evaluation), '', lookTable(rollout.look)] : []),
    ...(bake ? ['', `**Release ${bake.release}** is watched against release ${bake.reference} until ${bake.until}`, '', lookTable(bake.look)] : []),
    ...releaseSteering(view),
    ...healthDetails(view.health),
    view.evaluation?.slices?.length ? `\nThe slices that come closest to being refused:\n\n${sliceTable(view.evaluation.slices)}` : '',
    '',
    '| release | at | verdict | why |',
    '|---|---|---|---|',
    ...view.decisions.map((d) => `| ${named(d.number)} | ${d.at} | ${d.status}${d.by ? ` by ${d.by}` : ''} | ${d.reason} |`),
    ...(view.actions.length > 0 ? ['', '| at | who | did | why |', '|---|---|---|---|', ...view.actions.map((a) => `| ${a.at} | ${a.by} | ${a.action}${a.number ? ` (${a.number})` : ''} | ${a.reason} |`)] : []),
    ...ignoredTable(view.ignored),
    '',
    ...Object.entries(view.models).map(([model, m]) => `- ${model}: ${m.version ?? 'no version yet'}${m.refusal ? ` (${m.refusal})` : ''}`),
  ].join('\n');
}

function ignoredTable(ignored: readonly Ignored[] = []): string[] {
  if (ignored.length === 0) return [];
  return ['', 'Signals that were ignored:', '', '| at | signal | why |', '|---|---|---|', ...ignored.map(({ at, signal, why }) => `| ${at} | ${signal} | ${why.replaceAll('|', '\\|')} |`)];
}

const judgedInWords = (evaluation: ReleaseEvaluation | undefined): string[] => (evaluation ? ['', `Judged end to end: ${evaluation.verdict.reason}`, '', metricTable(evaluation.metrics)] : []);

function lookTable(look: Look | undefined): string {
  if (!look) return '';
  return [
    '| check | verdict | requests | why |',
    '|---|---|---|---|',
    ...look.verdict.checks.map((c) => `| ${c.check} | ${c.verdict} | ${c.requests} | ${c.reason} |`),
  ].join('\n');
}

export const versionsInWords = (release: Release): string => Object.values(release.versions).map((v) => `${v.model} \`${v.id}\``).join(', ');

export function metricTable(metrics: readonly MetricResult[]): string {
  return [
    '| metric | value | baseline | champion |',
    '|---|---|---|---|',
    ...metrics.map((m) => `| ${m.metric} | ${figure(m.value)} | ${m.baseline ? figure(m.baseline.value) : ''} | ${m.champion ? figure(m.champion.value) : ''} |`),
  ].join('\n');
}

export function sliceTable(slices: readonly SliceResult[]): string {
  return [
    '| slice | rows | metric | value | baseline | champion |',
    '|---|---|---|---|---|---|',
    ...slices.flatMap(({ slice, rows, metrics }) => metrics.map((m) =>
      `| ${slice} | ${rows} | ${m.metric} | ${figure(m.value)} | ${m.baseline ? figure(m.baseline.value) : ''} | ${m.champion ? figure(m.champion.value) : ''} |`)),
  ].join('\n');
}

export function provenanceDetails(answer: ChainAnswer): string {
  const first = answer.outputs?.[0];
  return [
    `Release ${answer.release} of **${answer.chain}**, ${answer.rows} rows${first ? `; first: \`${JSON.stringify(first)}\`` : ''}`,
    '',
    '| stage | version | rows | fallback | skipped |',
    '|---|---|---|---|---|',
    ...Object.entries(answer.provenance).map(([stage, p]) =>
      `| ${stage} | \`${p.version}\` | ${p.rows} | ${p.fallback}${p.fallbackReason ? ` (${p.fallbackReason})` : ''} | ${p.skipped} |`),
  ].join('\n');
}
