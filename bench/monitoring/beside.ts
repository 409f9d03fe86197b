import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { MonitorReference } from '../../src/activities/monitorReference';
import type { Observed, ObservedWindow } from '../../src/domain/monitor';
import type { Row } from '../../src/domain/prediction';
import { cut } from '../../src/domain/thresholds';

/** What the monitor's looks found; `moved` holds, of every day and column, the distance (`low`) and the verdict (`out`). */
export interface Seen { looks: { observed: Observed; seconds: number }[]; moved: { from: string; subject: string; low: number | null; out: number | null }[] }

interface KnownMetric { estimated: number; realised: number; lower: number | null; upper: number | null }
export interface Known { seconds: number; chunks: { metrics: Record<string, KnownMetric>; drift: Record<string, { method: string; value: number; alert: boolean }> }[] }

/** Each window as the last look that showed it knew it: with its outcomes. */
export const windowsOf = ({ looks }: Seen): ObservedWindow[] =>
  [...new Map(looks.flatMap(({ observed }) => observed.windows.filter(({ rows }) => rows > 0).map((w) => [w.from, w]))).values()];

export interface Asked {
  kind: 'classification' | 'regression';
  features: string[];
  categories: string[];
  reference: MonitorReference;
  rows: Row[];
  outputs: Record<string, unknown>[];
  truth: (string | number)[];
  dayOf(row: Row): number;
  /** Rows of a window. */
  size: number;
}

/** NannyML on the same reference, cut as Shoal cuts it, and the same answers, day by day. */
export function askKnown(python: string, folder: string, { kind, features, categories, reference, rows, outputs, truth, dayOf, size }: Asked): Known {
  const { answers, scale: { classes } } = reference;
  const late = classes.indexOf('late');
  const chunkOf = cut(new Float64Array(reference.rows), Math.max(2, Math.min(size, Math.floor(reference.rows / 6)))).flatMap(({ rows: n }, c) => new Array<number>(n).fill(c));
  const cell = (name: string, i: number) => (reference.input.columns[name] as { values: ArrayLike<unknown> }).values[i];
  const line = (input: (name: string) => unknown, said: { value?: unknown; label?: unknown; late?: unknown }, was: unknown, chunk: number) => ({
    ...Object.fromEntries(features.map((name) => [name, input(name)])), chunk,
    ...(kind === 'classification' ? { label: said.label === 'late' ? 1 : 0, late: said.late, truth: was === 'late' ? 1 : 0 } : { value: said.value, truth: was }),
  });
  const [given, found] = [path.join(folder, 'given.json'), path.join(folder, 'known.json')];
  writeFileSync(given, JSON.stringify({
    kind, metrics: kind === 'classification' ? ['accuracy'] : ['mae', 'rmse'], features, categories,
    reference: chunkOf.map((chunk, i) => line((name) => cell(name, i), { value: answers.value?.[i], label: answers.label?.[i], late: answers.probabilities?.[i * 2 + late] }, reference.truth[i], chunk)),
    analysis: rows.map((row, i) => line((name) => row[name], { ...outputs[i]!, late: (outputs[i]!.probabilities as number[] | undefined)?.[late] }, truth[i], 1_000 + dayOf(row))),
  }));
  // Without it NannyML tells its makers that it was used.
  const { status, stderr } = spawnSync(python, [path.join(__dirname, 'known.py'), given, found], { encoding: 'utf8', env: { ...process.env, NML_DISABLE_USAGE_LOGGING: '1' } });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(readFileSync(found, 'utf8')) as Known;
}

const mean = (of: number[]): number => of.reduce((sum, x) => sum + x, 0) / of.length;
function correlation(a: number[], b: number[]): number {
  const [ma, mb] = [mean(a), mean(b)];
  const sum = (of: (i: number) => number) => a.reduce((total, _, i) => total + of(i), 0);
  return sum((i) => (a[i]! - ma) * (b[i]! - mb)) / Math.sqrt(sum((i) => (a[i]! - ma) ** 2) * sum((i) => (b[i]! - mb) ** 2));
}
const count = (of: boolean[]): number => of.filter(Boolean).length;

/** The day with which three of the newest fifteen are out. */
const third = (out: boolean[]): string => {
  const day = out.findIndex((_, i) => count(out.slice(Math.max(0, i - 14), i + 1)) >= 3);
  return day < 0 ? 'never' : `day ${day + 1}`;
};

/** `changed`: the day from which on requests are of another kind. */
export function report({ name, metrics, seen, known, changed }: { name: string; metrics: readonly string[]; seen: Seen; known: Known; changed?: number }): void {
  const windows = windowsOf(seen);
  console.log(`\n${name}: ${windows.length} days, ${windows.reduce((sum, { rows }) => sum + rows, 0)} flights; reference ${seen.looks[0]!.observed.reference.rows} rows`);
  const figures = metrics.map((metric) => {
    const days = windows.map((w, i) => ({
      ours: w.metrics.find((m) => m.metric === metric && m.kind === 'measured')!, estimate: w.estimates.find((m) => m.metric === metric)!, theirs: known.chunks[i]!.metrics[metric]!,
    }));
    const [realised, estimated, theirs] = [days.map((d) => d.ours.value), days.map((d) => d.estimate.value), days.map((d) => d.theirs.estimated)];
    const worse = ({ lower, upper }: KnownMetric, value: number) => (metric === 'accuracy' ? value < (lower ?? -Infinity) : value > (upper ?? Infinity));
    const error = (from: number[]) => mean(from.map((x, i) => Math.abs(x - realised[i]!))).toFixed(4);
    const alerts = (a: boolean[], b: boolean[]) => `${count(a)} / ${count(b)}, same on ${count(a.map((x, i) => x === b[i]))}`;
    if (changed) for (const [when, from, to] of [['before', 0, changed], ['after', changed, days.length]] as const) {
      const of = (all: number[]) => mean(all.slice(from, to)).toFixed(4);
      console.log(`  ${metric} ${when} the change: realised ${of(realised)}, estimated ${of(estimated)} / ${of(theirs)}`);
    }
    return [metric, {
      realised: mean(realised).toFixed(4), 'of it differing': Math.max(...days.map((d) => Math.abs(d.ours.value - d.theirs.realised))).toExponential(0),
      'error of the estimate': `${error(estimated)} / ${error(theirs)}`, 'between the two': mean(estimated.map((x, i) => Math.abs(x - theirs[i]!))).toFixed(4),
      correlation: `${correlation(estimated, realised).toFixed(3)} / ${correlation(theirs, realised).toFixed(3)}`,
      bound: `${days[0]!.ours.threshold?.toFixed(3)} / ${(metric === 'accuracy' ? days[0]!.theirs.lower : days[0]!.theirs.upper)?.toFixed(3)}`,
      'out, realised': alerts(days.map((d) => d.ours.breached!), days.map((d) => worse(d.theirs, d.theirs.realised))),
      'three out': `${third(days.map((d) => d.ours.breached!))} / ${third(days.map((d) => worse(d.theirs, d.theirs.realised)))}`,
      'out, estimated': alerts(days.map((d) => d.estimate.breached!), days.map((d) => worse(d.theirs, d.theirs.estimated))),
      'three out, estimated': `${third(days.map((d) => d.estimate.breached!))} / ${third(days.map((d) => worse(d.theirs, d.theirs.estimated)))}`,
    }];
  });
  console.table(Object.fromEntries(figures));
  console.table(Object.fromEntries(Object.keys(known.chunks[0]!.drift).map((column) => {
    const subject = { said: 'output label', value: 'output value', probability: 'output probability' }[column] ?? `input ${column}`;
    const byDay = new Map(seen.moved.filter((m) => m.subject === subject).map((m) => [m.from, m]));
    const days = windows.flatMap((w, i) => (byDay.has(w.from) ? [{ ours: byDay.get(w.from)!, theirs: known.chunks[i]!.drift[column]! }] : []));
    const [a, b] = [days.map((d) => d.ours.low ?? NaN), days.map((d) => d.theirs.value)];
    return [column, {
      method: days[0]?.theirs.method, days: days.length, 'distance, mean': `${mean(a).toFixed(3)} / ${mean(b).toFixed(3)}`, correlation: correlation(a, b).toFixed(3),
      'mean difference': mean(a.map((x, i) => Math.abs(x - b[i]!))).toFixed(4), 'days moved': `${count(days.map((d) => d.ours.out === 1))} / ${count(days.map((d) => d.theirs.alert))}`,
      'same on': count(days.map((d) => (d.ours.out === 1) === d.theirs.alert)), 'three out': `${third(days.map((d) => d.ours.out === 1))} / ${third(days.map((d) => d.theirs.alert))}`,
    }];
  })));
  for (const { observed: { at, alerts } } of seen.looks) {
    if (alerts.length === 0) continue;
    const raised = alerts.filter(({ verdict }) => verdict === 'raise');
    console.log(`  look of ${at.slice(0, 10)}: ${raised.length > 0 ? raised.map(({ subject, breached, of }) => `${subject} (${breached} of ${of})`).join(', ') : 'no alert'}`);
  }
  const seconds = seen.looks.map((look) => look.seconds);
  console.log(`  seconds: Shoal ${seconds[0]!.toFixed(1)} for the first look, which learns from the reference, ${mean(seconds.slice(1)).toFixed(1)} for each later one; NannyML ${known.seconds.toFixed(1)} for all days`);
}
