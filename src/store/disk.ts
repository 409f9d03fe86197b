import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { link, mkdir, open, readdir, rename, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { hasErrno } from './errors';

export interface Content { sha256: string; bytes: number }

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

export async function hashFile(path: string): Promise<Content> {
  const hash = createHash('sha256');
  let bytes = 0;
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) {
      hash.update(chunk);
      bytes += chunk.length;
    }
  });
  return { sha256: hash.digest('hex'), bytes };
}

export async function writeFlushed(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

export async function flush(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

export const renameInto = (from: string, to: string): Promise<void> => place(rename, from, to);

/** Leaves what is there already: unlike a rename, a second name for a file is never put over another file. */
export async function placeIfAbsent(from: string, to: string): Promise<void> {
  try {
    await place(link, from, to);
  } catch (cause) {
    if (hasErrno(cause, 'EPERM', 'ENOTSUP', 'ENOSYS')) return renameInto(from, to);
    if (!hasErrno(cause, 'EEXIST')) throw cause;
  }
  await unlink(from);
}

async function place(put: (from: string, to: string) => Promise<void>, from: string, to: string): Promise<void> {
  try {
    await put(from, to);
  } catch (cause) {
    if (!hasErrno(cause, 'ENOENT')) throw cause;
    await makeAndPut(put, from, to);
  }
}

/** A folder that is empty still may be removed by another process in between. */
async function makeAndPut(put: (from: string, to: string) => Promise<void>, from: string, to: string, attempts = 5): Promise<void> {
  try {
    const made = await makeFolders(dirname(to));
    // Each new folder is an entry of the one above it.
    if (made !== undefined) for (let folder = dirname(to); folder.length >= made.length; folder = dirname(folder)) await flushFolder(dirname(folder));
    await put(from, to);
  } catch (cause) {
    if (!hasErrno(cause, 'ENOENT') || attempts === 1) throw cause;
    await makeAndPut(put, from, to, attempts - 1);
  }
}

/** The first folder that was made. Node says ENOENT when folders on a read-only disk are made recursively; one alone gives the true reason. */
export async function makeFolders(path: string): Promise<string | undefined> {
  try {
    return await mkdir(path, { recursive: true });
  } catch (cause) {
    if (!hasErrno(cause, 'ENOENT')) throw cause;
    const missing = (cause as NodeJS.ErrnoException).path ?? path;
    await mkdir(missing);
    await mkdir(path, { recursive: true });
    return missing;
  }
}

/** So that the rename itself survives a power cut. Some file systems cannot; they keep their own order. */
export async function flushFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } catch (cause) {
    if (!hasErrno(cause, 'EINVAL', 'ENOTSUP', 'EISDIR', 'EPERM')) throw cause;
  } finally {
    await folder.close();
  }
}

export async function lastTouched(path: string): Promise<number> {
  try {
    const own = await stat(path);
    if (!own.isDirectory()) return own.mtimeMs;
    const inside = await Promise.all((await readdir(path)).map((name) => lastTouched(join(path, name))));
    return Math.max(own.mtimeMs, ...inside);
  } catch {
    return Infinity;
  }
}
