import type { Diagnosis } from '../domain/diagnosis';
import type { Gain } from '../domain/version';
import { canary } from './charts/canary';
import { confusion } from './charts/confusion';
import { coverage } from './charts/coverage';
import { drift } from './charts/drift';
import { forecast } from './charts/forecast';
import { forecastSteps } from './charts/forecastSteps';
import { gains } from './charts/gains';
import { predictedActual } from './charts/predictedActual';
import { reliability } from './charts/reliability';
import { residuals } from './charts/residuals';
import { similarity } from './charts/similarity';
import { slices } from './charts/slices';
import { suspects } from './charts/suspects';
import type { CanaryLook, DriftRow, GateResult, MetricResult, SliceRow, Suspects } from './data';
import { renderTable, type DataTable, type Figure } from './figure';
import { html, type Child, type Html } from './html';
import { section } from './page';
import { brief, count, figure, isNumber, metricInWords, percent, range, rows, signed } from './words';

/** The sections that reports of versions and of releases share. Each is nothing where there is no data for it. */

export const verdictLine = ({ passed, words, reason }: { passed: boolean; words: string; reason: string }): Html =>
  html`<p class="verdict${passed ? '' : ' refused'}"><strong>${words}</strong> ${reason}</p>`;

/** The few numbers to know: a name, a figure, and what to compare it with. */
export const facts = (list: (readonly [name: string, figure: string, beside?: string] | undefined)[]): Html =>
  html`<dl class="facts">${list.map((fact) => fact && renderFact(...fact))}</dl>`;

const renderFact = (name: string, value: string, beside?: string): Html =>
  html`<div><dt>${name}</dt><dd>${value}</dd>${beside ? html`<dd>${beside}</dd>` : ''}</div>`;

export function headlineFact(metrics: readonly MetricResult[]): [string, string, string] | undefined {
  const first = metrics[0];
  if (!first) return undefined;
  const beside = [
    first.baseline && `baseline ${figure(first.baseline.value)}`,
    first.champion && `champion ${figure(first.champion.value)}`,
    `${first.better} is better`,
  ].filter(Boolean).join(', ');
  return [first.metric, figure(first.value), beside];
}

export function coverageFact(metrics: readonly MetricResult[], d: Diagnosis | undefined): [string, string, string] | undefined {
  const coverage = metrics.find((m) => m.metric === 'coverage');
  const nominal = d && 'interval' in d ? d.interval : undefined;
  return coverage && ['within the interval', percent(coverage.value), nominal === undefined ? '' : `meant: ${percent(nominal, 0)}`];
}

type Scale = 'linear' | 'log10';
/** Other models' values, by metric. */
type Rivals = { model: string; values: Map<string, number> }[];

export async function judgement(of: {
  metrics: readonly MetricResult[]; gates: readonly GateResult[]; holdoutRows: number; scale?: Scale; rivals?: Rivals;
}): Promise<Html | undefined> {
  const { metrics, gates, holdoutRows, scale } = of;
  return section({
    id: 'judgement',
    title: 'How good it is',
    text: `Judged on ${rows(holdoutRows)} that nothing was trained on; all predictors on the same ones.`,
    figures: [await gains(metrics, 'baseline'), await gains(metrics, 'champion')],
    more: [renderTable(metricTable(metrics, { scale, rivals: of.rivals ?? [] })), gates.length > 0 && renderTable(gateTable(gates))],
  });
}

function metricTable(metrics: readonly MetricResult[], { scale, rivals }: { scale?: Scale; rivals: Rivals }): DataTable {
  const champion = metrics.find((m) => m.champion)?.champion?.version;
  const gain = (g: Gain | undefined): Child =>
    g && isNumber(g.value) && html`${signed(g.value)}<small>${range(g.low, g.high)}</small>`;
  return {
    caption: 'Metrics, with the gain over each other predictor and its interval',
    head: [
      'metric', 'this one', 'baseline', 'gain', ...(champion === undefined ? [] : [`champion ${champion}`, 'gain']), ...rivals.map((r) => r.model),
    ],
    rows: metrics.map((m) => [
      html`${m.metric}<small>${metricInWords(m, scale)}; ${m.better} is better</small>`,
      figure(m.value),
      m.baseline ? figure(m.baseline.value) : '',
      gain(m.baseline?.gain),
      ...(champion === undefined ? [] : [m.champion ? figure(m.champion.value) : '', gain(m.champion?.gain)]),
      ...rivals.map((r) => (r.values.has(m.metric) ? figure(r.values.get(m.metric)!) : '')),
    ]),
  };
}

const gateTable = (gates: readonly GateResult[]): DataTable => ({
  caption: 'Gates',
  head: ['gate', 'verdict', 'why'],
  rows: gates.map((g) => [g.gate, g.passed ? 'passed' : html`<span class="fails">not passed</span>`, g.reason]),
  text: [0, 1, 2],
});

export async function predictions(diagnosis: Diagnosis | undefined): Promise<Html | undefined> {
  if (!diagnosis) return undefined;
  return section({ id: 'predictions', title: 'What it says of rows it has not seen', figures: await diagnosisFigures(diagnosis) });
}

async function diagnosisFigures(d: Diagnosis): Promise<(Figure | undefined)[]> {
  switch (d.task) {
    case 'regression': return Promise.all([
      predictedActual(d),
      residuals(d),
      d.interval === undefined ? undefined : coverage({
        groups: d.groups.flatMap((g) => (g.covered ? [{ name: brief(g.predicted), rows: g.rows, covered: g.covered }] : [])),
        nominal: d.interval, by: 'size of the prediction', axis: 'predicted, about',
      }),
    ]);
    case 'classification': return Promise.all([confusion(d), reliability(d)]);
    case 'forecast': return Promise.all([
      ...d.series.map((series, i) => forecast(series, d, i)),
      forecastSteps(d),
      coverage({
        groups: d.steps.flatMap((s) => (s.covered ? [{ name: count(s.step), rows: s.rows, covered: s.covered }] : [])),
        nominal: d.interval, by: 'how far ahead was forecast', axis: 'periods ahead',
        caveat: 'Neighbouring forecasts share periods, so that the intervals are drawn narrower than they are.',
      }),
    ]);
    case 'embedding': return [await similarity(d)];
  }
}

export const sliceSection = async (of: SliceRow[] | undefined): Promise<Html | undefined> => of && section({
  id: 'slices', title: 'Slices', text: 'Parts of the held-out rows, scored as the whole is.', figures: await slices(of),
});

export const driftSection = async (of: DriftRow[] | undefined): Promise<Html | undefined> => of && section({
  id: 'drift', title: 'Drift', text: 'Columns whose values are not distributed as they were.', figures: [await drift(of)],
});

export async function suspectSection(of: Suspects | undefined): Promise<Html | undefined> {
  if (!of) return undefined;
  return section({
    id: 'labels',
    title: 'Label suspects',
    text: 'Rows whose label, or the row itself, is not to be trusted.',
    figures: [await suspects(of)],
    more: of.examples.length > 0 && renderTable({
      caption: 'The most suspect',
      head: ['row', 'label', 'likelier', 'why'],
      rows: of.examples.map((e) => [e.key, e.given, e.suggested, e.why]),
      text: [0, 1, 2, 3],
    }),
  });
}

export const canarySection = async (of: CanaryLook[] | undefined): Promise<Html | undefined> => of && section({
  id: 'canary', title: 'Canary', text: 'Live requests, answered by the candidate and by the current release.', figures: await canary(of),
});
