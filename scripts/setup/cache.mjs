// The cache's entries: folders made under a name of their own, sealed with the size and hash of each file, then renamed.
import {
  existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statfsSync, statSync, writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { diskError, SetupError } from './error.mjs';
import { cacheFolder } from './folders.mjs';
import { sha256File } from './hash.mjs';
import { alive, withLock } from './lock.mjs';

const SEAL = '.sealed.json';

/**
 * The folder of an entry, made by `fill(folder)` unless it is there and sound. An entry that was changed since it was sealed is made
 * again. `megabytes` is what making it takes at its peak.
 */
export async function ensureEntry({ name, megabytes, fill, report }) {
  const folder = join(cacheFolder(), name);
  if (await sound(folder)) return folder;
  return withLock(name, report, async () => {
    if (await sound(folder)) return folder;
    if (existsSync(folder)) report(`${name} in the cache was changed since it was made: making it again`);
    try {
      mkdirSync(dirname(folder), { recursive: true });
      removeUnfinished(folder);
      checkSpace(megabytes, folder);
      const making = `${folder}.making-${process.pid}`;
      rmSync(making, { recursive: true, force: true });
      mkdirSync(making);
      try {
        await fill(making);
        await seal(making);
        rmSync(folder, { recursive: true, force: true });
        renameSync(making, folder);
      } finally {
        rmSync(making, { recursive: true, force: true });
      }
    } catch (error) {
      throw diskError(error, folder);
    }
    return folder;
  });
}

/** The entry's folder if it is there and sound. */
export async function findEntry(name) {
  const folder = join(cacheFolder(), name);
  return (await sound(folder)) ? folder : undefined;
}

/** For an entry that looks sound and yet does not work: hashes every file, and removes the entry if one differs. */
export async function removeIfCorrupt(folder) {
  if (await sound(folder, { thorough: true })) return false;
  rmSync(folder, { recursive: true, force: true });
  return true;
}

async function seal(folder) {
  const files = {};
  for (const path of filesIn(folder)) {
    const { size, mtimeMs } = statSync(path);
    files[relative(folder, path)] = { size, mtimeMs, sha256: await sha256File(path) };
  }
  writeFileSync(join(folder, SEAL), JSON.stringify({ files }, null, 1));
}

/** Sizes and times are compared on every run; the hash, which takes a second for the large files, when those differ. */
async function sound(folder, { thorough = false } = {}) {
  let sealed;
  try {
    sealed = JSON.parse(readFileSync(join(folder, SEAL), 'utf8'));
  } catch {
    return false;
  }
  for (const [name, expected] of Object.entries(sealed.files)) {
    const path = join(folder, name);
    const found = statSync(path, { throwIfNoEntry: false });
    if (found?.size !== expected.size) return false;
    if ((thorough || found.mtimeMs !== expected.mtimeMs) && (await sha256File(path)) !== expected.sha256) return false;
  }
  return true;
}

function filesIn(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}

/** What set-ups that were killed left behind. */
function removeUnfinished(folder) {
  const parent = dirname(folder);
  for (const name of readdirSync(parent)) {
    const match = /\.making-(\d+)$/.exec(name);
    if (match && !alive(Number(match[1]))) rmSync(join(parent, name), { recursive: true, force: true });
  }
}

export function checkSpace(megabytes, folder) {
  const { bavail, bsize } = statfsSync(dirname(folder));
  const free = Math.floor((bavail * bsize) / 1e6);
  if (free >= megabytes) return;
  throw new SetupError(
    `${folder} needs ${megabytes} MB while it is made, and its disk has ${free} MB left.`,
    'Free some space, or set SHOAL_CACHE to a folder on a larger disk.',
  );
}
