import { execFileSync, fork, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { appendFile, chmod, cp, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore } from '../../src/store/fileStore';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shoal-store-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const HELLO = { uri: 'objects/2c/2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824.txt', sha256: '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824', bytes: 5 };

describe('objects', () => {
  test('are named by their content, written once and read back', async () => {
    const store = await openStore({ path: folder });
    const ref = await store.put(Buffer.from('hello'), 'txt');
    expect(ref).toEqual(HELLO);
    expect((await store.read(ref)).toString()).toBe('hello');
    const before = await stat(join(folder, ref.uri));
    expect(await store.put(Buffer.from('hello'), 'txt')).toEqual(ref);
    expect((await stat(join(folder, ref.uri))).ino).toBe(before.ino);
    expect(await readdir(join(folder, 'tmp'))).toEqual([]);
  });

  test('equal JSON values are one object', async () => {
    const store = await openStore({ path: folder });
    const ref = await store.putJson({ b: [1, { d: 2, c: undefined }], a: 'x' });
    expect(await store.putJson({ a: 'x', b: [1, { d: 2 }] })).toEqual(ref);
    expect(await store.readJson(ref)).toEqual({ a: 'x', b: [1, { d: 2 }] });
  });

  test('a file is taken in, from this disk or another, and is gone from where it was', async () => {
    const store = await openStore({ path: folder });
    const scratch = await store.scratch();
    await writeFile(join(scratch, 'a.bin'), 'hello');
    expect(await store.putFile(join(scratch, 'a.bin'), 'txt')).toEqual(HELLO);
    await writeFile(join(scratch, 'again.bin'), 'hello');
    expect(await store.putFile(join(scratch, 'again.bin'), 'txt')).toEqual(HELLO);
    expect(await readdir(scratch)).toEqual([]);
    if (!existsSync('/dev/shm')) return;
    const other = await mkdtemp('/dev/shm/shoal-');
    try {
      await writeFile(join(other, 'b.bin'), 'from elsewhere');
      expect((await store.read(await store.putFile(join(other, 'b.bin'), 'bin'))).toString()).toBe('from elsewhere');
      expect(await readdir(other)).toEqual([]);
    } finally {
      await rm(other, { recursive: true });
    }
  });

  test('are found after the store was moved', async () => {
    const ref = await (await openStore({ path: join(folder, 'here') })).put(Buffer.from('hello'), 'txt');
    await rename(join(folder, 'here'), join(folder, 'there'));
    const moved = await openStore({ path: join(folder, 'there') });
    expect((await moved.read(ref)).toString()).toBe('hello');
    expect(await moved.localFile(ref)).toBe(join(folder, 'there', ref.uri));
  });

  test('a missing one is named, with what to do', async () => {
    const store = await openStore({ path: folder });
    for (const read of [store.read(HELLO), store.localFile(HELLO)]) {
      await expect(read).rejects.toMatchObject({ code: 'ARTIFACT_MISSING', message: expect.stringContaining(HELLO.uri), remedy: expect.any(String) });
    }
  });

  test.each(['../secret', 'objects/../../secret', '/etc/passwd', 'notes/a.json', 'objects/2c/../2c/x.txt', 'objects/2c/x.txt', ''])('no address leaves the store: %j', async (uri) => {
    const store = await openStore({ path: join(folder, 'store') });
    await writeFile(join(folder, 'secret'), 'hello');
    await expect(store.read({ ...HELLO, uri })).rejects.toMatchObject({ code: 'ARTIFACT_MISSING' });
    await expect(store.localFile({ ...HELLO, uri })).rejects.toMatchObject({ code: 'ARTIFACT_MISSING' });
  });

  test.each([
    ['changed', (path: string) => writeFile(path, 'jello')],
    ['cut short', (path: string) => truncate(path, 3)],
    ['grown', (path: string) => appendFile(path, '!')],
  ])('one that was %s is refused, also when it was read before, and repaired by writing it again', async (_, damage) => {
    const store = await openStore({ path: folder });
    const ref = await store.put(Buffer.from('hello'), 'txt');
    await store.read(ref);
    await store.localFile(ref);
    await chmod(join(folder, ref.uri), 0o644);
    await damage(join(folder, ref.uri));
    for (const one of [store, await openStore({ path: folder })]) {
      await expect(one.read(ref)).rejects.toMatchObject({ code: 'ARTIFACT_CORRUPT', details: { path: join(folder, ref.uri) }, remedy: expect.any(String) });
      await expect(one.localFile(ref)).rejects.toMatchObject({ code: 'ARTIFACT_CORRUPT' });
    }
    await store.put(Buffer.from('hello'), 'txt');
    expect((await store.read(ref)).toString()).toBe('hello');
  });

  test('a reference whose hash or length is not the object\'s is refused', async () => {
    const store = await openStore({ path: folder });
    const ref = await store.put(Buffer.from('hello'), 'txt');
    await store.read(ref);
    await expect(store.read({ ...ref, bytes: 6 })).rejects.toMatchObject({ code: 'ARTIFACT_CORRUPT' });
    await expect(store.read({ ...ref, sha256: '0'.repeat(64) })).rejects.toMatchObject({ code: 'ARTIFACT_CORRUPT' });
    await expect(store.localFile({ ...ref, bytes: 6 })).rejects.toMatchObject({ code: 'ARTIFACT_CORRUPT' });
  });
});

describe('notes and blobs', () => {
  test('are written, replaced, listed and removed, whatever their names', async () => {
    const store = await openStore({ path: folder });
    for (const name of ['chains/b', 'chains/a', 'chains', 'chains.json/x', '../up', 'a b/ü', '*']) await store.writeNote(name, { name });
    await store.writeNote('chains/a', { name: 'again' });
    expect(await store.readNote('chains/a')).toEqual({ name: 'again' });
    expect(await store.readNote('../up')).toEqual({ name: '../up' });
    expect(await store.readNote('none')).toBeUndefined();
    expect(await store.listNotes('chains/')).toEqual(['chains/a', 'chains/b']);
    expect(await store.listNotes('')).toEqual(['*', '../up', 'a b/ü', 'chains', 'chains.json/x', 'chains/a', 'chains/b']);
    expect(existsSync(join(folder, '..', 'up.json'))).toBe(false);
    await store.removeNote('chains/a');
    await store.removeNote('chains/a');
    expect(await store.listNotes('chains/')).toEqual(['chains/b']);
    await store.writeBlob('checkpoint/1', Buffer.from([1, 2, 3]));
    expect(await store.readBlob('checkpoint/1')).toEqual(Buffer.from([1, 2, 3]));
    await store.removeBlob('checkpoint/1');
    expect(await store.readBlob('checkpoint/1')).toBeUndefined();
    for (const name of ['log/2026-03-02/b', 'log/2026-03-01/a.1', 'log/2026-04-01/x', 'logs', 'log/ü/*']) await store.writeBlob(name, Buffer.from('x'));
    expect(await store.listBlobs('')).toEqual(['log/2026-03-01/a.1', 'log/2026-03-02/b', 'log/2026-04-01/x', 'log/ü/*', 'logs']);
    expect(await store.listBlobs('log')).toEqual(await store.listBlobs(''));
    expect(await store.listBlobs('log/2026-03')).toEqual(['log/2026-03-01/a.1', 'log/2026-03-02/b']);
    expect(await store.listBlobs('log/ü/')).toEqual(['log/ü/*']);
    expect(await store.listBlobs('log/none/')).toEqual([]);
  });

  test('a note that is to be written only where there is none leaves one that is there, and nothing behind', async () => {
    const store = await openStore({ path: folder });
    await Promise.all(Array.from({ length: 20 }, (_, i) => store.writeNote('chains/a', i, { ifAbsent: true })));
    const first = await store.readNote('chains/a');
    await store.writeNote('chains/a', 'late', { ifAbsent: true });
    expect(await store.readNote('chains/a')).toBe(first);
    await store.writeNote('chains/a', 'new');
    expect(await store.readNote('chains/a')).toBe('new');
    expect(await readdir(join(folder, 'tmp'))).toEqual([]);
  });

  test('a note that is not JSON is named', async () => {
    const store = await openStore({ path: folder });
    await store.writeNote('a', 1);
    await writeFile(join(folder, 'notes', 'a.json'), '{"a":');
    await expect(store.readNote('a')).rejects.toMatchObject({ code: 'ARTIFACT_CORRUPT', message: expect.stringContaining(join('notes', 'a.json')) });
  });
});

test('leftovers of a crash go after a day, and nothing younger does', async () => {
  const store = await openStore({ path: folder });
  const [old, young, active] = [join(folder, 'tmp', 'write-old'), join(folder, 'tmp', 'write-young'), await store.scratch()];
  const long = new Date(Date.now() - 25 * 60 * 60 * 1000);
  await writeFile(old, 'x');
  await writeFile(young, 'x');
  await writeFile(join(active, 'growing'), 'x');
  await utimes(old, long, long);
  await utimes(active, long, long);
  await openStore({ path: folder });
  expect([existsSync(old), existsSync(young), existsSync(active)]).toEqual([false, true, true]);
});

describe('processes', () => {
  const children = new Set<ChildProcess>();
  afterEach(() => {
    for (const child of children) child.kill('SIGKILL');
    children.clear();
  });

  const startWriter = async (name: string): Promise<ChildProcess> => {
    const child = fork(join(__dirname, 'writer.cjs'), [folder, name], { execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    children.add(child);
    await new Promise((resolve, reject) => {
      child.once('message', resolve);
      child.once('exit', reject);
    });
    return child;
  };
  const kill = async (child: ChildProcess): Promise<void> => {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
    children.delete(child);
  };

  /** Everything under objects/ and notes/ is whole. */
  async function assertWhole(): Promise<number> {
    let objects = 0;
    for (const name of await readdir(join(folder, 'objects'), { recursive: true })) {
      if (!name.endsWith('.bin')) continue;
      objects++;
      const bytes = await readFile(join(folder, 'objects', name));
      expect(createHash('sha256').update(bytes).digest('hex')).toBe(name.slice(3, -4));
    }
    const store = await openStore({ path: folder });
    for (const name of await store.listNotes('')) expect(await store.readNote(name)).toBeDefined();
    const blob = await store.readBlob('shared');
    if (blob) expect([blob.length, new Set(blob).size]).toEqual([200_000, 1]);
    return objects;
  }

  test('killed at any moment leave whole objects and notes only', async () => {
    for (let round = 0; round < 12; round++) {
      const child = await startWriter(`w${round}`);
      await new Promise((resolve) => setTimeout(resolve, 10 + ((round * 37) % 150)));
      await kill(child);
      await assertWhole();
    }
    expect(await assertWhole()).toBeGreaterThan(0);
  }, 120_000);

  test('that write the same objects and the same note at once do not disturb each other or a reader', async () => {
    const writers = await Promise.all([startWriter('a'), startWriter('b'), startWriter('c')]);
    const store = await openStore({ path: folder });
    const seen = new Set<string>();
    const end = Date.now() + 4_000;
    let reads = 0;
    while (Date.now() < end) {
      const note = await store.readNote<{ writer: string; filler: string }>('shared');
      if (note) seen.add(note.writer);
      if (note) expect(note.filler.length).toBe(100_000);
      const ref = await store.put(Buffer.alloc(300_000, '0'), 'bin');
      expect((await store.read(ref)).length).toBe(300_000);
      reads++;
    }
    expect(reads).toBeGreaterThan(10);
    expect(seen.size).toBeGreaterThan(1);
    for (const child of writers) expect(child.exitCode).toBeNull();
    await Promise.all(writers.map(kill));
    await assertWhole();
  }, 60_000);
});

describe('disks', () => {
  const canMount = (): boolean => {
    if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
    try {
      execFileSync('unshare', ['--mount', 'true'], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  };
  const mount = (...args: string[]): void => void execFileSync('mount', args, { stdio: 'pipe' });
  const withMount = async (prepare: (path: string) => void | Promise<void>, work: (path: string) => Promise<void>): Promise<void> => {
    const path = join(folder, 'disk');
    await mkdir(path);
    await prepare(path);
    try {
      await work(path);
    } finally {
      execFileSync('umount', ['--lazy', path]);
    }
  };
  // Mounting needs root.
  const testMounted = canMount() ? test : test.skip;

  testMounted('full: says so, keeps what was there, leaves nothing behind, and works again when there is room', async () => {
    await withMount((path) => mount('-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', path), async (path) => {
      const store = await openStore({ path });
      const ref = await store.put(Buffer.from('hello'), 'txt');
      await store.writeNote('a', { n: 1 });
      const large = Buffer.alloc(2 << 20, 1);
      for (const write of [() => store.put(large, 'bin'), () => store.writeNote('a', { large: large.toString('hex') }), () => store.writeBlob('b', large)]) {
        await expect(write()).rejects.toMatchObject({ code: 'STORE_FULL', retryable: true, message: expect.stringContaining(path), remedy: expect.stringContaining('Free some space') });
      }
      const outside = join(folder, 'outside.bin');
      await writeFile(outside, large);
      await expect(store.putFile(outside, 'bin')).rejects.toMatchObject({ code: 'STORE_FULL' });
      expect((await stat(outside)).size).toBe(large.length);
      expect(await readdir(join(path, 'tmp'))).toEqual([]);
      expect((await store.read(ref)).toString()).toBe('hello');
      expect(await store.readNote('a')).toEqual({ n: 1 });
      await store.put(Buffer.alloc(1000, 2), 'bin');
    });
  });

  testMounted('read-only: reads, and says on writing what is wrong', async () => {
    const source = join(folder, 'source');
    const ref = await (await openStore({ path: source })).put(Buffer.from('hello'), 'txt');
    await withMount((path) => {
      mount('--bind', source, path);
      mount('-o', 'remount,bind,ro', path);
    }, async (path) => {
      const store = await openStore({ path });
      expect((await store.read(ref)).toString()).toBe('hello');
      for (const write of [() => store.put(Buffer.from('new'), 'bin'), () => store.writeNote('a', 1), () => store.writeBlob('a', Buffer.from('x')), () => store.scratch()]) {
        await expect(write()).rejects.toMatchObject({ code: 'STORE_READ_ONLY', retryable: false, message: expect.stringContaining(path), remedy: expect.any(String) });
      }
      await expect(openStore({ path: join(path, 'new') })).rejects.toMatchObject({ code: 'STORE_READ_ONLY' });
    });
  });

  (process.getuid?.() === 0 ? test.skip : test)('without permission (root has every one)', async () => {
    const store = await openStore({ path: folder });
    await chmod(join(folder, 'tmp'), 0o555);
    await expect(store.put(Buffer.from('new'), 'bin')).rejects.toMatchObject({ code: 'STORE_READ_ONLY' });
    await chmod(join(folder, 'tmp'), 0o755);
  });

  test('a file where the store should be', async () => {
    await writeFile(join(folder, 'file'), 'x');
    await expect(openStore({ path: join(folder, 'file') })).rejects.toMatchObject({ code: 'CONFIG', message: expect.stringContaining('file') });
  });

  test('a folder that was copied is a store', async () => {
    const ref = await (await openStore({ path: join(folder, 'a') })).put(Buffer.from('hello'), 'txt');
    await cp(join(folder, 'a'), join(folder, 'b'), { recursive: true });
    expect((await (await openStore({ path: join(folder, 'b') })).read(ref)).toString()).toBe('hello');
  });
});
