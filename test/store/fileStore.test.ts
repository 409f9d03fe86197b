import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore } from '../../src/store/fileStore';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shoal-store-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('an object is named by its content and is read back', async () => {
  const store = await openStore({ path: folder });
  const ref = await store.put(Buffer.from('hello'), 'txt');
  expect(ref).toEqual({
    uri: 'objects/2c/2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824.txt',
    sha256: '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824',
    bytes: 5,
  });
  expect((await store.read(ref)).toString()).toBe('hello');
  expect(await store.put(Buffer.from('hello'), 'txt')).toEqual(ref);
  expect(await readdir(join(folder, 'tmp'))).toEqual([]);
});

test('a file is taken in, and is gone from where it was', async () => {
  const store = await openStore({ path: folder });
  const scratch = await store.scratch();
  await writeFile(join(scratch, 'a.bin'), 'hello');
  const ref = await store.putFile(join(scratch, 'a.bin'), 'txt');
  expect(ref).toEqual(await store.put(Buffer.from('hello'), 'txt'));
  expect(await readdir(scratch)).toEqual([]);
});

test('notes and blobs are written, replaced, listed and removed', async () => {
  const store = await openStore({ path: folder });
  for (const name of ['chains/b', 'chains/a', 'chains', 'chains.json/x', '../up', 'a b/ü']) await store.writeNote(name, { name });
  await store.writeNote('chains/a', { name: 'again' });
  expect(await store.readNote('chains/a')).toEqual({ name: 'again' });
  expect(await store.readNote('../up')).toEqual({ name: '../up' });
  expect(await store.readNote('none')).toBeUndefined();
  expect(await store.listNotes('chains/')).toEqual(['chains/a', 'chains/b']);
  expect(await store.listNotes('')).toEqual(['../up', 'a b/ü', 'chains', 'chains.json/x', 'chains/a', 'chains/b']);
  await store.removeNote('chains/a');
  await store.removeNote('chains/a');
  expect(await store.listNotes('chains/')).toEqual(['chains/b']);
  await store.writeBlob('checkpoint/1', Buffer.from([1, 2, 3]));
  expect(await store.readBlob('checkpoint/1')).toEqual(Buffer.from([1, 2, 3]));
  await store.removeBlob('checkpoint/1');
  expect(await store.readBlob('checkpoint/1')).toBeUndefined();
});
