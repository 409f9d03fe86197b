import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ShoalError } from '../domain/errors';
import type { FileSource } from '../domain/spec';
import { literal, type Engine } from './duckdb';

/** The files a source names, each once, sorted, all readable. A name that is a file is taken as it is; otherwise it is a glob. */
export async function resolveFiles(source: FileSource, db: Engine): Promise<string[]> {
  const files = new Set<string>();
  for (const path of source.paths) {
    const found = (await isFile(path)) ? [path] : await expand(db, path);
    if (found.length === 0) throw await missing(source, path);
    for (const file of found) files.add(file);
  }
  for (const file of files) await assertReadable(source, file);
  return [...files].sort();
}

async function expand(db: Engine, pattern: string): Promise<string[]> {
  const rows = await db.rows<{ file: string }>(`SELECT file FROM glob(${literal(pattern)})`);
  return rows.map((row) => row.file);
}

async function missing(source: FileSource, path: string): Promise<ShoalError> {
  const folder = await nearestFolder(path);
  const what = /[*?[]/.test(path) ? `no file matches ${path}` : (await isFolder(path)) ? `${path} is a folder` : `${path} does not exist`;
  return new ShoalError('SOURCE_MISSING', `Source ${source.name}: ${what}; the nearest folder that exists is ${folder}.`, {
    remedy: 'Correct `path`, or put the file there.',
    details: { source: source.name, path, nearestFolder: folder },
  });
}

async function nearestFolder(path: string): Promise<string> {
  let folder = path;
  while (!(await isFolder(folder)) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}

async function assertReadable(source: FileSource, file: string): Promise<void> {
  try {
    await access(file, constants.R_OK);
  } catch (cause) {
    throw new ShoalError('SOURCE_UNREADABLE', `Source ${source.name}: no permission to read ${file}.`, {
      remedy: 'Give this user the right to read it.', details: { source: source.name, file }, cause });
  }
}

const isFile = (path: string): Promise<boolean> => stat(path).then((s) => s.isFile(), () => false);
const isFolder = (path: string): Promise<boolean> => stat(path).then((s) => s.isDirectory(), () => false);
