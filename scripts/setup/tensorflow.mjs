// TensorFlow.js' native addon: compiled once per version into the cache, and linked into the package.
import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { ensureEntry } from './cache.mjs';
import { libtensorflow } from './libtensorflow.mjs';
import { run } from './run.mjs';
import { compiler } from './toolchain.mjs';

/**
 * Gives the package in `folder` its addon and library. They are links into the cache, so that a wiped node_modules costs nothing.
 * Answers with the cache's folders, for a closer look when the result does not work.
 */
export async function linkTensorflow(folder, { report, note }) {
  const { version, binary } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const napi = binary.napi_versions.filter((supported) => supported <= Number(process.versions.napi)).at(-1);
  const library = await libtensorflow({ report, note });
  const addon = await ensureEntry({
    name: `tfjs-node/${version}-napi${napi}-${basename(library)}`,
    megabytes: 50,
    report,
    fill: (making) => compile({ source: folder, library, napi, making, report }),
  });
  link(join(addon, 'lib'), join(folder, 'lib'));
  link(library, join(folder, 'deps'));
  return [library, addon];
}

/**
 * The two source files, compiled directly: no node-gyp, and so no download of Node's headers; the ones of the stable Node-API are
 * a small package. The addon finds its library from its own place, which is two folders below the package's or the entry's.
 */
async function compile({ source, library, napi, making, report }) {
  report('compiling the addon');
  const headers = createRequire(import.meta.url)('node-api-headers').include_dir;
  const output = join(making, 'lib', `napi-v${napi}`, 'tfjs_binding.node');
  mkdirSync(dirname(output), { recursive: true });
  const mac = process.platform === 'darwin';
  await run(compiler(), [
    '-shared', '-fPIC', '-O2', '-std=c++17', ...(mac ? ['-undefined', 'dynamic_lookup'] : []),
    `-DNAPI_VERSION=${napi}`, '-DNODE_GYP_MODULE_NAME=tfjs_binding', '-DBUILDING_NODE_EXTENSION',
    '-I', headers, '-I', join(library, 'include'), '-I', source,
    join(source, 'binding', 'tfjs_backend.cc'), join(source, 'binding', 'tfjs_binding.cc'),
    '-o', output, '-L', join(library, 'lib'), '-ltensorflow', '-ltensorflow_framework',
    `-Wl,-rpath,${mac ? '@loader_path' : '$ORIGIN'}/../../deps/lib`,
  ], { name: 'compile the TensorFlow addon', seconds: 600, remedy: 'Is the C++ standard library installed, with its headers?' });
  symlinkSync(join('..', '..', 'libtensorflow', basename(library)), join(making, 'deps'));
}

function link(target, path) {
  const making = `${path}.${process.pid}`;
  rmSync(making, { recursive: true, force: true });
  symlinkSync(target, making);
  rmSync(path, { recursive: true, force: true });
  renameSync(making, path);
}
