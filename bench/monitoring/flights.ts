import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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
import type { MonitorInput, Observed } from '../../src/domain/monitor';
import type { Row } from '../../src/domain/prediction';
import type { Release } from '../../src/domain/version';
import { Models } from '../../src/serve/models';
import { chainOutputs, runStages } from '../../src/serve/stages';
import { openStore } from '../../src/store/fileStore';
import type { Store } from '../../src/store/store';
import { askKnown, report, windowsOf, type Seen } from './beside';
import { drawDays } from './picture';

/**
 * Flights of 2001 (vega-datasets): a model of January and February is asked every day from March on, and what came of each answer is known ten
 * days later. What Shoal's monitor says of each day, before outcomes and with them, beside NannyML on the same reference, days and answers.
 * As it was, to the end of June; where from April on people ask of evening flights alone, which are late more often; and where nothing
 * changes: other flights of January and February, dealt to days by chance.
 *
 *   node -r ./bench/register.cjs bench/monitoring/flights.ts <python with requirements.txt> [folder for the pictures]
 */

const [python = 'python3', pictures] = process.argv.slice(2);
const DAY = 86_400_000;
const FROM = Date.parse('2001-03-01');
const A_DAY = 600;
const TRAINED = 24_000;
const LATE = 10;
const N = 15;
const INPUTS = ['distance', 'origin', 'destination', 'hour', 'weekday'];

const CASES = [
  { kind: 'classification', target: 'late', metrics: ['accuracy'] },
  { kind: 'regression', target: 'delay', metrics: ['mae', 'rmse'] },
] as const;
/** Three chains of one model, asked of different flights. */
const TRAFFIC = [
  { chain: 'as-it-was', days: 121, asked: 'true' },
  { chain: 'evenings', days: 61, asked: "date < TIMESTAMP '2001-04-01' OR hour(date) >= 18", changed: 31 },
  { chain: 'unchanged', days: 45 },
];

const projectOf = ({ kind, target, metrics }: (typeof CASES)[number]): string => `
name: flights
sources: { flights: { path: train.parquet, key: id } }
models:
  flight: { task: ${kind}, source: flights, target: ${target}, inputs: [distance, { column: origin, type: category }, { column: destination, type: category }, hour, weekday], holdout: 0.4, training: { maxEpochs: 20 }, gates: [] }
chains:
${TRAFFIC.map(({ chain }) => `  ${chain}: { output: flight, monitor: { window: 1d, alert: 3 of ${N}, metrics: [${metrics.join(', ')}], reference: { time: date, windows: 10000 } } }`).join('\n')}
store: ${kind}
`;

export type LiveRow = Row & { id: number; ms: number; delay: number; late: string };
interface Deployed { release: Release; monitor: MonitorInput; store: Store; models: Models; outcome(row: LiveRow): string | number }

async function main(): Promise<void> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'shoal-monitoring-'));
  try {
    await writeTraining(folder);
    for (const of of CASES) {
      const deployed = await deploy(of, folder);
      for (const { chain, days, asked, changed } of TRAFFIC) {
        const { release, monitor, ...rest } = deployed(chain);
        const rows = await liveRows({ days, asked });
        const seen = await watch({ release, monitor, ...rest }, rows, days);
        const known = askKnown(python, folder, {
          kind: of.kind, features: INPUTS, categories: ['origin', 'destination'], reference: await monitorReference(release, { time: 'date' }, rest),
          rows, outputs: seen.outputs, truth: rows.map(rest.outcome), dayOf: (row) => Math.floor((Number(row.ms) - FROM) / DAY), size: A_DAY,
        });
        report({ name: `${of.kind}, ${chain}`, metrics: of.metrics, seen, known, changed });
        if (pictures) for (const metric of of.metrics) await drawDays(path.join(pictures, `flights-${metric}-${chain}.svg`), { metric, windows: windowsOf(seen) });
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const FLIGHTS = `(SELECT row_number() OVER (ORDER BY date, origin, destination, delay) AS id, date, delay::DOUBLE AS delay, distance::DOUBLE AS distance, origin, destination,
  (hour(date) + minute(date) / 60)::DOUBLE AS hour, dayofweek(date)::DOUBLE AS weekday, CASE WHEN delay > 0 THEN 'late' ELSE 'fine' END AS late
  FROM ${literal(path.join(__dirname, '../../node_modules/vega-datasets/data/flights-3m.parquet'))})`;

const COLUMNS = ['id', ...INPUTS, 'delay', 'late'].map(ident).join(', ');

const writeTraining = (folder: string): Promise<void> => withDuckDB({}, async (db) => {
  await db.run(`COPY (SELECT * FROM ${FLIGHTS} WHERE date < TIMESTAMP '2001-03-01' ORDER BY hash(id) LIMIT ${TRAINED}) TO ${literal(path.join(folder, 'train.parquet'))}`);
});

async function liveRows({ days, asked }: { days: number; asked?: string }): Promise<LiveRow[]> {
  const from = literal(new Date(FROM).toISOString().slice(0, 10));
  const rows = await withDuckDB({}, (db) => db.rows<LiveRow>(asked
    ? `SELECT ${COLUMNS}, epoch_ms(date) AS ms FROM ${FLIGHTS} WHERE date >= DATE ${from} AND date < DATE ${from} + INTERVAL ${days} DAY AND (${asked})
      QUALIFY row_number() OVER (PARTITION BY date::DATE ORDER BY hash(id)) <= ${A_DAY} ORDER BY date`
    // What follows on those that were trained on, in the order in which they were chosen.
    : `SELECT ${COLUMNS}, ${FROM} + (row_number() OVER (ORDER BY place) - 1) // ${A_DAY} * ${DAY} AS ms
      FROM (SELECT *, row_number() OVER (ORDER BY hash(id)) AS place FROM ${FLIGHTS} WHERE date < DATE ${from})
      WHERE place > ${TRAINED} AND place <= ${TRAINED + days * A_DAY} ORDER BY ms`));
  return rows.map((r) => ({ ...r, id: Number(r.id), ms: Number(r.ms), distance: Number(r.distance), delay: Number(r.delay), hour: Number(r.hour), weekday: Number(r.weekday) }));
}

async function deploy(of: (typeof CASES)[number], folder: string): Promise<(chain: string) => Deployed> {
  const file = path.join(folder, `${of.kind}.yaml`);
  writeFileSync(file, projectOf(of));
  const project = await loadProject(file, {});
  const store = await openStore(project.store);
  const models = new Models({ store });
  const snapshot = await ingestSource(project.sources.flights!, { store });
  const { version } = await makeVersion({ model: project.models.flight!, snapshot, upstream: {}, fingerprint: 'bench' }, { store, models, now: () => performance.now(), onProgress: () => undefined });
  return (chain) => {
    const spec = project.chains[chain]!;
    return {
      store, models, monitor: monitorInput(project, chain)!, outcome: (row) => row[of.target],
      release: { chain, number: 1, spec, versions: { flight: version }, dependencies: stageDependencies(spec, project.models), taskQueues: {} },
    };
  };
}

/** The days pass: requests are answered and logged, outcomes come, and the monitor looks when so many days as an alert is judged by have passed. */
async function watch({ release, monitor, store, models, outcome }: Deployed, rows: LiveRow[], days: number): Promise<Seen & { outputs: Record<string, unknown>[] }> {
  const asked = rows.map(({ ms: _ms, delay: _delay, late: _late, ...row }) => row as Row);
  const outputs: Record<string, unknown>[] = [];
  for (let at = 0; at < rows.length; at += 2_000) {
    const some = asked.slice(at, at + 2_000);
    outputs.push(...chainOutputs(release, some, await runStages({ release, stages: ['flight'], rows: some, earlier: {} }, { models })));
  }
  const byDay: number[][] = Array.from({ length: days }, () => []);
  rows.forEach((row, i) => byDay[Math.floor((row.ms - FROM) / DAY)]!.push(i));
  let clock = FROM;
  const log = createRequestLog(store, { now: () => clock });
  const { observe } = createObserve({ store, models });
  const looks: { observed: Observed; seconds: number }[] = [];
  for (let day = 1; day <= days + N; day++) {
    clock = FROM + day * DAY;
    await log.append((byDay[day - 1] ?? []).map((i) => ({
      chain: release.chain, request: `r${rows[i]!.id}`, at: new Date(rows[i]!.ms).toISOString(), release: 1, arm: 'live' as const, weight: 1, versions: {}, keys: [String(rows[i]!.id)],
      rows: [asked[i]!], outputs: [outputs[i]!], seconds: 0.01, fallbacks: {},
    })));
    const known = byDay[day - 1 - LATE] ?? [];
    if (known.length > 0) await recordOutcomes(store, { chain: release.chain, now: clock, outcomes: known.map((i) => ({ key: String(rows[i]!.id), value: outcome(rows[i]!) })) });
    if (day % N > 0 && day < days + N) continue;
    const started = performance.now();
    const observed = await new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') }).run(observe, { release, monitor, until: new Date(clock + 60_000).toISOString() }) as Observed;
    looks.push({ observed, seconds: (performance.now() - started) / 1000 });
  }
  const tables = await withDuckDB({}, (db) => Promise.all(looks.map(async ({ observed }) => (observed.table ? db.rows<{ from: string; subject: string; low: number | null; out: number | null }>(
    `SELECT "from", subject, low, "out" FROM read_parquet(${literal(await store.localFile(observed.table))}) WHERE subject NOT LIKE 'metric %'`) : []))));
  return { looks, moved: tables.flat(), outputs };
}

main().catch((error: unknown) => { console.error(error); process.exitCode = 1; });
