import { setTimeout as sleep } from 'node:timers/promises';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Explanation, Lineage, ProgressEvent, ReleaseExplanation, ReleaseLineage, VersionExplanation, VersionLineage } from '../../src/client';
import { readRows } from '../../src/data/rows';
import { shoal } from '../support/cli';
import { TestProject } from '../support/project';
import { TestServer, until } from '../support/server';
import { flats, twoModels, withOpposite } from '../support/smallProject';

jest.setTimeout(300_000);

let server: TestServer;
let project: TestProject;
beforeAll(async () => {
  server = await TestServer.start({ namespaces: 1 });
  project = await TestProject.open(server, {
    files: { 'flats.csv': withOpposite(flats(600)) },
    models: twoModels({
      condition: 'gates: [{ metric: accuracy, against: baseline, min: 0 }]', rent: 'gates: [{ metric: rmse, against: baseline, min: 0 }]',
      chain: 'gates: [{ metric: r2, against: champion, min: -0.05 }]\n    approval: auto',
    }),
  });
});
afterAll(async () => {
  await project?.close();
  await server?.stop();
});

const cli = (args: string[], env: Record<string, string> = {}) => shoal(['--project', project.files.file, ...args], { env: { TEMPORAL_ADDRESS: server.address, ...env } });
const said = async (args: string[]): Promise<string> => {
  const { status, stdout, stderr } = await cli(args);
  expect([status, stderr]).toEqual([0, '']);
  return stdout;
};
const collect = async (events: AsyncIterable<ProgressEvent>): Promise<ProgressEvent[]> => {
  const all: ProgressEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
};
/** Without what is told as often as it changes. */
const steady = (events: ProgressEvent[]) => events.filter((e) => !['training', 'retrying', 'chain.activity'].includes(e.type));
const inBrief = (events: ProgressEvent[], name: string) => steady(events).flatMap((e) => {
  if (('model' in e ? e.model : e.chain) !== name) return [];
  switch (e.type) {
    case 'step.began': case 'step.ended': return [`${e.type} ${e.step}`];
    case 'run.ended': return [`${e.type} ${e.record.status}`];
    case 'release.phase': return [`${e.release} ${e.phase}`];
    case 'release.decision': return [`${e.release} ${e.status}`];
    default: return [e.type];
  }
});
const STEPS = ['ingest', 'validate', 'upstream', 'train', 'labels', 'evaluate', 'report'].flatMap((step) => [`step.began ${step}`, `step.ended ${step}`]);
const bounce = async () => { await server.kill(); await sleep(1_500); await server.restart(); };
const rows = [{ id: 1, size: 80, city: 'Bern', built: '1990-06-01', note: 'bright quiet flat' }];

describe('a batch of runs', () => {
  it('is told once and whole, in order, though the server is killed in the middle', async () => {
    const asked = { key: 'first', by: 'ann', reason: 'to begin' };
    const [batch, same] = await Promise.all([project.shoal.train(undefined, asked), project.shoal.train(undefined, asked)]);
    expect(same).toEqual(batch);
    const watched = collect(project.shoal.watch(batch));
    await until(async () => ((await project.shoal.model('condition'))?.runs.length ?? 0) > 0 || (await project.shoal.model('condition'))?.running !== undefined);
    await bounce();
    const events = await watched;
    for (const model of ['condition', 'rent']) expect(inBrief(events, model)).toEqual(['run.began', ...STEPS, 'run.ended made']);
    expect(inBrief(events, 'flats')).toEqual(['1 judging', '1 servable', '1 promoting', '1 promoted']);
    expect(new Set(steady(events).map((e) => JSON.stringify(e))).size).toBe(steady(events).length);
    expect(events.find((e) => e.type === 'run.began' && e.model === 'rent')).toMatchObject({ run: 1, request: { trigger: 'code', by: 'ann', reason: 'to begin' } });
    // Each watch tells it all.
    const again = await collect(project.shoal.watch(batch));
    for (const name of ['condition', 'rent', 'flats']) expect(inBrief(again, name)).toEqual(inBrief(events, name));
  });

  it('asked for again by its key is the same batch, also after the server was restarted, and with the caller cut between', async () => {
    await bounce();
    const batch = await project.shoal.train(undefined, { key: 'first' });
    const status = await project.shoal.settled(batch, { timeoutMs: 60_000 });
    expect(status.models.map((m) => m.runs.length)).toEqual([1, 1]);

    // Downstream models are asked first: this one was cut before it came to the other.
    const cut = await project.shoal.train(['rent'], { key: 'cut' });
    await project.shoal.settled(cut);
    expect(await project.shoal.train(['rent'], { key: 'cut' })).toEqual(cut);
    expect((await project.model('rent')).runs.map((r) => r.batches)).toEqual([['cut'], ['first']]);
  });
});

describe('a watch of what goes on', () => {
  it('tells of what begins after it, and ends by break and by signal, also while it waits', async () => {
    const seen: ProgressEvent[] = [];
    const watching = (async () => {
      for await (const event of project.shoal.watch({ model: 'condition' })) {
        seen.push(event);
        if (event.type === 'run.ended') break;
      }
    })();
    await sleep(1_000);
    await project.train(['condition']);
    await watching;
    expect(inBrief(seen, 'condition')).toEqual(['run.began', ...STEPS, 'run.ended unchanged']);

    const controller = new AbortController();
    const idle = collect(project.shoal.watch({}, { signal: controller.signal }));
    await sleep(700);
    controller.abort();
    expect((await idle).filter((e) => e.type !== 'chain.activity')).toEqual([]);

    const iterator = project.shoal.watch({ chain: 'flats' });
    await iterator.next();
    const waiting = iterator.next();
    await sleep(200);
    await iterator.return!();
    expect(await waiting).toEqual({ done: true, value: undefined });
    expect(() => project.shoal.watch({ model: 'rents' })).toThrow(/no model "rents".*Did you mean "rent"/);
  });

  it('gives up when the server is away for longer than it is patient', async () => {
    const watching = collect(project.shoal.watch({}, { patienceMs: 1_000 }));
    await sleep(600);
    await server.kill();
    await expect(watching).rejects.toMatchObject({ code: 'SERVER_UNREACHABLE', retryable: true });
    await server.restart();
  });
});

describe('a prediction', () => {
  it('asked for again by its key is answered as it was, after it ended and after a restart, by one workflow', async () => {
    const first = await project.shoal.predict('flats', rows, { key: 'p1' });
    const runId = async () => (await project.shoal.temporal.workflow.getHandle('chain/flats/p1').describe()).runId;
    const run = await runId();
    expect(await project.shoal.predict('flats', rows, { key: 'p1' })).toEqual(first);
    await bounce();
    expect(await Promise.all([1, 2, 3].map(() => project.shoal.predict('flats', rows, { key: 'p1' })))).toEqual([first, first, first]);
    expect(await runId()).toBe(run);
    const [a, b] = await Promise.all([project.shoal.predict('flats', rows, { key: 'p2' }), project.shoal.predict('flats', rows, { key: 'p2' })]);
    expect(a).toEqual(b);
    await expect(project.shoal.predict('flats', [{ ...rows[0], size: 30 }], { key: 'p1' })).rejects.toMatchObject({ code: 'KEY_REUSED' });
  });

  it('that failed is made anew, since it has no answer', async () => {
    const bad = [{ ...rows[0], size: 'large' }];
    await expect(project.shoal.predict('flats', bad, { key: 'p3' })).rejects.toMatchObject({ code: 'REQUEST_ROW' });
    expect((await project.shoal.predict('flats', rows, { key: 'p3' })).rows).toBe(1);
  });

  it('of a whole file tells how far it is, and has one answer by a key', async () => {
    const file = path.join(project.files.folder, 'many.csv');
    writeFileSync(file, flats(3_000, { seed: 9, firstId: 50_000 }));
    const told: string[] = [];
    const first = await project.shoal.score('flats', file, { key: 's1', onProgress: ({ phase, done, total }) => told.push(`${phase} ${done <= total}`) });
    expect(await project.shoal.score('flats', file, { key: 's1' })).toEqual(first);
    expect([first.rows, (await readRows(await project.shoal.download(first.result!))).length]).toEqual([3_000, 3_000]);
    expect(told[0]).toBe('copying true');
    expect(told.every((line) => line.endsWith('true'))).toBe(true);
    const { status, stderr, stdout } = await cli(['predict', 'flats', '--score', '-i', file]);
    expect([status, stdout.trim()]).toEqual([0, expect.stringMatching(/\.parquet$/)]);
    expect(stderr).toContain('copying the rows: 100%\n');
  });

  it('ends in time, with an error that says so, when nobody is there to answer', async () => {
    await project.stopWorkers();
    await expect(project.shoal.predict('flats', rows, { timeoutMs: 1_000 })).rejects.toMatchObject({ code: 'TIMED_OUT', retryable: true });
    await expect(project.shoal.pause('flats', { by: 'ann', reason: 'late', timeoutMs: 1_000 })).rejects.toMatchObject({ code: expect.stringMatching(/TIMED_OUT|NO_WORKER/) });
    const controller = new AbortController();
    const asked = project.shoal.predict('flats', rows, { signal: controller.signal });
    setTimeout(() => controller.abort(), 300);
    await expect(asked).rejects.toMatchObject({ code: 'CANCELLED' });
    await project.startWorkers();
    await project.shoal.status();
  });
});

describe('what was made and decided', () => {
  it('of a cascade can be read back: the pinned set refused, the set promoted, each version down to its file', async () => {
    const before = (await project.chain()).current!;
    await project.edit(['target: condition', 'target: opposite']);
    await project.train(['condition'], { reason: 'the other way round' });
    const [condition, rent] = [(await project.lastRun('condition')).made!.version.id, (await project.lastRun('rent')).made!.version.id];

    expect((await project.shoal.releases('flats')).map((r) => [r.number, r.status, r.current])).toEqual([[3, 'promoted', true], [2, 'refused', false], [1, 'promoted', false]]);
    expect((await project.shoal.versions('rent')).map((v) => [v.version, v.champion, v.trigger])).toEqual([[rent, true, 'cascade'], [before.versions.rent!.id, false, 'code']]);
    const card = await project.shoal.card('rent');
    expect(card).toMatchObject({
      version: rent, task: 'regression', upstream: { condition }, holdout: { rows: expect.any(Number), share: 0.25 }, snapshot: { source: 'flats', rows: 600 },
      made: { trigger: 'cascade', by: 'flats' }, seed: expect.any(Number), packages: { 'onnxruntime-node': expect.any(String) },
    });
    expect(card.metrics[0]).toMatchObject({ metric: 'rmse', baseline: { value: expect.any(Number) } });
    expect(JSON.parse(JSON.stringify(card))).toEqual(card);
    expect((await project.shoal.card('rent', before.versions.rent!.id.slice(0, 5))).version).toBe(before.versions.rent!.id);
    await expect(project.shoal.card('rent', 'ffff')).rejects.toMatchObject({ code: 'UNKNOWN_VERSION', message: expect.stringContaining(rent) });

    const lineage = await project.shoal.lineage({ model: 'rent' }) as VersionLineage;
    expect(lineage).toMatchObject({
      kind: 'version', model: 'rent', version: rent, trainer: 'shoal', snapshot: { source: 'flats', rows: 600, files: [{ file: path.join(project.files.folder, 'flats.csv'), sha256: expect.stringMatching(/^[0-9a-f]{64}$/) }] },
      upstream: [{ model: 'condition', version: condition, upstream: [] }],
      releases: [{ chain: 'flats', number: 3, status: 'promoted', current: true }],
    });
    const release = await project.shoal.lineage({ chain: 'flats', number: 2 }) as ReleaseLineage;
    expect(release).toMatchObject({ kind: 'release', number: 2, status: 'refused', decisions: [{ status: 'refused', reason: expect.stringContaining('r2') }] });
    expect(release.versions.map((v) => [v.model, v.version, v.upstream.map((u) => u.version)])).toEqual([
      ['condition', condition, []], ['rent', before.versions.rent!.id, [before.versions.condition!.id]],
    ]);
    await project.shoal.predict('flats', rows, { key: 'after' });
    await until(async () => (await project.shoal.lineage({ chain: 'flats', prediction: 'after' }).catch(() => undefined)) !== undefined);
    expect(await project.shoal.lineage({ chain: 'flats', prediction: 'after' })).toMatchObject({ kind: 'prediction', keys: ['1'], release: { number: 3 } });
    expect(await project.shoal.lineage({ chain: 'flats', prediction: 'p1' })).toMatchObject({ release: { number: 1 } });
    expect(await project.shoal.lineage({ chain: 'flats', prediction: 's1' })).toMatchObject({ release: { number: 1 } });
    await expect(project.shoal.lineage({ chain: 'flats', prediction: 'none' })).rejects.toMatchObject({ code: 'UNKNOWN_PREDICTION' });
  });

  it('is explained in words that fit 80 columns, and drawn as a tree', async () => {
    const promoted = await said(['explain', 'flats']);
    expect(promoted).toMatch(/^flats 3: promoted, in place\n/);
    expect(promoted).toMatch(/tried for +models retrained against each other \(shoal\)/);
    expect(promoted).toMatch(/new in it +condition \w{12}, run \d+ on .*by a program/);
    expect(promoted).toMatch(/end to end on \d+ rows that no model was trained/);
    for (const phase of ['judging', 'servable', 'replay', 'promoting']) expect(promoted).toMatch(new RegExp(`\\d\\d:\\d\\d  ${phase}`));
    expect(promoted).toMatch(/decided +\S+ \S+  promoted: rmse /);
    const refused = await said(['explain', 'flats', '2']);
    expect(refused).toMatch(/^flats 2: refused\n/);
    expect(refused).toMatch(/one new version, the rest pinned/);
    expect(refused).toMatch(/✗ gain in r2 over the champion at least -0\.05/);
    const version = await said(['explain', 'rent']);
    expect(version).toMatch(/^rent \w{12}: passed its gates; promoted in flats 3\n/);
    expect(version).toMatch(/asked for +run \d+ on .* for a cascade \(flats\)/);
    expect(version).toMatch(/metric +value +baseline +champion +rows/);
    const tree = await said(['lineage', 'flats', '3']);
    expect(tree).toMatch(/^flats 3 promoted, in place\n├─ .*\n(.*\n)*└─ rent \w{12} regression\n {3}├─ snapshot \w{12} of flats, 600 rows\n {3}│ {2}└─ /);
    for (const text of [promoted, refused, version, tree]) expect(text.split('\n').filter((line) => line.length > 80 && !line.includes(project.files.folder))).toEqual([]);
    expect((await cli(['explain', 'flats', '3', '--json'])).json<ReleaseExplanation>()).toMatchObject({ kind: 'release', number: 3, from: 'server', trail: expect.arrayContaining([expect.objectContaining({ phase: 'servable', said: expect.any(String) })]) });
    expect((await cli(['lineage', 'rent', '--json'])).json<Lineage>()).toMatchObject({ kind: 'version', model: 'rent' });
    expect(await cli(['explain', 'rents'])).toMatchObject({ status: 1, stderr: expect.stringMatching(/Did you mean "rent"/) });
    expect(await cli(['explain', 'flats', '99'])).toMatchObject({ status: 1, stderr: expect.stringMatching(/Nothing is known of a release 99 of flats\. There are: 3, 2, 1\./) });
  });

  it('of a rollback says who and why; the same word twice is one, also after a restart', async () => {
    const word = { by: 'ann', reason: 'complaints', key: 'back' };
    expect(await project.shoal.rollback('flats', word)).toEqual({ number: 1 });
    expect(await project.shoal.rollback('flats', word)).toEqual({ number: 1 });
    await bounce();
    expect(await project.shoal.rollback('flats', word)).toEqual({ number: 1 });
    await until(async () => (await project.chain()).idle);
    expect((await project.chain()).current!.number).toBe(1);
    const text = await said(['explain', 'flats', '3']);
    expect(text).toMatch(/^flats 3: rolled back\n/);
    expect(text).toMatch(/stepped in +\S+ \S+  ann: roll back, "complaints"/);
    expect(text).toMatch(/rolled back: ann: complaints/);
    expect(text).toMatch(/promoted: /);
  });

  it('waits for a person on the screen of the morning, with the command to copy; a proposal of one key is one', async () => {
    await project.edit(['approval: auto', 'approval: manual']);
    await project.shoal.train([]);
    const { versions } = (await project.shoal.releases('flats')).find((r) => r.number === 3)!;
    const word = { by: 'ann', reason: 'once more', key: 'again' };
    const [a, b] = await Promise.all([project.shoal.propose('flats', versions, word), project.shoal.propose('flats', versions, word)]);
    expect([a, b]).toEqual([{ number: 4 }, { number: 4 }]);
    await until(async () => (await project.chain()).rollout?.phase === 'approval');
    await bounce();
    expect(await project.shoal.propose('flats', versions, word)).toEqual({ number: 4 });

    const screen = await said(['status']);
    expect(screen).toMatch(/^waits for a person\n {2}flats 4 waits for approval for .*: rmse /);
    expect(screen).toContain('    npx shoal approve flats -r "why"\n');
    expect(screen).toMatch(/decided since yesterday\n.*flats 3 rolled back: ann: complaints/);
    expect(screen).toMatch(/\nflats {2}release 1 for /);
    expect(screen.split('\n').filter((line) => line.length > 80)).toEqual([]);
    await project.shoal.approve('flats', { by: 'ben', reason: 'checked', key: 'yes' });
    await project.shoal.approve('flats', { by: 'ben', reason: 'checked', key: 'yes' });
    await until(async () => (await project.chain()).current?.number === 4 && (await project.chain()).idle);
    expect(await said(['explain', 'flats', '4'])).toMatch(/stepped in +\S+ \S+  ann: propose, "once more"\n.*ben: approve, "checked"/);
    expect(await cli(['approve', 'flats', '-r', 'late'])).toMatchObject({ status: 3 });
  });

  it('of a run that failed says where and why', async () => {
    const file = path.join(project.files.folder, 'flats.csv');
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replace('size', 'sizes'));
    const { status } = await cli(['train', 'rent', '--reason', 'a new export']);
    expect(status).toBe(1);
    const words = await said(['explain', 'rent']);
    expect(words).toMatch(/^rent, run \d+: failed\n/);
    expect(words).toMatch(/by a person \(.*\): a new export/);
    expect(words).toMatch(/failed +at validate: .*size/);
    expect(await said(['status'])).toMatch(/^went wrong\n {2}rent: run \d+ failed .* ago, asked for by a person/m);
    expect((await cli(['explain', 'rent', '--json'])).json<VersionExplanation>()).toMatchObject({ kind: 'version', run: { status: 'failed' }, asked: { trigger: 'person' } });
    writeFileSync(file, text);
    await project.train(['rent']);
  });

  it('is read from the store alone when the server is gone', async () => {
    await until(async () => (await project.store.listNotes('decisions/flats/')).length === 4);
    const { version } = await project.shoal.card('rent');
    await server.kill();
    try {
      const rolledBack = await said(['explain', 'flats', '3']);
      expect(rolledBack).toMatch(/^flats 3: rolled back\n/);
      expect(rolledBack).toMatch(/complaints/);
      expect(rolledBack).toMatch(/read from the store\.\n$/);
      expect((await cli(['explain', 'rent', version, '--json'])).json<Explanation>()).toMatchObject({ kind: 'version', version, from: 'store', asked: { trigger: 'cascade' } });
      expect(await said(['lineage', 'rent'])).toMatch(/^rent \w{12} regression\n├─ pinned by flats \d/);
      expect(await cli(['status'])).toMatchObject({ status: 4, stderr: expect.stringMatching(/^error No Temporal server answers/) });
    } finally {
      await server.restart();
    }
    renameSync(path.join(project.storeFolder, 'notes/cards'), path.join(project.storeFolder, 'notes/no-cards'));
    await expect(project.shoal.card('rent')).rejects.toMatchObject({ code: 'ARTIFACT_MISSING' });
  });
});
