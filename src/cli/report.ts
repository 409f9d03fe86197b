import type { HeldOutRow } from '../client/heldOut';
import type { ProjectStatus } from '../client';
import { figure } from '../domain/headline';
import type { StageStatus } from '../domain/prediction';
import type { Ablation, MetricResult } from '../domain/version';
import { healthInWords } from '../workflows/healthDetails';
import type { ReleaseView } from '../workflows/messages';
import { bold, bytes, dim, green, red, rule, table, yellow } from './output';

/** The screens that `shoal up` and `shoal status` show. */

export function modelTable({ models }: ProjectStatus): string {
  return table(
    ['model', 'metric', 'value', 'baseline', 'verdict', 'seconds', 'ONNX'],
    models.map((view) => {
      const run = view.runs[0];
      const made = run?.made ?? view.latest;
      const metric = made?.metrics[0];
      return [
        view.model,
        metric?.metric ?? '',
        metric ? figure(metric.value) : '',
        metric?.baseline ? figure(metric.baseline.value) : '',
        view.running ? `${view.running.request.trigger} run ${view.running.run}` : verdict(run?.status),
        made ? made.training.seconds.toFixed(1) : '',
        made ? bytes(made.training.onnxBytes) : '',
      ];
    }),
    { right: [2, 3, 5, 6] },
  );
}

function verdict(status: string | undefined): string {
  switch (status) {
    case undefined: return dim('not run');
    case 'made': return green('passed');
    case 'unchanged': return green('unchanged');
    case 'refused': return yellow('refused');
    default: return red(status);
  }
}

/** The current release end to end, beside the baseline and the models it is compared with. */
export function chainTable(view: ReleaseView): string {
  const { current, evaluation } = view;
  const title = current ? `${view.chain}, release ${current.number}` : view.chain;
  if (!current || !evaluation) return `${rule(title)}\n${view.activity}`;
  const rivals = Object.entries(evaluation.comparisons);
  const rivalValue = (metric: string) => rivals.map(([, c]) => {
    const found = c.metrics.find((m) => m.metric === metric);
    return found ? figure(found.value) : '';
  });
  return [
    `${rule(title)}`,
    table(
      ['end to end', 'the chain', 'baseline', ...rivals.map(([model]) => model)],
      evaluation.metrics.map((m) => [label(m), figure(m.value), m.baseline ? figure(m.baseline.value) : '', ...rivalValue(m.metric)]),
      { right: [1, 2, ...rivals.map((_, i) => i + 3)] },
    ),
    evaluation.coverage
      ? `${(100 * evaluation.coverage.measured).toFixed(1)}% of the true values lie within the interval (meant: ${(100 * evaluation.coverage.nominal).toFixed(0)}%).`
      : '',
    dim(`Judged on ${evaluation.rows} rows that no model was trained on.`),
    view.health ? `In use: ${healthColour(view.health.state)(healthInWords(view.health))}` : '',
    evaluation.ablation ? `\n${worthTable(evaluation.ablation)}` : '',
  ].filter(Boolean).join('\n');
}

const healthColour = (state: string) => ({ ok: green, degraded: red, drift: yellow })[state] ?? dim;

const VERDICT_COLOUR: Record<string, (text: string) => string> = { pass: green, promoted: green, fail: red, failed: red, refused: yellow, 'rolled back': red };
const coloured = (verdict: string) => (VERDICT_COLOUR[verdict] ?? dim)(verdict);

/** What is on its way into use or watched, and what was decided last, with the reasons. */
export function decisionsBlock(view: ReleaseView): string {
  const { rollout, bake, decisions } = view;
  const look = rollout?.look ?? bake?.look;
  return [
    ...(rollout || bake ? [view.activity] : []),
    ...(look ? [table(['judged by', 'verdict', 'requests', 'why'], look.verdict.checks.map((c) => [c.check, coloured(c.verdict), String(c.requests), c.reason]), { right: [2], wrap: 3 })] : []),
    ...(decisions.length > 0 ? [table(['release', 'verdict', 'why'], decisions.slice(0, SHOWN_DECISIONS).map((d) => [String(d.number), coloured(d.status), d.reason]), { right: [0], wrap: 2 })] : []),
  ].join('\n');
}

const SHOWN_DECISIONS = 3;

/** What each model adds to the chain, and what it costs. */
function worthTable({ metric, value, components }: Ablation): string {
  return table(
    [`${metric} ${figure(value)}`, 'without it', 'training', 'ONNX', 'a row', 'worth it'],
    components.map(({ model, without, cost, worth }) => [
      model, figure(without), cost.trainSeconds === undefined ? '' : `${cost.trainSeconds.toFixed(1)} s`, bytes(cost.onnxBytes),
      cost.rowMs === undefined ? '' : `${cost.rowMs.toFixed(2)} ms`, worth ? green('yes') : yellow('no'),
    ]),
    { right: [1, 2, 3, 4] },
  );
}

const label = (m: MetricResult) => `${m.metric} ${dim(m.better === 'lower' ? '(lower is better)' : '(higher is better)')}`;

/** A held-out row with the chain's answer and what each stage said. */
export interface Example extends HeldOutRow {
  outputs: Record<string, unknown>;
  stages: Record<string, { status: StageStatus; outputs: Record<string, unknown> }>;
}

export function predictionBlocks(examples: Example[]): string {
  return examples.map(({ key, truth, outputs, stages }) => [
    `${key}: ${bold(answerInWords(outputs))}  ${dim('true:')} ${valueInWords(truth)}`,
    ...Object.entries(stages).map(([stage, said]) => dim(`  ${stage.padEnd(18)} ${answerInWords(said.outputs)}${said.status === 'model' ? '' : ` (${said.status})`}`)),
  ].join('\n')).join('\n');
}

/** `62.8M (14.2M to 283.0M)`, `Drama 60%`, `[0.07 -0.31 ... 24 numbers]`: outputs as people say them. */
function answerInWords(outputs: Record<string, unknown>): string {
  const { value, low, high, label, probability, probabilities: _probabilities, vector, ...others } = outputs;
  const parts = [
    'value' in outputs && `${valueInWords(value)}${typeof low === 'number' ? ` (${valueInWords(low)} to ${valueInWords(high)})` : ''}`,
    'label' in outputs && `${valueInWords(label)}${typeof probability === 'number' ? ` ${(100 * probability).toFixed(0)}%` : ''}`,
    'vector' in outputs && valueInWords(vector),
    ...Object.entries(others).map(([name, other]) => `${name} ${valueInWords(other)}`),
  ];
  return parts.filter(Boolean).join('  ');
}

function valueInWords(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (typeof value === 'number') return figure(value);
  if (!Array.isArray(value)) return String(value);
  const shown = value.slice(0, 4).map((v) => (typeof v === 'number' ? v.toFixed(2) : String(v))).join(' ');
  return `[${shown}${value.length > 4 ? ` … ${value.length} numbers` : ''}]`;
}
