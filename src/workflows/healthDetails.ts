import { figure } from '../domain/headline';
import type { Health } from '../domain/health';
import type { Observed, ObservedWindow, PooledMetric, WindowDrift } from '../domain/monitor';

/** How a chain does in use, as Markdown for the Temporal UI. */

export function monitorDetails(seen: Observed): string {
  return [
    `**${seen.chain}**, release ${seen.release}, up to ${seen.at}. Reference: ${referenceInWords(seen.reference)}.`,
    '',
    '| watched | says | |', '|---|---|---|',
    ...seen.alerts.map((a) => `| ${a.subject} | ${a.verdict} | ${a.reason} |`),
    ...tables(seen),
  ].join('\n');
}

export function healthDetails(health: Health | undefined): string[] {
  if (!health) return [];
  return [
    '', `**In use: ${health.state}** since ${health.since}: ${health.reason}`,
    ...(health.alerts.length > 0 ? ['', '| alert | since | why |', '|---|---|---|', ...health.alerts.map((a) => `| ${a.subject} | ${a.since} | ${a.reason} |`)] : []),
    ...tables(health),
  ];
}

/** `drift since 2026-03-01 12:00: ...` in one line. */
export const healthInWords = ({ state, since, reason }: Pick<Health, 'state' | 'since' | 'reason'>): string =>
  `${state}${state === 'no verdict' ? '' : ` since ${since.slice(0, 16).replace('T', ' ')}`}: ${reason}`;

const referenceInWords = ({ kind, rows, windows, method }: Observed['reference']): string =>
  (method === '' ? 'none is needed yet' : `${kind === 'live' ? `the first ${windows} windows in use` : `${rows} held-out rows in ${windows} windows`}; without outcomes: ${method}`);

function tables({ windows, drift, releases, stages, slices, notes }: Pick<Observed, 'windows' | 'drift' | 'releases' | 'stages' | 'slices' | 'notes'>): string[] {
  return [
    ...notes.flatMap((note) => ['', note]),
    ...(windows.length > 0 ? ['', '| window | rows | outcomes | metrics | moved |', '|---|---|---|---|---|', ...[...windows].reverse().map(windowLine)] : []),
    ...drifted(drift),
    ...pooledTable('by release', releases), ...pooledTable('by stage', stages), ...pooledTable('by slice', slices),
  ];
}

const windowLine = ({ from, to, rows, outcomes, metrics, drifted: moved }: ObservedWindow): string =>
  `| ${from} to ${to} | ${rows} | ${outcomes} | ${metrics.map((m) => `${m.metric} ${figure(m.value)} (${m.kind}, ${figure(m.low)} to ${figure(m.high)}; bound ${m.threshold === undefined ? 'not known' : figure(m.threshold)})${m.breached ? ' **out**' : ''}`).join('<br>')} | ${moved?.join(', ') ?? ''} |`;

function drifted(drift: readonly WindowDrift[]): string[] {
  const newest = drift[0]?.window;
  const lines = drift.filter((d) => d.window === newest);
  return lines.length === 0 ? [] : ['', '| newest window | verdict | test | distance (bound) | |', '|---|---|---|---|---|', ...lines.map((d) =>
    `| ${d.part} ${d.column} | ${d.verdict} | ${d.test ? `${d.test} ${figure(d.value ?? NaN)}` : ''} | ${d.distance === undefined ? '' : figure(d.distance)}${d.bound === undefined ? '' : ` (${figure(d.bound)})`} | ${d.reason} |`)];
}

const pooledTable = (title: string, found: readonly PooledMetric[]): string[] => (found.length === 0 ? [] : ['', `| ${title} | metric | newest windows | reference | rows |`, '|---|---|---|---|---|',
  ...found.map((p) => `| ${p.of} | ${p.metric} | ${figure(p.value)} (${figure(p.low)} to ${figure(p.high)}) | ${p.reference === undefined ? '' : figure(p.reference)} | ${p.rows} |`)]);
