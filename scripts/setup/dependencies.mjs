import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from './hash.mjs';
import { withLock } from './lock.mjs';
import { npmCi } from './npm.mjs';

/** node_modules as the lock file says; left alone when it is so already, however it came about. */
export async function setUpDependencies(root, { report }) {
  if (installed(root)) return;
  await withLock(`dependencies-${sha256(root).slice(0, 12)}`, report, async () => {
    if (!installed(root)) await npmCi(root, report);
  });
}

/**
 * npm leaves its own record of what it installed as the last thing it does: a half-made node_modules has none. Optional packages
 * may be absent, other platforms' for instance, except the ones that we name.
 */
export function installed(root) {
  const wanted = readJson(join(root, 'package-lock.json'))?.packages;
  const found = readJson(join(root, 'node_modules', '.package-lock.json'))?.packages;
  if (!wanted || !found) return false;
  const named = { ...wanted[''].dependencies, ...wanted[''].devDependencies, ...wanted[''].optionalDependencies };
  for (const [path, { version, optional, devOptional, integrity }] of Object.entries(wanted)) {
    if (path === '') continue;
    const own = path.lastIndexOf('node_modules/') === 0 && path.slice('node_modules/'.length) in named;
    if (!found[path] && (optional || devOptional) && !own) continue;
    if (found[path]?.version !== version || (integrity && found[path].integrity !== integrity)) return false;
    if (own && !existsSync(join(root, path, 'package.json'))) return false;
  }
  return true;
}

function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}
