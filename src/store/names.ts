import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { hasErrno, storeError } from './errors';

/** Dots and everything unusual are escaped, so no name leaves the folder and none looks like another's file or folder. */
export function fileOf(name: string): string {
  const parts = name.split('/');
  if (parts.includes('')) throw new TypeError(`'${name}' is not a name: the parts between slashes must not be empty.`);
  return join(...parts.map(escaped));
}

const escaped = (part: string): string => encodeURIComponent(part).replace(/[.*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

/** The names under a prefix that have a file in `root`, sorted. Only folders that can hold such names are looked into. */
export async function listNames(root: string, prefix: string, extension: string): Promise<string[]> {
  const names: string[] = [];
  const visit = async (folder: string, above: string): Promise<void> => {
    const entries = await readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
      if (hasErrno(cause, 'ENOENT')) return [];
      throw storeError(cause, folder, 'list');
    });
    await Promise.all(entries.map(async (entry) => {
      if (entry.isDirectory()) {
        const inside = `${above}${decodeURIComponent(entry.name)}/`;
        if (inside.startsWith(prefix) || prefix.startsWith(inside)) await visit(join(folder, entry.name), inside);
      } else if (entry.isFile() && entry.name.endsWith(extension)) {
        const name = above + decodeURIComponent(entry.name.slice(0, -extension.length));
        if (name.startsWith(prefix)) names.push(name);
      }
    }));
  };
  const above = prefix.split('/').slice(0, -1);
  await visit(join(root, ...above.map(escaped)), above.map((part) => `${part}/`).join(''));
  return names.sort();
}
