import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { createObserve } from '../../src/activities/observe';
import { makeVersion } from '../../src/activities/makeVersion';
import { monitorReference } from '../../src/activities/monitorReference';
import { monitorInput } from '../../src/client/monitorSchedule';
import { loadProject } from '../../src/config';
import { ident, literal, withDuckDB } from '../../src/data/duckdb';
import { ingestSource } from '../../src/data/ingest';
import { recordOutcomes } from '../../src/data/outcomes';
import { createRequestLog } from '../../src/data/requestLog';
import { stageDependencies } from '../../src/domain/graph';
import type { Observed, ObservedWindow, WindowDrift } from '../../src/domain/monitor';
import type { Row } from '../../src/domain/prediction';
import { cut } from '../../src/domain/thresholds';
import type { Release } from '../../src/domain/version';
import { Models } from '../../src/serve/models';
import { chainOutputs, runStages } from '../../src/serve/stages';
import { openStore } from '../../src/store/fileStore';

/**
 * Flights of 2001 (vega-datasets): a model of January and February is asked for every day of March to June, and what came of it is known later.
 * What Shoal's monitor says of each day, without outcomes and with them, beside NannyML on the same reference, the same days, the same answers.
 *
 *   node -r ./bench/register.cjs bench/monitoring/flights.ts <python with requirements.txt>
 */

const [python = 'python3'] = process.argv.slice(2);
const DAY = 86_400_000;
const FROM = Date.parse('2001-03-01');
const TO = Date.parse('2001-06-30');
const A_DAY = 600;
const TRAINED = 24_000;
const N = 15;

const model = (task: string, target: string, more = '') => `
name: flights
sources: { flights: { path: train.parquet, key: id } }
models:
  flight: { task: ${task}, source: flights, target: ${target}, inputs: [distance, { column: origin, type: category }, { column: destination, type: category }, hour, weekday], holdout: 0.4, training: { maxEpochs: 20 }, gates: [] ${more} }
chains:
  flights: { output: flight, monitor: { window: 1d, alert: 3 of ${N}, reference: { time: date, windows: 10000 } } }
`;

const CASES = [
  { kind: 'classification', yaml: model('classification', 'late'), shoal: 'accuracy', known: 'accuracy' },
  { kind: 'regression', yaml: model('regression', 'delay'), shoal: 'mae', known: 'mae' },
  { kind: 'regression', yaml: model('regression', 'delay'), shoal: 'rmse', known: 'rmse' },
] as const;

interface Known { chunks: { metrics: Record<string, { estimated: number; estimatedAlert: boolean; realised: number; alert: boolean; lower: number | null; upper: number | null }>; drift: Record<string, Record<string, { value: number; alert: boolean }>> }[] }

void (async () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'shoal-monitoring-'));
  try {
    await writeData(folder);
    const done = new Map<string, Awaited<ReturnType<typeof watch>>>();
    for (const { kind, yaml, shoal, known } of CASES) {
      if (!done.has(kind)) done.set(kind, await watch(kind, yaml, folder));
      report(kind, { shoal, known }, done.get(kind)!);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
})().catch((error: unknown) => { console.error(error); process.exitCode = 1; });

async function writeData(folder: string): Promise<void> {
  const file = path.join(__dirname, '../../node_modules/vega-datasets/data/flights-3m.parquet');
  const columns = `row_number() OVER (ORDER BY date, origin, destination, delay) AS id, date, delay::DOUBLE AS delay, distance::DOUBLE AS distance, origin, destination,
    (hour(date) + minute(date) / 60)::DOUBLE AS hour, dayofweek(date)::DOUBLE AS weekday, CASE WHEN delay > 15 THEN 'late' ELSE 'fine' END AS late`;
  await withDuckDB({}, async (db) => {
    await db.run(`CREATE TABLE all_rows AS SELECT ${columns} FROM ${literal(file)}`);
    await db.run(`COPY (SELECT * FROM all_rows WHERE date < TIMESTAMP '2001-03-01' ORDER BY hash(id) LIMIT ${TRAINED}) TO ${literal(path.join(folder, 'train.parquet'))}`);
    await db.run(`COPY (SELECT *, epoch_ms(date) AS ms FROM all_rows WHERE date >= TIMESTAMP '2001-03-01' AND date < TIMESTAMP '2001-06-30'
      QUALIFY row_number() OVER (PARTITION BY date::DATE ORDER BY hash(id)) <= ${A_DAY} ORDER BY date) TO ${literal(path.join(folder, 'live.parquet'))}`);
  });
}

type LiveRow = Row & { id: string; ms: number; delay: number; late: string };

async function watch(kind: 'classification' | 'regression', yaml: string, folder: string) {
  const file = path.join(folder, `${kind}.yaml`);
  writeFileSync(file, `${yaml}\nstore: ${path.join(folder, kind)}\n`);
  const project = await loadProject(file, {});
  const store = await openStore(project.store);
  const models = new Models({ store });
  const snapshot = await ingestSource(project.sources.flights!, { store });
  const { version } = await makeVersion({ model: project.models.flight!, snapshot, upstream: {}, fingerprint: 'bench' }, { store, models, now: () => performance.now(), onProgress: () => undefined });
  const spec = project.chains.flights!;
  const release: Release = { chain: 'flights', number: 1, spec, versions: { flight: version }, dependencies: stageDependencies(spec, project.models), taskQueues: {} };

  const live = await withDuckDB({}, (db) => db.rows<LiveRow>(`SELECT ${['id', 'distance', 'origin', 'destination', 'hour', 'weekday', 'delay', 'late'].map(ident).join(', ')}, ms FROM ${literal(path.join(folder, 'live.parquet'))}`));
  const rows = live.map((r) => ({ ...r, id: Number(r.id), ms: Number(r.ms), distance: Number(r.distance), delay: Number(r.delay), hour: Number(r.hour), weekday: Number(r.weekday) }));
  const outputs: Record<string, unknown>[] = [];
  for (let at = 0; at < rows.length; at += 2_000) {
    const some = rows.slice(at, at + 2_000).map(({ ms: _ms, delay: _delay, late: _late, ...row }) => row);
    outputs.push(...chainOutputs(release, some, await runStages({ release, stages: ['flight'], rows: some, earlier: {} }, { models })));
  }
  let clock = FROM;
  const log = createRequestLog(store, { now: () => clock });
  const target = (row: (typeof rows)[number]) => (kind === 'classification' ? row.late : row.delay);
  for (let day = FROM; day < TO; day += DAY) {
    const its = rows.flatMap((row, i) => (row.ms >= day && row.ms < day + DAY ? [i] : []));
    clock = day + DAY;
    await log.append(its.map((i) => {
      const { ms, delay: _delay, late: _late, ...row } = rows[i]!;
      return { chain: 'flights', request: `r${row.id}`, at: new Date(ms).toISOString(), release: 1, arm: 'live' as const, weight: 1, versions: {}, keys: [String(row.id)], rows: [row], outputs: [outputs[i]!], seconds: 0.01, fallbacks: {} };
    }));
  }
  const activity = createObserve({ store, models }).observe;
  const look = (until: number): Promise<Observed> => new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') })
    .run(activity, { release, monitor: monitorInput(project, 'flights')!, until: new Date(until + 60_000).toISOString() }) as Promise<Observed>;
  const all = async (): Promise<{ windows: ObservedWindow[]; drift: WindowDrift[] }> => {
    const found = { windows: [] as ObservedWindow[], drift: [] as WindowDrift[] };
    for (let until = FROM + N * DAY; until < TO + N * DAY; until += N * DAY) {
      const from = new Date(until - N * DAY).toISOString();
      const seen = await look(Math.min(until, TO));
      found.windows.push(...seen.windows.filter((w) => w.from >= from && w.rows > 0));
      found.drift.push(...seen.drift.filter((d) => d.window >= from));
    }
    return found;
  };
  const started = performance.now();
  const blind = await all();
  const looked = (performance.now() - started) / 1000;
  // Labels come late: on the last of June.
  await recordOutcomes(store, { chain: 'flights', now: TO, outcomes: rows.map((row) => ({ key: String(row.id), value: target(row) })) });
  const seen = await all();

  const reference = await monitorReference(release, { time: 'date' }, { store, models });
  const late = reference.scale.classes.indexOf('late');
  const size = Math.max(2, Math.min(A_DAY, Math.floor(reference.rows / 6)));
  const chunkOf = cut(new Float64Array(reference.rows), size).flatMap(({ rows: n }, c) => new Array<number>(n).fill(c));
  const cells = (name: string) => Array.from((reference.input.columns[name] as { values: ArrayLike<unknown> }).values);
  const inputs = ['distance', 'origin', 'destination', 'hour', 'weekday'];
  const line = (row: Record<string, unknown>, out: { value?: unknown; label?: unknown; late?: unknown }, truth: unknown, chunk: number) => ({
    ...Object.fromEntries(inputs.map((name) => [name, row[name]])), ...(kind === 'classification' ? { label: out.label === 'late' ? 1 : 0, late: out.late, truth: truth === 'late' ? 1 : 0 } : { value: out.value, truth }), chunk, at: chunk });
  const columns = Object.fromEntries(inputs.map((name) => [name, cells(name)]));
  const { answers, truth } = reference;
  const given = {
    kind, metrics: kind === 'classification' ? ['accuracy', 'roc_auc'] : ['mae', 'rmse'], features: inputs, categories: ['origin', 'destination'],
    reference: Array.from({ length: reference.rows }, (_, i) => line(Object.fromEntries(inputs.map((n) => [n, columns[n]![i]])),
      { value: answers.value?.[i], label: answers.label?.[i], late: answers.probabilities?.[i * 2 + late] }, truth[i], chunkOf[i]!)),
    analysis: rows.map((row, i) => line(row, { ...outputs[i]!, late: (outputs[i]!.probabilities as number[] | undefined)?.[late] }, target(row), Math.floor((row.ms - FROM) / DAY) + 1_000)),
  };
  writeFileSync(path.join(folder, 'given.json'), JSON.stringify(given));
  const ran = performance.now();
  const { status, stderr } = spawnSync(python, [path.join(__dirname, 'known.py'), path.join(folder, 'given.json'), path.join(folder, 'known.json')], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  const known = JSON.parse(readFileSync(path.join(folder, 'known.json'), 'utf8')) as Known;
  return { blind, seen, known, looked, ran: (performance.now() - ran) / 1000, rows: rows.length, reference: reference.rows };
}

function report(kind: string, names: { shoal: string; known: string }, { blind, seen, known, looked, ran, rows, reference }: Awaited<ReturnType<typeof watch>>): void {
  const days = seen.windows.map((w, i) => {
    const measured = w.metrics.find((m) => m.metric === names.shoal)!;
    const estimated = blind.windows[i]!.metrics.find((m) => m.metric === names.shoal)!;
    return { measured, estimated, theirs: known.chunks[i]!.metrics[names.known]! };
  });
  const worse = (t: (typeof days)[number]['theirs'], value: number) => (names.shoal === 'accuracy' ? value < (t.lower ?? -Infinity) : value > (t.upper ?? Infinity));
  const mean = (of: number[]) => of.reduce((sum, x) => sum + x, 0) / of.length;
  const both = (a: boolean[], b: boolean[]) => `${a.filter(Boolean).length} / ${b.filter(Boolean).length}, the same on ${a.filter((x, i) => x === b[i]).length} of ${a.length}`;
  const usual = mean(days.map((d) => d.measured.value));
  console.log(`\n${kind}, ${names.shoal}: ${days.length} days, ${rows} flights; reference ${reference} rows`);
  console.log(`  realised, mean over days: Shoal ${usual.toFixed(4)}, NannyML ${mean(days.map((d) => d.theirs.realised)).toFixed(4)} (largest difference ${Math.max(...days.map((d) => Math.abs(d.measured.value - d.theirs.realised))).toExponential(1)})`);
  console.log(`  mean absolute error of the estimate: Shoal ${mean(days.map((d) => Math.abs(d.estimated.value - d.measured.value))).toFixed(4)}, NannyML ${mean(days.map((d) => Math.abs(d.theirs.estimated - d.theirs.realised))).toFixed(4)}`);
  console.log(`  bound: Shoal ${days[0]!.measured.threshold?.toFixed(4)}, NannyML ${JSON.stringify([days[0]!.theirs.lower, days[0]!.theirs.upper])}`);
  console.log(`  days out of bounds, realised, Shoal / NannyML: ${both(days.map((d) => d.measured.breached!), days.map((d) => worse(d.theirs, d.theirs.realised)))}`);
  console.log(`  days out of bounds, estimated: ${both(days.map((d) => d.estimated.breached!), days.map((d) => worse(d.theirs, d.theirs.estimated)))}`);
  for (const column of Object.keys(known.chunks[0]!.drift)) {
    const mine = seen.windows.map((w) => w.drifted?.includes(column) ?? false);
    for (const method of Object.keys(known.chunks[0]!.drift[column]!)) {
      console.log(`  days on which ${column} moved, Shoal / NannyML's ${method}: ${both(mine, known.chunks.slice(0, mine.length).map((c) => c.drift[column]![method]!.alert))}`);
    }
  }
  console.log(`  seconds: Shoal's looks ${looked.toFixed(1)}, NannyML ${ran.toFixed(1)}`);
}
