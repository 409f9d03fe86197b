import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { ApplicationFailure } from '@temporalio/common';
import { Shoal } from '../../src/client';
import type { Row } from '../../src/domain/prediction';
import type { Manifest } from '../../src/domain/version';
import { lifecycleWorkflowId, type ModelView } from '../../src/workflows/messages';
import { shoal, worker } from '../support/cli';
import { canMount, readOnly, smallDisk } from '../support/mounts';
import { TestProject } from '../support/project';
import { TestServer } from '../support/server';
import { flats, smallProject, twoModels } from '../support/smallProject';

jest.setTimeout(180_000);

const FLAT: Row = { id: 7, size: 80, city: 'Bern', built: '1990-06-01', note: 'bright quiet flat' };
const EASY = (metric: string) => `gates: [{ metric: ${metric}, against: baseline, min: 0 }]`;
const MODELS = twoModels({ condition: EASY('accuracy'), rent: EASY('rmse'), chain: EASY('rmse') });

let server: TestServer;
let project: TestProject;
beforeAll(async () => {
  server = await TestServer.start();
  project = await TestProject.open(server, { models: MODELS });
  await project.train();
});
afterAll(async () => {
  await project?.close();
  await server?.stop();
});

const command = (args: string[], input?: string, of = project) =>
  shoal(['--project', of.files.file, ...args], { input, env: { TEMPORAL_ADDRESS: server.address } });

/** Why a run failed, as it is in its history: its code, and that it was tried once. */
async function failureOf(of: TestProject, workflowId: string): Promise<{ code?: string | null; message: string; attempts: number }> {
  const error = await of.shoal.temporal.workflow.getHandle(workflowId).result().then(() => undefined, (e: unknown) => e);
  let cause: unknown = error;
  while (cause instanceof Error && !(cause instanceof ApplicationFailure)) cause = cause.cause;
  if (!(cause instanceof ApplicationFailure)) throw new Error(`${workflowId} did not fail as it should: ${String(error)}`);
  const { events } = await of.history(workflowId);
  return { code: cause.type, message: cause.message, attempts: Math.max(...events!.map((e) => e.activityTaskStartedEventAttributes?.attempt ?? 0)) };
}

describe('data that can\'t be trained on', () => {
  /** One whose models do not wait for each other. */
  let apart: TestProject;
  beforeAll(async () => {
    apart = await TestProject.open(server, { models: MODELS.replace('built, condition]', 'built]') });
    await apart.train();
  });
  afterAll(() => apart?.close());

  const source = () => path.join(apart.files.folder, 'flats.csv');
  const GOOD = flats(600);
  const everyRow = (change: (cells: string[], row: number) => void, rows = 600) => {
    const [head, ...lines] = flats(rows).trim().split('\n');
    return [head, ...lines.map((line, i) => { const cells = line.split(','); change(cells, i); return cells.join(','); })].join('\n');
  };
  afterEach(() => {
    rmSync(source(), { recursive: true, force: true });
    writeFileSync(source(), GOOD);
  });

  it.each<[what: string, model: 'condition' | 'rent', code: string, words: RegExp, spoil: (file: string) => void]>([
    ['a source that is missing', 'condition', 'SOURCE_MISSING', /flats.*flats\.csv/, rmSync],
    ['a source that is a folder', 'condition', 'SOURCE_(MISSING|UNREADABLE)', /flats\.csv/, (file) => { rmSync(file); mkdirSync(file); }],
    ['a source that is no CSV', 'condition', 'SOURCE_UNREADABLE', /flats\.csv/, (file) => writeFileSync(file, Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0xff, 0xfe, 0, 1, 2, 0xc3, 0x28]))],
    ['a line with other columns', 'condition', 'SOURCE_UNREADABLE', /flats\.csv, line 302\b/, (file) => writeFileSync(file, everyRow((cells, i) => { if (i === 300) cells.push('more', 'and more'); }))],
    ['a missing column', 'rent', 'COLUMN_MISSING', /rent.*'?size'?.*(id|city)/s, (file) => writeFileSync(file, GOOD.replace('id,size,', 'id,area,'))],
    ['a missing target', 'rent', 'COLUMN_MISSING', /'?rent'?/, (file) => writeFileSync(file, GOOD.replace('condition,rent', 'condition,price'))],
    ['a target with one class', 'condition', 'TARGET_CONSTANT', /condition.*'good'/s, (file) => writeFileSync(file, everyRow((cells) => { cells[5] = 'good'; }))],
    ['a target that never varies', 'rent', 'TARGET_CONSTANT', /rent.*1000/s, (file) => writeFileSync(file, everyRow((cells) => { cells[6] = '1000'; }))],
    ['a target that is text', 'rent', 'COLUMN_TYPE', /rent/, (file) => writeFileSync(file, everyRow((cells) => { cells[6] = 'dear'; }))],
    ['an empty column', 'rent', 'COLUMN_EMPTY', /'size'.*600/s, (file) => writeFileSync(file, everyRow((cells) => { cells[1] = ''; }))],
    ['too few rows', 'condition', 'TOO_FEW_ROWS', /30 rows can be used.*holdout/s, (file) => writeFileSync(file, flats(30))],
    ['no rows', 'condition', '(TOO_FEW_ROWS|COLUMN_EMPTY)', /flats has no rows.*flats\.csv/, (file) => writeFileSync(file, `${GOOD.split('\n')[0]}\n`)],
    ['an infinite number', 'rent', 'NOT_FINITE', /'size'.*row 300/s, (file) => writeFileSync(file, everyRow((cells, i) => { cells[1] = i === 300 ? 'Infinity' : `${cells[1]}.5`; }))],
    ['a NaN in the target', 'rent', 'NOT_FINITE', /'rent'.*row 300/s, (file) => writeFileSync(file, everyRow((cells, i) => { cells[6] = i === 300 ? 'NaN' : `${cells[6]}.5`; }))],
  ])('%s is one clear error, tried once, and changes nothing', async (_what, model, code, words, spoil) => {
    const before = await apart.state();
    spoil(source());
    await apart.train([model]);
    const run = await apart.lastRun(model);
    expect(run.status).toBe('failed');
    const failure = await failureOf(apart, lifecycleWorkflowId(model, run.run));
    expect(failure).toMatchObject({ code: expect.stringMatching(new RegExp(`^${code}$`)), attempts: 1 });
    expect(failure.message).toMatch(words);
    expect(run.reason).toBe(failure.message);
    expect(failure.message).not.toMatch(/\n\s+at |undefined|\[object/);

    expect(await apart.state()).toEqual(before);
    expect(await apart.shoal.predict('flats', [FLAT])).toMatchObject({ release: 1 });
  });

  it('is said on the command line, which ends with status 1', async () => {
    rmSync(source());
    const words = await command(['train', 'condition'], undefined, apart);
    expect(words.status).toBe(1);
    expect(words.stdout + words.stderr).toMatch(/condition +failed: .*flats\.csv/);
    const json = await command(['train', 'condition', '--json'], undefined, apart);
    expect(json.status).toBe(1);
    expect(json.json<{ models: ModelView[] }>().models[0]!.runs[0]).toMatchObject({ status: 'failed', reason: expect.stringContaining('flats.csv') });
  });
});

describe('rows that can\'t be predicted', () => {
  it.each<[what: string, rows: unknown, code: string, words: RegExp]>([
    ['text for a number', [FLAT, { ...FLAT, size: 'large' }], 'REQUEST_ROW', /row 1.*size.*a number.*large/is],
    ['a number for a date', [{ ...FLAT, built: true }], 'REQUEST_ROW', /row 0.*built.*date.*true/is],
    ['a list for a category', [{ ...FLAT, city: ['Bern'] }], 'REQUEST_ROW', /row 0.*city/is],
    ['a row that is no object', [FLAT, 7], 'REQUEST_ROW', /row 1.*7/is],
    ['a misspelt column', [{ ...FLAT, size: undefined, sice: 80 }], 'COLUMN_MISSING', /size.*sice|sice.*size/is],
    ['no rows', [], 'REQUEST_EMPTY', /no rows/],
  ])('%s is one clear error', async (_what, rows, code, words) => {
    await expect(project.shoal.predict('flats', rows as Row[])).rejects.toMatchObject({ code, message: expect.stringMatching(words) });
  });

  it('are told on the command line with their row and column', async () => {
    const rows = JSON.stringify([FLAT, { ...FLAT, size: 'large' }]);
    const words = await command(['predict', 'flats'], rows);
    expect(words).toMatchObject({ status: 1, stdout: '' });
    expect(words.stderr).toMatch(/^error .*row 1.*size.*\n$/i);
    const { status, json } = await command(['--json', 'predict', 'flats'], rows);
    expect([status, json()]).toEqual([1, { error: { code: 'REQUEST_ROW', message: expect.stringMatching(/row 1/i), details: expect.any(Object) } }]);
  });

  it.each<[what: string, input: string, code: string, words: RegExp]>([
    ['nothing', '', 'REQUEST_EMPTY', /no rows/],
    ['no JSON', '[{"size": 80', 'SOURCE_UNREADABLE', /not JSON/],
    ['a broken line', `${JSON.stringify(FLAT)}\n{"size": \n`, 'SOURCE_UNREADABLE', /line 2/],
  ])('%s on standard input is one clear error', async (_what, input, code, words) => {
    const { status, json } = await command(['--json', 'predict', 'flats'], input);
    expect(status).toBe(1);
    expect(json().error).toMatchObject({ code, message: expect.stringMatching(words) });
  });

  it('a file that is missing is named', async () => {
    const { status, stderr } = await command(['predict', 'flats', '--input', 'nowhere/rows.csv']);
    expect([status, stderr]).toEqual([1, expect.stringMatching(/nowhere\/rows\.csv/)]);
  });

  it('categories and words that were never seen are served as unknown, and what is missing as missing', async () => {
    const { outputs } = await project.shoal.predict('flats', [{ ...FLAT, city: 'Atlantis', note: 'qwerty zxcvb' }, { size: 80 }, FLAT]);
    for (const { value, low, high } of outputs!) expect([value, low, high].every(Number.isFinite)).toBe(true);
  });
});

describe('what is not there', () => {
  it('a chain or a model of another name is told with the nearest one', async () => {
    await expect(project.shoal.predict('flat', [FLAT])).rejects.toMatchObject({ code: 'UNKNOWN_CHAIN', message: expect.stringContaining('Did you mean "flats"?') });
    await expect(project.shoal.train(['conditoin'])).rejects.toMatchObject({ code: 'UNKNOWN_MODEL', message: expect.stringContaining('Did you mean "condition"?') });
    const { status, json } = await command(['--json', 'predict', 'flat'], '[{}]');
    expect([status, json().error]).toEqual([1, expect.objectContaining({ code: 'UNKNOWN_CHAIN' })]);
    const words = await command(['train', 'conditoin']);
    expect([words.status, words.stdout, words.stderr]).toEqual([1, '', expect.stringContaining('Did you mean "condition"?')]);
  });

  it('a chain without a release says what makes one', async () => {
    const fresh = await TestProject.open(server, { models: MODELS });
    try {
      await expect(fresh.shoal.predict('flats', [FLAT])).rejects.toMatchObject({ code: 'NO_RELEASE', message: expect.stringMatching(/"flats" has no release yet.*shoal train/) });
      const { status, stderr } = await command(['predict', 'flats'], JSON.stringify([FLAT]), fresh);
      expect([status, stderr]).toEqual([1, expect.stringContaining('has no release yet')]);
      expect(await fresh.store.listNotes('')).toEqual([]);
      expect((await command(['status'], undefined, fresh)).stdout).toContain('Nothing has run yet');
    } finally {
      await fresh.close();
    }
  });
});

describe('a damaged artifact', () => {
  it('is not served, is named, and is made again by the next training', async () => {
    const damaged = await TestProject.open(server, { models: MODELS, store: project.storeFolder });
    try {
      await damaged.train();
      const before = await damaged.shoal.predict('flats', [FLAT]);
      const { manifest } = (await damaged.chain()).current!.versions.rent!;
      const state = await damaged.state();
      await damaged.stopWorkers();
      await expect(damaged.shoal.status()).rejects.toMatchObject({ code: 'NO_WORKER', message: expect.stringContaining(damaged.namespace) });
      const { onnx } = await damaged.store.readJson<Manifest>(manifest);
      const file = path.join(damaged.storeFolder, onnx.uri);
      const bytes = readFileSync(file);
      bytes[bytes.length >> 1]! ^= 1;
      chmodSync(file, 0o644);
      writeFileSync(file, bytes);
      await damaged.startWorkers();

      await expect(damaged.shoal.predict('flats', [FLAT])).rejects.toMatchObject({ code: 'ARTIFACT_CORRUPT', message: expect.stringContaining(onnx.sha256.slice(0, 12)) });
      expect(await damaged.state()).toEqual(state);

      await damaged.train();
      expect(await damaged.lastRun('rent')).toMatchObject({ status: 'unchanged' });
      expect(await damaged.shoal.predict('flats', [FLAT])).toEqual(before);
    } finally {
      await damaged.close();
    }
  });
});

(canMount ? describe : describe.skip)('a store (needs the right to mount a disk)', () => {
  it('that is full fails the run after a few tries, changes nothing, still serves, and goes on when there is room', async () => {
    const full = await TestProject.open(server, { models: MODELS });
    const disk = smallDisk(full.storeFolder, '12m');
    try {
      cpSync(project.storeFolder, full.storeFolder, { recursive: true });
      rmSync(path.join(full.storeFolder, 'notes/chains'), { recursive: true });
      await full.train();
      const before = await full.state();
      const ballast = path.join(full.storeFolder, 'ballast');
      fill(ballast);
      full.files.addFlats(150);

      await full.train(['condition']);
      const run = await full.lastRun('condition');
      const failure = await failureOf(full, lifecycleWorkflowId('condition', run.run));
      expect(failure).toMatchObject({ code: 'STORE_FULL', message: expect.stringMatching(/(full|no room).*Free some space/s), attempts: 5 });
      expect(await full.state()).toEqual(before);
      expect(await full.shoal.predict('flats', [FLAT])).toMatchObject({ release: 1 });

      rmSync(ballast);
      await full.train();
      expect((await full.chain()).current!.number).toBe(2);
    } finally {
      await full.stopWorkers();
      disk.remove();
      await full.close();
    }
  });

  it('that is read-only fails the run at once, changes nothing, and still serves', async () => {
    const fixed = await TestProject.open(server, { models: MODELS, store: project.storeFolder });
    await fixed.train();
    const before = await fixed.state();
    const disk = readOnly(fixed.storeFolder);
    try {
      fixed.files.addFlats(150);
      await fixed.train(['condition']);
      const run = await fixed.lastRun('condition');
      const failure = await failureOf(fixed, lifecycleWorkflowId('condition', run.run));
      expect(failure).toMatchObject({ code: 'STORE_READ_ONLY', message: expect.stringMatching(/read-only.*store\.path/s), attempts: 1 });
      expect(await fixed.state()).toEqual(before);
      expect(await fixed.shoal.predict('flats', [FLAT])).toMatchObject({ release: 1 });
    } finally {
      disk.remove();
      await fixed.close();
    }
  });

  /** Writes until the disk is full. */
  function fill(file: string): void {
    for (let size = 1 << 20; size >= 1; size >>= 1) {
      try {
        for (;;) writeFileSync(file, Buffer.alloc(size, 1), { flag: 'a' });
      } catch {
        // Less may still fit.
      }
    }
    expect(existsSync(file) && statSync(file).size).toBeGreaterThan(0);
  }
});

describe('a server that can\'t be reached', () => {
  const files = smallProject({ files: {} });
  /** Accepts connections and says nothing. */
  const silent = net.createServer(() => undefined);
  const sockets = new Set<net.Socket>();
  let addresses: Record<string, string>;
  beforeAll(async () => {
    silent.on('connection', (socket) => sockets.add(socket));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    addresses = { refused: '127.0.0.1:1', silent: `127.0.0.1:${(silent.address() as net.AddressInfo).port}` };
  });
  afterAll(() => {
    sockets.forEach((socket) => socket.destroy());
    silent.close();
    files.remove();
  });

  it.each(['refused', 'silent'])('is named by the client within seconds (%s)', async (kind) => {
    const address = addresses[kind]!;
    const started = Date.now();
    await expect(Shoal.connect({ projectFile: files.file, endpoint: { address, namespace: 'default', options: { address } } }))
      .rejects.toMatchObject({ code: 'SERVER_UNREACHABLE', message: expect.stringContaining(address), details: { address } });
    expect(Date.now() - started).toBeLessThan(15_000);
  });

  it.each(['refused', 'silent'])('is named by the command line and by a worker within seconds (%s)', async (kind) => {
    const address = addresses[kind]!;
    const env = { TEMPORAL_ADDRESS: address };
    const [words, json, up, working] = await Promise.all([
      shoal(['--project', files.file, 'status'], { env }),
      shoal(['--project', files.file, '--json', 'predict', 'flats'], { env, input: '[{}]' }),
      shoal(['--project', files.file, 'up', '--exit'], { env }),
      worker(['--project', files.file, '--worker', 'serve'], { env }),
    ]);
    for (const ended of [words, up, working]) {
      expect([ended.status, ended.stderr]).toEqual([4, expect.stringContaining(`No Temporal server answers at ${address}`)]);
      expect(ended.stderr).not.toMatch(/\n\s+at /);
      expect(ended.seconds).toBeLessThan(30);
    }
    expect([json.status, json.json().error]).toEqual([4, expect.objectContaining({ code: 'SERVER_UNREACHABLE', details: expect.objectContaining({ address }) })]);
  });
});
