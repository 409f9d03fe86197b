// src/ -> dist/: the compiled program, the workflows' bundle, and the lock of the native packages.
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { ROOT } from './folders.mjs';
import { sha256 } from './hash.mjs';
import { withLock } from './lock.mjs';
import { nativesLock } from './natives-lock.mjs';
import { run } from './run.mjs';

const STAMP = join(ROOT, 'dist', '.built');

/** Does nothing when neither the sources nor the dependencies changed since the last time. */
export async function build({ report }) {
  if (current()) return;
  await withLock(`build-${sha256(ROOT).slice(0, 12)}`, report, async () => {
    if (current()) return;
    const key = fingerprint();
    rmSync(STAMP, { force: true });
    removeOrphans();
    report('compiling TypeScript');
    const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
    await run(process.execPath, [tsc, '-p', '.'], { name: 'tsc', cwd: ROOT, seconds: 600 });
    report('bundling the workflows');
    await run(process.execPath, [join(ROOT, 'scripts', 'build-workflows.mjs')], { name: 'bundle the workflows', cwd: ROOT, seconds: 300 });
    writeFileSync(join(ROOT, 'dist', 'natives-lock.json'), JSON.stringify(nativesLock(ROOT), null, 1));
    writeFileSync(STAMP, key);
  });
}

function current() {
  try {
    return readFileSync(STAMP, 'utf8') === fingerprint() && existsSync(join(ROOT, 'dist', 'workflow-bundle.js'));
  } catch {
    return false;
  }
}

function fingerprint() {
  const settings = ['tsconfig.json', 'package.json', 'package-lock.json', 'scripts/build-workflows.mjs'].map((name) => join(ROOT, name));
  const files = [...sources(), ...settings];
  return sha256(files.map((path) => `${relative(ROOT, path)} ${sha256(readFileSync(path))}`).join('\n'));
}

const sources = () => walk(join(ROOT, 'src')).filter((path) => /\.(ts|json)$/.test(path)).sort();

/** What was compiled from a source that is no more, so that nothing can import it by mistake. */
function removeOrphans() {
  if (!existsSync(join(ROOT, 'dist'))) return;
  const wanted = new Set(sources().map((path) => relative(join(ROOT, 'src'), path).replace(/\.(ts|json)$/, '')));
  for (const path of walk(join(ROOT, 'dist'))) {
    const match = /^(.*)\.(js|js\.map|d\.ts)$/.exec(relative(join(ROOT, 'dist'), path));
    if (match && !wanted.has(match[1]) && match[1] !== 'workflow-bundle') rmSync(path);
  }
}

function walk(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}
