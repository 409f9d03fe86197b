import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensureEntry, findEntry, removeIfCorrupt } from '../../scripts/setup/cache.mjs';

let cache: string;
const before = process.env.SHOAL_CACHE;

beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'shoal-cache-'));
  process.env.SHOAL_CACHE = cache;
});
afterEach(() => {
  if (before === undefined) delete process.env.SHOAL_CACHE;
  else process.env.SHOAL_CACHE = before;
  rmSync(cache, { recursive: true, force: true });
});

const DEAD_PID = 2 ** 30;

function entry(text = 'weights', log: string[] = []) {
  return {
    name: 'thing/1.0',
    megabytes: 1,
    report: (line: string) => log.push(line),
    fill: async (folder: string) => {
      log.push('filled');
      writeFileSync(join(folder, 'file'), text);
    },
  };
}

test('an entry is made once, and then found', async () => {
  const log: string[] = [];
  const folder = await ensureEntry(entry('weights', log));
  expect(await ensureEntry(entry('weights', log))).toBe(folder);
  expect(await findEntry('thing/1.0')).toBe(folder);
  expect(readFileSync(join(folder, 'file'), 'utf8')).toBe('weights');
  expect(log).toEqual(['filled']);
});

test('a file that was changed, cut short or removed makes the entry be made again', async () => {
  for (const damage of [
    (file: string) => writeFileSync(file, 'wEights'),
    (file: string) => writeFileSync(file, 'weig'),
    (file: string) => rmSync(file),
  ]) {
    const log: string[] = [];
    const folder = await ensureEntry(entry());
    damage(join(folder, 'file'));
    expect(await findEntry('thing/1.0')).toBeUndefined();
    await ensureEntry(entry('weights', log));
    expect(log).toEqual(['thing/1.0 in the cache was changed since it was made: making it again', 'filled']);
    expect(readFileSync(join(folder, 'file'), 'utf8')).toBe('weights');
  }
});

test('a file that was only touched is still sound', async () => {
  const folder = await ensureEntry(entry());
  utimesSync(join(folder, 'file'), 1, 1);
  expect(await findEntry('thing/1.0')).toBe(folder);
});

test('damage that leaves size and time alone is found by a closer look', async () => {
  const folder = await ensureEntry(entry());
  const sealed = JSON.parse(readFileSync(join(folder, '.sealed.json'), 'utf8')) as { files: { file: { sha256: string } } };
  sealed.files.file.sha256 = '0'.repeat(64);
  writeFileSync(join(folder, '.sealed.json'), JSON.stringify(sealed));
  expect(await findEntry('thing/1.0')).toBe(folder);
  expect(await removeIfCorrupt(folder)).toBe(true);
  expect(existsSync(folder)).toBe(false);
});

test('a set-up that was killed half-way is recovered from: its remains go, its lock is taken over', async () => {
  mkdirSync(join(cache, 'thing', `1.0.making-${DEAD_PID}`), { recursive: true });
  mkdirSync(join(cache, 'locks'));
  writeFileSync(join(cache, 'locks', 'thing-1.0.lock'), JSON.stringify({ pid: DEAD_PID, host: hostname() }));
  await ensureEntry(entry());
  expect(readdirSync(join(cache, 'thing'))).toEqual(['1.0']);
  expect(readdirSync(join(cache, 'locks'))).toEqual([]);
});

test('an entry without its seal counts as absent', async () => {
  mkdirSync(join(cache, 'thing', '1.0'), { recursive: true });
  writeFileSync(join(cache, 'thing', '1.0', 'file'), 'half');
  const folder = await ensureEntry(entry());
  expect(readFileSync(join(folder, 'file'), 'utf8')).toBe('weights');
});

test('a failure to make an entry leaves nothing behind', async () => {
  const failing = { ...entry(), fill: async () => Promise.reject(new Error('no')) };
  await expect(ensureEntry(failing)).rejects.toThrow('no');
  expect(readdirSync(join(cache, 'thing'))).toEqual([]);
  expect(readdirSync(join(cache, 'locks'))).toEqual([]);
});

test('a full disk is named with the folder and the way out', async () => {
  const full = { ...entry(), fill: async () => Promise.reject(Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' })) };
  await expect(ensureEntry(full)).rejects.toMatchObject({
    message: expect.stringContaining(join(cache, 'thing')),
    remedy: expect.stringContaining('SHOAL_CACHE'),
  });
  const vast = { ...entry(), megabytes: 1e12 };
  await expect(ensureEntry(vast)).rejects.toThrow(/needs 1000000000000 MB while it is made, and its disk has \d+ MB left/);
});

test('of several set-ups at once, one does the work and all get the result', async () => {
  const script = `
    import { appendFileSync, writeFileSync } from 'node:fs';
    import { ensureEntry } from '${pathToFileURL(join(__dirname, '..', '..', 'scripts', 'setup', 'cache.mjs')).href}';
    const folder = await ensureEntry({ name: 'thing/1.0', megabytes: 1, report: () => {}, fill: async (making) => {
      appendFileSync(process.env.SHOAL_CACHE + '/log', 'filled ');
      await new Promise((done) => setTimeout(done, 300));
      writeFileSync(making + '/file', 'weights');
    } });
    process.stdout.write(folder);`;
  const one = () => new Promise<string>((resolve) => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { env: { ...process.env, SHOAL_CACHE: cache } });
    let output = '';
    child.stdout.on('data', (chunk) => (output += String(chunk)));
    child.on('close', () => resolve(output));
  });
  const folders = await Promise.all([one(), one(), one(), one()]);
  expect(new Set(folders)).toEqual(new Set([join(cache, 'thing', '1.0')]));
  expect(readFileSync(join(cache, 'log'), 'utf8')).toBe('filled ');
});
