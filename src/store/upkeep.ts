import { readdir, rename, rm, rmdir, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { lastTouched, placeIfAbsent } from './disk';
import { hasErrno, storeError } from './errors';
import { fileOf, listNames } from './names';
import type { Entry, StoredKind } from './store';

const AT_ONCE = 32;

export async function entriesOf(root: string, kind: StoredKind): Promise<Entry[]> {
  if (kind === 'objects') return objectsIn(root);
  const extension = kind === 'notes' ? '.json' : '.bin';
  return described(await listNames(root, '', extension), (name) => join(root, fileOf(name)) + extension);
}

async function objectsIn(root: string): Promise<Entry[]> {
  const list = async (folder: string): Promise<string[]> => readdir(folder).catch((cause: unknown) => {
    if (hasErrno(cause, 'ENOENT', 'ENOTDIR')) return [];
    throw storeError(cause, folder, 'list');
  });
  const names: string[] = [];
  for (const folder of (await list(root)).filter((name) => /^[0-9a-f]{2}$/.test(name))) {
    for (const name of await list(join(root, folder))) if (/^[0-9a-f]{64}\.[a-z0-9]+$/.test(name)) names.push(`objects/${folder}/${name}`);
  }
  return described(names.sort(), (name) => join(dirname(root), name));
}

/** Without those that are gone by now. */
async function described(names: string[], pathOf: (name: string) => string): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (let i = 0; i < names.length; i += AT_ONCE) {
    const some = await Promise.all(names.slice(i, i + AT_ONCE).map(async (name): Promise<Entry[]> => {
      const path = pathOf(name);
      try {
        const { size, mtimeMs } = await stat(path);
        return [{ name, bytes: size, at: mtimeMs }];
      } catch (cause) {
        if (hasErrno(cause, 'ENOENT')) return [];
        throw storeError(cause, path, 'read');
      }
    }));
    entries.push(...some.flat());
  }
  return entries;
}

/**
 * Removes a file, unless it was touched lately. It is moved aside and looked at again: whoever marks it as used before that is seen, and it
 * goes back; whoever comes after does not find it.
 */
export async function discardFile(path: string, { unlessSince, trash, root }: { unlessSince: number; trash: string; root: string }): Promise<boolean> {
  try {
    if ((await stat(path)).mtimeMs >= unlessSince) return false;
    await rename(path, trash);
  } catch (cause) {
    if (hasErrno(cause, 'ENOENT')) return true;
    throw cause;
  }
  if ((await stat(trash)).mtimeMs >= unlessSince) {
    await placeIfAbsent(trash, path);
    return false;
  }
  await unlink(trash);
  await removeEmptyFolders(dirname(path), root);
  return true;
}

async function removeEmptyFolders(folder: string, root: string): Promise<void> {
  for (let empty = folder; empty.length > root.length; empty = dirname(empty)) {
    try {
      await rmdir(empty);
    } catch {
      return;
    }
  }
}

/** What nobody has touched since: of a crash, or of a process that was killed. */
export async function discardLeftovers(folder: string, { before, dryRun }: { before: number; dryRun: boolean }): Promise<{ count: number; bytes: number }> {
  const gone = { count: 0, bytes: 0 };
  for (const name of await readdir(folder).catch(() => [])) {
    const path = join(folder, name);
    if ((await lastTouched(path)) >= before) continue;
    const bytes = await sizeOf(path);
    if (!dryRun && !(await rm(path, { recursive: true, force: true }).then(() => true, () => false))) continue;
    gone.count++;
    gone.bytes += bytes;
  }
  return gone;
}

async function sizeOf(path: string): Promise<number> {
  try {
    const own = await stat(path);
    if (!own.isDirectory()) return own.size;
    const inside = await Promise.all((await readdir(path)).map((name) => sizeOf(join(path, name))));
    return inside.reduce((sum, bytes) => sum + bytes, 0);
  } catch {
    return 0;
  }
}
