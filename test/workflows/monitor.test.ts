import { randomUUID } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { monitorInput, monitorSchedule } from '../../src/client/monitorSchedule';
import type { Row } from '../../src/domain/prediction';
import type { Health } from '../../src/domain/health';
import type { MonitorInput } from '../../src/domain/monitor';
import { dataQueue, type MonitorResult } from '../../src/workflows/messages';
import { flatRows, openLive, trainTwice, type Live, type Trained } from '../support/liveProject';
import { KeptWorker } from '../support/processes';
import { TestServer, until } from '../support/server';

jest.setTimeout(300_000);

const WINDOW = 4;
const ROWS = 40;
const MONITOR = `{ window: ${WINDOW}, minRows: 60, alert: 2 of 3, slices: [city], reference: { windows: 50 } }`;

let server: TestServer;
let trained: Trained;
beforeAll(async () => {
  server = await TestServer.start();
  trained = await trainTwice(server);
});
afterAll(async () => {
  await server?.stop();
});

/** A chain, its requests, and looks at it. */
class Watched {
  private sent = 0;
  constructor(readonly live: Live) {}

  /** Whole windows of requests; `shift` changes them, `worse` is added to what comes of them, null for not yet. */
  async windows(count: number, { shift = (row: Row): Row => row, worse = 0 }: { shift?: (row: Row) => Row; worse?: number | null } = {}): Promise<{ key: string; value: number }[]> {
    const outcomes: { key: string; value: number }[] = [];
    for (let i = 0; i < count * WINDOW; i++) {
      const rows = flatRows(ROWS, 3_000_000 + this.sent);
      this.sent += ROWS;
      await this.live.shoal.predict('flats', rows.map(({ row }) => shift(row)));
      outcomes.push(...rows.map(({ row, rent }) => ({ key: String(row.id), value: rent + (worse ?? 0) })));
    }
    if (worse !== null) await this.live.shoal.recordOutcomes('flats', outcomes);
    return outcomes;
  }

  input(over: Partial<MonitorInput> = {}): MonitorInput {
    const { models, ...input } = monitorInput(this.live.project.spec, 'flats')!;
    return { ...input, models: models.map(({ name }) => ({ name, drift: true, degradation: true })), ...over };
  }

  /** A look, a while after the last request. */
  async look(input = this.input(), settleMs = 6_500): Promise<MonitorResult> {
    await new Promise((resolve) => setTimeout(resolve, settleMs));
    const { temporal, project } = this.live.shoal;
    return temporal.workflow.execute('monitor', { taskQueue: project.temporal.taskQueue, workflowId: `monitor-test/${randomUUID()}`, args: [input] });
  }

  async health(): Promise<Health> {
    return (await this.live.shoal.health('flats'))!;
  }

  async triggers(model: string): Promise<string[]> {
    const { runs, running, waiting } = await this.live.project.model(model);
    return [...(waiting ? [waiting.trigger] : []), ...(running ? [running.request.trigger] : []), ...runs.map(({ request }) => request.trigger)].filter((t) => t === 'drift' || t === 'degradation');
  }
}

async function withWatched(options: Parameters<typeof openLive>[2], work: (watched: Watched) => Promise<void>): Promise<void> {
  const live = await openLive(server, trained, { monitor: MONITOR, ...options });
  try {
    // What was trained is found again; the models' workflows are there to be asked.
    if (!options?.workers) await live.project.train();
    await work(new Watched(live));
  } finally {
    await live.close();
  }
}

it('gives no verdict on a handful of rows, an estimate where outcomes are not there yet, and what was measured once they are', async () => {
  await withWatched({}, async (watched) => {
    expect(await watched.live.shoal.health('flats')).toBeUndefined();
    await watched.live.ask(3);
    await watched.look();
    expect(await watched.health()).toMatchObject({ state: 'no verdict', alerts: [], reason: expect.stringMatching(/60 rows that a verdict needs/) });

    const outcomes = await watched.windows(3, { worse: null });
    await watched.look();
    const estimated = await watched.health();
    expect(estimated.reference).toMatchObject({ kind: 'holdout', method: 'DLE, direct loss estimation' });
    const newest = estimated.windows.at(-1)!;
    expect(newest).toMatchObject({ outcomes: 0, metrics: [{ metric: 'mae', kind: 'estimated', breached: false }, { metric: 'rmse', kind: 'estimated' }] });

    await watched.live.shoal.recordOutcomes('flats', outcomes);
    await watched.look();
    const measured = await watched.health();
    const [mae] = measured.windows.at(-1)!.metrics;
    expect(mae).toMatchObject({ metric: 'mae', kind: 'measured' });
    // The estimate of the same rows, before.
    const [before] = newest.metrics;
    expect(before!.value / mae!.value).toBeGreaterThan(0.5);
    expect(before!.value / mae!.value).toBeLessThan(2);
    expect(measured.state).toBe('ok');
    expect(measured.slices.map(({ of }) => of).sort()).toEqual(['city = Bern', 'city = Genf', 'city = Zug']);
    expect(measured.releases).toEqual(expect.arrayContaining([expect.objectContaining({ of: 'release 1', metric: 'mae' })]));
    expect(measured.stages.map(({ of }) => of)).toContain('rent');
    expect(await watched.triggers('rent')).toEqual([]);
  });
});

it('tells of drift once, asks the models that read what has moved to be trained anew, and tells once that it is over', async () => {
  await withWatched({}, async (watched) => {
    await watched.windows(3, { shift: (row) => ({ ...row, size: 75 + Math.round(Number(row.size) / 2) }), worse: null });
    await watched.look();
    const health = await watched.health();
    expect(health).toMatchObject({ state: 'drift', reason: expect.stringMatching(/input size: mean \d+\.?\d* -> \d+/) });
    expect(health.alerts.map(({ subject }) => subject)).toEqual(expect.arrayContaining(['input size', 'output value']));
    expect(health.alerts.map(({ subject }) => subject)).not.toContain('input city');
    await until(async () => (await watched.triggers('rent')).length > 0);
    expect(await watched.triggers('condition')).toEqual([]);

    await watched.look(undefined, 0);
    await until(async () => !(await watched.live.project.model('rent')).running);
    expect(await watched.triggers('rent')).toEqual(['drift']);
    expect((await watched.health()).since).toBe(health.since);

    await watched.windows(3);
    await watched.look();
    expect(await watched.health()).toMatchObject({ state: 'ok', alerts: [] });
  });
});

it('tells of degradation by late outcomes, asks for models once, and recovers', async () => {
  await withWatched({}, async (watched) => {
    await watched.windows(3, { worse: 2_000 });
    await watched.look();
    const health = await watched.health();
    expect(health).toMatchObject({ state: 'degraded', alerts: [{ subject: 'metric mae', kind: 'degraded' }], reason: expect.stringMatching(/measured on 160 rows.* out of bounds in 3 of the newest 3 windows/) });
    await until(async () => (await watched.triggers('rent')).length > 0 && (await watched.triggers('condition')).length > 0);
    await watched.look(undefined, 0);
    await until(async () => !(await watched.live.project.model('rent')).running && !(await watched.live.project.model('rent')).waiting);
    expect(await watched.triggers('rent')).toEqual(['degradation']);
    const run = (await watched.live.project.model('rent')).runs.find(({ request }) => request.trigger === 'degradation')!;
    expect(run.request).toMatchObject({ by: 'shoal', reason: expect.stringMatching(/^flats, release 1: mae /), alongside: ['condition', 'rent'] });

    await watched.windows(2);
    await watched.look();
    expect(await watched.health()).toMatchObject({ state: 'ok', alerts: [] });
  });
});

it('asks nobody who does not want to be asked, and is started by a schedule that names all it needs', async () => {
  const NOT_ASKED = 'retrain: { drift: false, degradation: false }';
  await withWatched({ condition: NOT_ASKED, rent: NOT_ASKED }, async (watched) => {
    const { spec } = watched.live.project;
    const schedule = monitorSchedule(spec, 'flats')!;
    expect(schedule).toMatchObject({ id: 'monitor/flats', when: { everyMs: 3_600_000 }, overlap: 'skip', pauseOnFailure: false, workflow: { type: 'monitor' } });
    const [input] = schedule.workflow.args as [MonitorInput];
    expect(input.dataQueue).toBe(dataQueue(spec.temporal.taskQueue));
    expect(input.models).toEqual([{ name: 'condition', drift: false, degradation: false }, { name: 'rent', drift: false, degradation: false }]);
    await watched.windows(2, { worse: 2_000 });
    expect(await watched.look(input)).toMatchObject({ status: 'looked', release: 1, reason: expect.stringContaining('metric mae: raise') });
    expect((await watched.health()).state).toBe('degraded');
    expect([...await watched.triggers('rent'), ...await watched.triggers('condition')]).toEqual([]);
  });
});

it('goes on where a worker is killed in the middle of a look', async () => {
  await withWatched({ workers: [{ name: 'others', roles: ['workflows', 'serve'] }] }, async (watched) => {
    const folder = path.join(os.tmpdir(), `shoal-monitor-${process.pid}`);
    const armed = `${folder}-armed`;
    writeFileSync(armed, '');
    const worker = new KeptWorker({ projectFile: watched.live.project.files.file, address: server.address, env: { FAULTS: 'before:observe,after:observe', STRUCK: folder, ARMED: armed, ROLES: 'train' } });
    try {
      await worker.start();
      await watched.windows(3, { worse: 2_000 });
      await watched.look();
      expect(worker.deaths).toBe(2);
      expect(worker.fault).toBeUndefined();
      expect(await watched.health()).toMatchObject({ state: 'degraded' });
      const { windows, alerts, since } = await watched.health();
      await watched.look(undefined, 0);
      const again = await watched.health();
      expect([again.windows, again.alerts, again.since]).toEqual([windows, alerts, since]);
    } finally {
      await worker.stop();
      for (const file of [armed, `${folder}-before-observe`, `${folder}-after-observe`]) rmSync(file, { force: true });
    }
  });
});
