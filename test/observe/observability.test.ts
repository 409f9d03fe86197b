import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { historyFromJSON, historyToJSON } from '@temporalio/common/lib/proto-utils';
import { Worker } from '@temporalio/worker';
import { startWorkers, type WorkerProcesses } from '../../src/cli/workerProcesses';
import { loadProject } from '../../src/config';
import { workerTracing } from '../../src/workers/observed';
import { prebuiltWorkflows } from '../../src/workers/worker';
import { TestProject } from '../support/project';
import { exposed, readQuery } from '../support/promql';
import { freePort } from '../support/receiver';
import { TestServer, until } from '../support/server';
import { twoModels } from '../support/smallProject';
import { TraceReceiver, type Span } from '../support/traceReceiver';

jest.setTimeout(240_000);

const ROOT = path.resolve(__dirname, '../..');
const run = promisify(execFile);

let server: TestServer;
let project: TestProject;
let workers: WorkerProcesses;
let traces: TraceReceiver;
let environment: Record<string, string>;
const ports: Record<string, number> = {};

interface Answer { runs: string[]; outputs: unknown[]; loaded: number }
const client = async (env: Record<string, string | undefined>): Promise<Answer> =>
  JSON.parse((await run(process.execPath, [path.join(ROOT, 'test/support/tracedClient.cjs'), project.files.file, server.address], { env: { ...process.env, ...env } })).stdout) as Answer;

/** With real worker processes, traced and measured, as `shoal up` starts them. */
beforeAll(async () => {
  server = await TestServer.start({ namespaces: 1 });
  traces = new TraceReceiver();
  environment = await traces.start();
  for (const name of ['control', 'train', 'serve']) ports[name] = await freePort();
  project = await TestProject.open(server, {
    workers: [], rows: 300, maxEpochs: 6,
    models: `${twoModels({ condition: 'gates: [{ metric: accuracy, min: 0.1 }]', rent: 'gates: [{ metric: rmse, against: baseline, min: -1 }]', chain: 'gates: []\n    stages: { condition: { when: "input.size > 100", fallback: baseline } }' })}
workers:
  - { name: control, roles: [workflows], metrics: ${ports.control} }
  - { name: train, roles: [train], metrics: ${ports.train} }
  - { name: serve, roles: [serve], metrics: "127.0.0.1:${ports.serve}" }
hooks:
  file: { command: [/bin/sh, -c, 'cat > told.json'] }
`,
  });
  Object.assign(process.env, environment);
  try {
    workers = await startWorkers(await loadProject(project.files.file, {}), project.files.file, server.address);
  } finally {
    for (const name of Object.keys(environment)) delete process.env[name];
  }
});
afterAll(async () => {
  await workers?.stop();
  await project?.close();
  await traces?.stop();
  await server?.stop();
});

const scrape = async (worker: string): Promise<string> => (await fetch(`http://127.0.0.1:${ports[worker]}/metrics`)).text();
/** What belongs to the trace that began with a span of this name. */
const ofRoot = (root: string): Span[] => traces.spans.filter(({ traceId }) => traceId === named(root)[0]?.traceId);
const named = (name: string) => traces.spans.filter((span) => span.name === name);

describe('traces, where the environment asks for them', () => {
  let answer: Answer;
  let predicted: Span[];
  beforeAll(async () => {
    answer = await client({ ...environment, REQUEST_ID: 'traced' });
    // Each process sends its own, when it comes to it.
    const parts = ['RunWorkflow:chain', 'StartActivity:runSegment', 'RunActivity:runSegment', 'stage condition', 'stage rent'];
    await until(() => parts.every((name) => ofRoot('predict flats').some((span) => span.name === name))
      && named('RunWorkflow:lifecycle').length >= 2 && ofRoot('train').filter(({ name }) => name === 'step report').length === 2 && named('RunActivity:deliverEvent').length >= 3);
    predicted = ofRoot('predict flats');
  });

  it('tell of one prediction from the client through the workflow to each stage, as one trace', () => {
    expect(answer.runs).toEqual(['made', 'made']);
    const byId = new Map(predicted.map((span) => [span.spanId, span]));
    const lineage = (span: Span): string[] => [span.name, ...(span.parentSpanId ? (byId.has(span.parentSpanId) ? lineage(byId.get(span.parentSpanId)!) : ['lost']) : [])];
    for (const stage of ['condition', 'rent']) {
      const span = predicted.find(({ name }) => name === `stage ${stage}`)!;
      expect(lineage(span)).toEqual([`stage ${stage}`, 'RunActivity:runSegment', 'StartActivity:runSegment', 'RunWorkflow:chain', expect.stringMatching(/^StartWorkflow/), 'predict flats']);
      expect(span.attributes).toMatchObject({ 'shoal.chain': 'flats', 'shoal.stage': stage, 'shoal.version': expect.any(String) });
    }
    expect(new Set(predicted.map(({ service }) => service))).toEqual(new Set(['shoal-client', 'shoal-control', 'shoal-serve']));
  });

  it('tell of a training through the steps of its run to the delivery of its event', () => {
    const root = named('train')[0]!;
    const names = traces.spans.filter(({ traceId }) => traceId === root.traceId).map(({ name }) => name);
    for (const step of ['ingest', 'validate', 'upstream', 'train', 'labels', 'evaluate', 'report']) expect(names.filter((name) => name === `step ${step}`)).toHaveLength(2);
    for (const name of ['RunWorkflow:lifecycle', 'RunActivity:train', 'RunActivity:evaluateRelease', 'RunWorkflow:deliver', 'RunActivity:deliverEvent']) expect(names).toContain(name);
  });

  it('do not change what a workflow is: its history replays', async () => {
    for (const workflowId of ['chain/flats/traced', 'lifecycle/rent/1', 'model/rent', 'release/flats']) {
      const history = historyFromJSON(JSON.parse(historyToJSON(await project.history(workflowId))));
      await Worker.runReplayHistory({ workflowBundle: await prebuiltWorkflows(), sinks: workerTracing(undefined).sinks }, history, workflowId);
    }
  });

  it('are named on the lines that workers log', async () => {
    const log = () => readFileSync(path.join(project.files.folder, '.shoal/logs/serve.log'), 'utf8').trim().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);
    await until(() => log().some(({ activityType }) => activityType === 'runSegment'));
    const line = log().find(({ activityType }) => activityType === 'runSegment')!;
    expect(line).toMatchObject({ worker: 'serve', workflowType: 'chain', chain: 'flats', release: 1, activityType: 'runSegment', trace_id: expect.stringMatching(/^[0-9a-f]{32}$/) });
    expect(line).toHaveProperty('workflowId');
    expect(line).toHaveProperty('runId');
  });
});

describe('a trace that the sampler leaves out', () => {
  it('is made nowhere on its way', async () => {
    const count = () => ['predict flats', 'RunWorkflow:chain', 'stage rent'].map((name) => named(name).length);
    const before = count();
    await client({ ...environment, OTEL_TRACES_SAMPLER: 'always_off' });
    // What comes of another one has come after it.
    await client(environment);
    await until(() => count().every((n, i) => n > before[i]!) && named('RunWorkflow:chain').length >= before[1]! + 2);
    expect(count().map((n, i) => n - before[i]!)).toEqual([2, 2, 1]);
  });
});

describe('a worker whose metrics\' address is taken', () => {
  it('says so', async () => {
    const ended = run(process.execPath, [path.join(ROOT, 'dist/workers/main.js'), '--project', project.files.file, '--worker', 'serve', '--address', server.address]);
    await expect(ended).rejects.toMatchObject({ stderr: expect.stringMatching(/metrics of the worker "serve" can't be read at 127\.0\.0\.1:\d+: .*in use.*nobody listens/s) as string });
  });
});

describe('where nobody asks for traces', () => {
  it('nothing is loaded for them, and a program is answered the same', async () => {
    const before = traces.spans.length;
    const { outputs, loaded } = await client({ OTEL_EXPORTER_OTLP_ENDPOINT: undefined });
    expect(loaded).toBe(0);
    expect(outputs).toHaveLength(1);
    expect(traces.spans.slice(before).some(({ service }) => service === 'shoal-client')).toBe(false);
  });
});

describe('metrics', () => {
  interface Panel { title: string; type: string; gridPos: { x: number; y: number; w: number; h: number }; targets?: { expr: string; legendFormat: string }[] }
  const dashboard = JSON.parse(readFileSync(path.join(ROOT, 'examples/observability/dashboard.json'), 'utf8')) as { panels: Panel[]; templating: { list: { name: string; type: string; query: { query: string } }[] } };
  const queries = dashboard.panels.flatMap(({ title, targets = [] }) => targets.map(({ expr, legendFormat }) => {
    // As Grafana fills them in.
    const filled = expr.replaceAll('$__rate_interval', '1m').replaceAll('$chain', '.*');
    return { title, legend: [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label!), filled, ...readQuery(filled) };
  }));
  /** One is there when there has been something to measure. */
  const measured = async () => exposed((await Promise.all(Object.keys(ports).map(scrape))).join('\n'));

  it('are asked for by the dashboard in PromQL', () => {
    expect(queries.length).toBeGreaterThan(15);
    expect(queries.filter(({ errors, filled }) => errors.length > 0 || filled.includes('$'))).toEqual([]);
    expect(queries.filter(({ selectors }) => selectors.length === 0 || selectors.some(({ metric }) => metric === ''))).toEqual([]);
    // A rate is of what only grows; a quantile is of buckets, which stay apart.
    for (const { name, metrics, by } of queries.flatMap(({ calls }) => calls)) {
      if (name === 'rate' || name === 'increase') expect(metrics).toEqual([expect.stringMatching(/_(total|bucket|sum|count)$/)]);
      if (name === 'histogram_quantile') expect([metrics, by]).toEqual([[expect.stringMatching(/_bucket$/)], expect.arrayContaining(['le'])]);
    }
  });

  it('that the dashboard shows are measured by the workers, SDK\'s and Shoal\'s, with the labels that it names', async () => {
    const known = await measured();
    const shown = queries.flatMap(({ selectors, aggregations }) => [
      ...selectors.map(({ metric, labels }) => ({ metric, labels })), ...aggregations.flatMap(({ by, metrics }) => metrics.map((metric) => ({ metric, labels: by }))),
    ]);
    expect(new Set(shown.map(({ metric }) => metric)).size).toBeGreaterThan(10);
    expect(shown.filter(({ metric, labels }) => !known.has(metric) || labels.some((label) => !known.get(metric)!.has(label)))).toEqual([]);
    // What a line is called by is among what its query keeps.
    expect(queries.filter(({ legend, aggregations: [outer] }) => legend.some((label) => !outer?.by.includes(label)))).toEqual([]);
  });

  it('give the dashboard its chains to choose from, and its panels do not lie over each other', async () => {
    const { query } = dashboard.templating.list.find(({ name }) => name === 'chain')!.query;
    const [, metric, label] = /^label_values\((\w+), (\w+)\)$/.exec(query)!;
    expect((await measured()).get(metric!)).toContain(label);
    const over = (a: Panel['gridPos'], b: Panel['gridPos']) => a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
    expect(dashboard.panels.flatMap((a, i) => dashboard.panels.slice(i + 1).filter((b) => over(a.gridPos, b.gridPos)).map((b) => [a.title, b.title]))).toEqual([]);
    expect(dashboard.panels.every(({ gridPos: { x, w } }) => x + w <= 24)).toBe(true);
  });

  it('count what happened', async () => {
    const [control, serve] = await Promise.all([scrape('control'), scrape('serve')]);
    const value = (text: string, name: string, ...labels: string[]) => text.split('\n').filter((line) => line.startsWith(`${name}{`) && labels.every((label) => line.includes(label)))
      .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
    expect(value(control, 'shoal_runs_total', 'status="made"')).toBe(2);
    expect(value(control, 'shoal_verdicts_total', 'chain="flats"', 'status="promoted"')).toBe(1);
    expect(value(control, 'shoal_predictions_total', 'chain="flats"', 'status="answered"')).toBe(4);
    expect(value(control, 'shoal_predictions_total', 'chain="flats"', 'status="failed"')).toBe(4);
    expect(value(control, 'shoal_event_deliveries_total', 'hook="file"', 'status="delivered"')).toBe(3);
    // Of each answered request the first stage was skipped by its condition, and its fallback answered.
    expect(value(serve, 'shoal_fallbacks_total', 'stage="condition"')).toBe(4);
    expect(value(serve, 'shoal_stage_seconds_count', 'stage="rent"', 'version="')).toBeGreaterThanOrEqual(2);
  });
});
