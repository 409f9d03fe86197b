import { everyNth } from '../data/compareData';
import { withLiveWindows, type LiveRow, type LiveWindows, type Span } from '../data/liveWindows';
import { writeTable } from '../data/writeTable';
import { judgeWindows, type Judged } from '../domain/alerts';
import { figure } from '../domain/headline';
import { pooled, windowMetric } from '../domain/judgeWindow';
import { lossesOf, type Answers, type LiveMetric, type TrueValues } from '../domain/liveScores';
import { usualDistance, windowDrift } from '../domain/monitorDrift';
import type { AlertVerdict, Observed, ObservedWindow, PooledMetric, WindowDrift, WindowMetric } from '../domain/monitor';
import { toColumn } from '../domain/rows';
import { takeColumn, type Column, type Table } from '../domain/table';
import { cut, partOf, usual, type Part, type Usual } from '../domain/thresholds';
import type { Data } from './inputs';
import { recall } from './memory';
import { answersOf, expectedOf, type MonitorReference } from './monitorReference';
import type { ObserveInput } from './observe';
import { stageMetrics } from './observeStages';

export type ObserveData = Data & { reference(): Promise<MonitorReference>; trained(): Promise<ReadonlySet<string>> };

const WINDOWS = 30;
const SHOWN_SLICES = 40;
const SHOWN_DRIFT = 60;
const DRIFT_ROWS = 5_000;
/** The reference is cut into this many windows at least. */
const FEWEST_PARTS = 6;

/** A window's rows as columns. */
export interface WindowRows { rows: LiveRow[]; input: Table; answers: Answers; output: Table; truth: TrueValues; losses: Record<string, Float64Array> }

export function observeChain(input: ObserveInput, data: ObserveData): Promise<Observed> {
  const { release, monitor: { monitor }, until } = input;
  const { alert: { n }, window, reference: { windows } } = monitor;
  return withLiveWindows(data.store, { chain: release.chain, release: release.number, window, windows: Math.max(WINDOWS, windows + n), until }, async (live) => {
    // Nothing that anybody asked: nothing to load.
    if (live.spans.every(({ rows }) => rows < monitor.minRows)) return nothingYet(input, live.spans);
    return observeWindows(input, live, data);
  });
}

async function observeWindows({ release, monitor: asked, until }: ObserveInput, live: LiveWindows, data: ObserveData): Promise<Observed> {
  const { monitor } = asked;
  const { minRows, alert, reference: { deviations } } = monitor;
  const [reference, trained] = [await data.reference(), await data.trained()];
  const { spans } = live;
  const recent = spans.map((_, i) => i).slice(-alert.n);
  const size = typical(spans, minRows);

  const windows: ObservedWindow[] = [];
  const parts: Record<string, Part>[] = [];
  const expected: Record<string, Part>[] = [];
  const drift: WindowDrift[] = [];
  const newest: WindowRows[] = [];
  const compare = driftAgainst(reference, { size, deviations, minRows });
  for (const [i, span] of spans.entries()) {
    const rows = columnsOf(span.rows >= minRows ? await live.read(i) : [], reference, trained);
    parts.push(Object.fromEntries(Object.entries(rows.losses).map(([metric, loss]) => [metric, partOf(loss)])));
    expected.push(Object.fromEntries(reference.metrics.flatMap(({ metric }) => {
      const loss = rows.rows.length < minRows ? undefined : expectedOf(reference, metric, rows);
      return loss ? [[metric, partOf(loss)]] : [];
    })));
    const moved = recent.includes(i) && span.rows >= minRows ? compare(rows, iso(span.from)) : undefined;
    drift.push(...moved ?? []);
    if (recent.includes(i)) newest.push(rows);
    const drifted = moved?.filter(({ verdict }) => verdict === 'drifted').map(({ column }) => column);
    windows.push({ from: iso(span.from), to: iso(span.to), rows: span.rows, outcomes: span.outcomes, metrics: [], estimates: [], ...(drifted && { drifted }) });
  }

  const usuals: Record<string, Usual | undefined> = {};
  const kinds = new Set<string>();
  let learnedFrom = 0;
  for (const metric of reference.metrics) {
    const known = await usualOf(metric, { release, monitor, reference, size, parts: parts.map((p) => p[metric.metric]) }, data);
    usuals[metric.metric] = known.usual;
    if (known.usual) learnedFrom = Math.max(learnedFrom, known.usual.windows);
    kinds.add(known.kind);
  }
  windows.forEach((w, i) => {
    for (const metric of reference.metrics) {
      const judge = (part: Part | undefined, kind: WindowMetric['kind']) =>
        (part && part.rows >= minRows ? windowMetric(metric, part, { kind, usual: usuals[metric.metric], deviations }) : undefined);
      const [measured, estimated] = [judge(parts[i]![metric.metric], 'measured'), judge(expected[i]![metric.metric], 'estimated')];
      const best = measured ?? estimated;
      if (best) w.metrics.push(best);
      if (estimated && best !== estimated) w.estimates.push(estimated);
    }
  });

  const span = { from: spans[recent[0]!]!.from, to: spans.at(-1)!.to };
  const releases = [...await live.releases(span)].flatMap(([number, rows]) => pool(`release ${number}`, columnsOf(rows, reference, trained), reference));
  const { stages, notes } = await stageMetrics({ release, stages: asked.stages, rows: newest.flatMap(({ rows }) => rows).filter(({ key }) => !trained.has(key)), minRows, live }, data);
  const alertMetrics = monitor.metrics.length > 0 ? monitor.metrics : reference.metrics.slice(0, 1).map(({ metric }) => metric);
  const alerts = [
    ...alertMetrics.map((metric) => performanceAlert(metric, windows, { alert, models: asked.models.map(({ name }) => name) })),
    ...(await driftAlerts(drift, windows, { release, alert, models: data.models })),
  ];
  return {
    chain: release.chain, release: release.number, at: until, alert,
    reference: { kind: kinds.has('live') ? 'live' : 'holdout', rows: reference.rows, windows: learnedFrom, method: methodOf(reference) },
    windows: windows.slice(-2 * alert.n), alerts,
    drift: worstFirst(drift).slice(0, SHOWN_DRIFT),
    releases, stages, slices: sliceMetrics(monitor.slices, newest, reference, minRows),
    notes,
    table: await tableOf(windows, drift, data),
  };
}

/** Live windows take the holdout's place once there are enough that the alert's rule held in none of; what was learned then holds for the release. */
async function usualOf(metric: LiveMetric, of: { release: ObserveInput['release']; monitor: ObserveInput['monitor']['monitor']; reference: MonitorReference; size: number; parts: (Part | undefined)[] }, data: Data) {
  const { release, monitor, reference, size, parts } = of;
  const { minRows, alert, reference: { windows, deviations } } = monitor;
  const loss = reference.losses[metric.metric];
  const known = loss ? loss.reduce((count, x) => count + (Number.isNaN(x) ? 0 : 1), 0) : 0;
  const fromHoldout = loss && known >= minRows ? usual(cut(loss, Math.max(2, Math.min(size, Math.floor(known / FEWEST_PARTS))))) : undefined;
  const identity = { chain: release.chain, release: release.number, versions: Object.values(release.versions).map(({ id }) => id), metric: metric.metric, window: monitor.window, alert, reference: monitor.reference, minRows };
  const { result } = await recall(data.store, 'monitors', identity, async (): Promise<{ live?: Usual }> => {
    const first = parts.filter((p): p is Part => p !== undefined && p.rows >= minRows).slice(0, windows);
    if (first.length < windows) return {};
    const judged = first.map((part): Judged => (fromHoldout ? (windowMetric(metric, part, { kind: 'measured', usual: fromHoldout, deviations }).breached ? 'out' : 'in') : undefined));
    const everRaised = first.some((_, i) => judgeWindows(judged.slice(0, i + 1), alert).verdict === 'raise');
    return everRaised ? {} : { live: usual(first) };
  }, () => [], ({ live }) => live !== undefined);
  return result.live ? { usual: result.live, kind: 'live' as const } : { usual: fromHoldout, kind: 'holdout' as const };
}

function columnsOf(rows: LiveRow[], reference: MonitorReference, trained: ReadonlySet<string>): WindowRows {
  const { scale, columns } = reference;
  const none = () => undefined;
  const table = (named: [string, Column][]): Table => ({ rows: rows.length, columns: Object.fromEntries(named) });
  const input = table(columns.map(({ column, type, width }) => [column, toColumn(rows.map((row) => row.input[column]), { type, width }, none)]));
  const width = scale.classes.length;
  const output = table(([['value', 'number'], ['low', 'number'], ['high', 'number'], ['label', 'category'], ['probability', 'number'], ['probabilities', 'vector']] as const)
    .filter(([name]) => rows.some((row) => row.output[name] !== undefined && row.output[name] !== null))
    .map(([name, type]) => [name, toColumn(rows.map((row) => row.output[name]), { type, ...(type === 'vector' && { width }) }, none)]));
  const answers = answersOf(output);
  const truth = rows.map((row) => (trained.has(row.key) ? null : row.truth));
  const losses = Object.fromEntries(reference.metrics.flatMap(({ metric }) => {
    const loss = lossesOf(metric, answers, truth, scale);
    return loss ? [[metric, loss]] : [];
  }));
  return { rows, input, answers, output, truth, losses };
}

/** Inputs, and what the chain says, against the reference. */
function driftAgainst(reference: MonitorReference, of: { size: number; deviations: number; minRows: number }) {
  const { rows } = reference;
  const chosen = everyNth(rows, DRIFT_ROWS);
  const said: Record<string, Column> = {
    ...(reference.answers.value && { value: { type: 'number', values: reference.answers.value } }),
    ...(reference.answers.label && { label: { type: 'category', values: reference.answers.label } }),
    ...(reference.answers.probability && { probability: { type: 'number', values: reference.answers.probability } }),
  };
  const known = { input: reference.input.columns, output: said };
  const limits = new Map<string, number | undefined>();
  // Of all rows: a window's share of the reference's time is then what it is in use, as near as their numbers allow.
  const boundOf = (part: 'input' | 'output', name: string) => {
    const at = `${part} ${name}`;
    if (!limits.has(at)) limits.set(at, usualDistance(known[part][name]!, { size: Math.max(2, Math.min(of.size, Math.floor(rows / 2))), deviations: of.deviations, against: DRIFT_ROWS }));
    return limits.get(at);
  };
  const sampled = { input: thinned(known.input, chosen), output: thinned(known.output, chosen) };
  return (window: WindowRows, from: string): WindowDrift[] => (['input', 'output'] as const).flatMap((part) =>
    Object.entries(sampled[part]).flatMap(([name, column]) => {
      const current = window[part].columns[name];
      if (!current || column.type === 'vector' || current.type === 'vector') return [];
      const thin = takeColumn(current, everyNth(window[part].rows, DRIFT_ROWS));
      return [{ ...windowDrift(name, { reference: column, current: thin }, { bound: boundOf(part, name), minRows: of.minRows }), part, window: from }];
    }));
}

const thinned = (columns: Record<string, Column>, rows: ArrayLike<number>): Record<string, Column> =>
  Object.fromEntries(Object.entries(columns).map(([name, column]) => [name, takeColumn(column, rows)]));

function performanceAlert(metric: string, windows: readonly ObservedWindow[], of: { alert: { m: number; n: number }; models: string[] }): AlertVerdict {
  const found = windows.map((w) => w.metrics.find((m) => m.metric === metric));
  const { verdict, breached, of: judged } = judgeWindows(found.map((m): Judged => (m?.breached === undefined ? undefined : m.breached ? 'out' : 'in')), of.alert);
  const last = found.filter((m) => m?.breached === (verdict === 'raise' || undefined) || (verdict !== 'raise' && m)).at(-1);
  const reason = last
    ? `${metric} ${figure(last.value)} (${last.kind} on ${last.rows} rows), its bound is ${last.threshold === undefined ? 'not known' : figure(last.threshold)}: out of bounds in ${breached} of the newest ${judged} windows`
    : `no window has enough rows for a verdict on ${metric}`;
  return { subject: `metric ${metric}`, kind: 'degraded', verdict, breached, of: judged, reason, models: of.models };
}

async function driftAlerts(drift: readonly WindowDrift[], windows: readonly ObservedWindow[], of: { release: ObserveInput['release']; alert: { m: number; n: number }; models: Data['models'] }): Promise<AlertVerdict[]> {
  const { release, alert, models } = of;
  const manifests = await Promise.all(Object.values(release.versions).map((ref) => models.manifest(ref)));
  const readers = (column: string) => manifests.filter(({ spec }) => spec.inputs.some((i) => i.kind === 'column' && i.column === column)).map(({ model }) => model);
  const columns = new Map(drift.map((d) => [`${d.part} ${d.column}`, d]));
  return [...columns].flatMap(([subject, { part, column }]): AlertVerdict[] => {
    const found = windows.map(({ from }) => drift.find((d) => d.window === from && d.part === part && d.column === column));
    const { verdict, breached, of: judged } = judgeWindows(found.map((d): Judged => (!d || d.verdict === 'no verdict' ? undefined : d.verdict === 'drifted' ? 'out' : 'in')), alert);
    if (judged === 0) return [];
    const last = found.filter((d) => d && (breached === 0 || d.verdict === 'drifted')).at(-1);
    const named = part === 'input' ? readers(column) : [release.spec.outputStage];
    return [{ subject, kind: 'drift', verdict, breached, of: judged, models: named, reason: `${subject}: ${last?.reason ?? ''} (in ${breached} of the newest ${judged} windows)` }];
  });
}

function pool(of: string, rows: WindowRows, { metrics, losses: usualLosses }: Pick<MonitorReference, 'metrics' | 'losses'>, reference = usualLosses): PooledMetric[] {
  return metrics.flatMap((metric) => {
    const found = rows.losses[metric.metric] && pooled(metric, rows.losses[metric.metric]!);
    const was = reference[metric.metric] && pooled(metric, reference[metric.metric]!);
    return found ? [{ of, ...found, ...(was && { reference: was.value }) }] : [];
  });
}

function sliceMetrics(columns: readonly string[], windows: readonly WindowRows[], reference: MonitorReference, minRows: number): PooledMetric[] {
  const metric = reference.metrics[0];
  if (!metric) return [];
  return columns.flatMap((column) => {
    const groups = new Map<string, number[]>();
    for (const { rows, losses } of windows) {
      rows.forEach((row, i) => {
        const loss = losses[metric.metric]?.[i];
        if (loss === undefined || Number.isNaN(loss)) return;
        const value = row.input[column];
        const name = value === null || value === undefined ? `${column} missing` : `${column} = ${String(value)}`;
        const known = groups.get(name);
        if (known) known.push(loss);
        else groups.set(name, [loss]);
      });
    }
    const before = reference.input.columns[column];
    return [...groups].filter(([, losses]) => losses.length >= minRows).map(([of, losses]): PooledMetric => {
      const was = before && before.type !== 'vector' && reference.losses[metric.metric]
        ? pooled(metric, reference.losses[metric.metric]!.filter((_, i) => `${column} = ${String((before.values as ArrayLike<unknown>)[i])}` === of)) : undefined;
      return { of, ...pooled(metric, losses)!, ...(was && { reference: was.value }) };
    });
  }).sort((a, b) => b.rows - a.rows).slice(0, SHOWN_SLICES);
}

/** Of windows that can have a verdict, the median number of rows. */
function typical(spans: readonly Span[], minRows: number): number {
  const sizes = spans.map(({ rows }) => rows).filter((rows) => rows >= minRows).sort((a, b) => a - b);
  return sizes[Math.floor(sizes.length / 2)] ?? minRows;
}

const worstFirst = (drift: readonly WindowDrift[]): WindowDrift[] => {
  const rank = { drifted: 0, stable: 1, 'no verdict': 2 };
  return [...drift].sort((a, b) => (a.window < b.window ? 1 : a.window > b.window ? -1 : rank[a.verdict] - rank[b.verdict]));
};

const methodOf = ({ estimator, spec }: MonitorReference): string => {
  if (!estimator) return spec.task === 'embedding' ? 'vectors have no outcomes' : 'the chain\'s answers do not allow an estimate';
  return estimator.method === 'CBPE' ? 'CBPE, confidence-based performance estimation' : 'DLE, direct loss estimation';
};

function nothingYet({ release, monitor: { monitor }, until }: ObserveInput, spans: readonly Span[]): Observed {
  const rows = spans.reduce((sum, span) => sum + span.rows, 0);
  return {
    chain: release.chain, release: release.number, at: until, alert: monitor.alert, reference: { kind: 'holdout', rows: 0, windows: 0, method: '' },
    windows: spans.filter(({ rows: n }) => n > 0).slice(-2 * monitor.alert.n).map(({ from, to, rows: n, outcomes }) => ({ from: iso(from), to: iso(to), rows: n, outcomes, metrics: [], estimates: [] })),
    alerts: [], drift: [], releases: [], stages: [], slices: [],
    notes: [`no window has the ${monitor.minRows} rows that a verdict needs: ${rows} rows in the newest ${spans.length} windows`],
  };
}

/** All of it, for people and notebooks: one line a window and metric or column. */
async function tableOf(windows: readonly ObservedWindow[], drift: readonly WindowDrift[], { store }: Data) {
  const lines = [
    ...windows.flatMap(({ from, to, metrics, estimates }) => [...metrics, ...estimates].map((m) => ({ from, to, subject: `metric ${m.metric}`, kind: m.kind as string, value: m.value, low: m.low, high: m.high, bound: m.threshold ?? NaN, rows: m.rows, out: m.breached === undefined ? NaN : Number(m.breached) }))),
    ...drift.map((d) => ({ from: d.window, to: '', subject: `${d.part} ${d.column}`, kind: d.test ?? d.verdict, value: d.value ?? NaN, low: d.distance ?? NaN, high: NaN, bound: d.bound ?? d.threshold ?? NaN, rows: d.rows.current, out: d.verdict === 'no verdict' ? NaN : Number(d.verdict === 'drifted') })),
  ];
  if (lines.length === 0) return undefined;
  const texts = (name: 'from' | 'to' | 'subject' | 'kind'): Column => ({ type: 'category', values: lines.map((l) => l[name]) });
  const numbers = (name: 'value' | 'low' | 'high' | 'bound' | 'rows' | 'out'): Column => ({ type: 'number', values: Float64Array.from(lines, (l) => l[name]) });
  return writeTable(store, { keys: lines.map((_, i) => String(i)), table: { rows: lines.length, columns: {
    from: texts('from'), to: texts('to'), subject: texts('subject'), kind: texts('kind'), value: numbers('value'), low: numbers('low'), high: numbers('high'), bound: numbers('bound'), rows: numbers('rows'), out: numbers('out'),
  } } });
}

const iso = (ms: number): string => new Date(ms).toISOString();
