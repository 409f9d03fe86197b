// The native packages: in the checkout's node_modules, or, for a project that depends on Shoal, in the cache.
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { removeIfCorrupt } from './cache.mjs';
import { SetupError } from './error.mjs';
import { nativesFolder, nativeVersions, ROOT } from './folders.mjs';
import { sha256 } from './hash.mjs';
import { withLock } from './lock.mjs';
import { npmCi } from './npm.mjs';
import { run } from './run.mjs';
import { linkTensorflow } from './tensorflow.mjs';

const TENSORFLOW = '@tensorflow/tfjs-node';
const ONNX_RUNTIME = 'onnxruntime-node';

/** Makes both packages load and compute, wherever they are; proven in a process of its own, once per Node version and addon. */
export async function setUpNatives({ report, note }) {
  const installed = packageFolder(ROOT, TENSORFLOW) && packageFolder(ROOT, ONNX_RUNTIME) ? ROOT : undefined;
  if (installed && proven(installed)) return;
  // npm made this choice: it drops an optional package whose install script failed. A package that is there but broken is mended.
  const folder = installed ?? nativesFolder();
  await withLock(`natives-${sha256(folder).slice(0, 12)}`, report, async () => {
    if (!installed) await installApart(folder, report);
    if (proven(folder)) return;
    try {
      await mend(folder, { report, note });
    } catch (error) {
      // What we installed apart and does not work is no use: the next try starts afresh.
      if (!installed) rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  });
}

async function mend(folder, { report, note }) {
  const tensorflow = packageFolder(folder, TENSORFLOW);
  if (hasAddon(tensorflow) && (await works(folder, report))) return;
  for (;;) {
    const entries = await linkTensorflow(tensorflow, { report, note });
    try {
      await prove(folder, report);
      return;
    } catch (error) {
      report('looking for damage in the cache');
      const damaged = await Promise.all(entries.map(removeIfCorrupt));
      if (!damaged.includes(true)) throw error;
      note('A file in the cache was damaged: it is made again.');
    }
  }
}

/** The finished folder is a rename away from the unfinished one, so that it is whole or absent. */
async function installApart(folder, report) {
  if (existsSync(join(folder, 'node_modules'))) return;
  const lock = join(ROOT, 'dist', 'natives-lock.json');
  if (!existsSync(lock)) throw new SetupError(`${lock} is missing.`, 'Install the package again.');
  const making = `${folder}.making-${process.pid}`;
  rmSync(making, { recursive: true, force: true });
  mkdirSync(making, { recursive: true });
  try {
    const text = readFileSync(lock, 'utf8');
    const { name, packages } = JSON.parse(text);
    writeFileSync(join(making, 'package.json'), JSON.stringify({ name, private: true, dependencies: packages[''].dependencies }));
    writeFileSync(join(making, 'package-lock.json'), text);
    await npmCi(making, report);
    rmSync(folder, { recursive: true, force: true });
    renameSync(making, folder);
  } finally {
    rmSync(making, { recursive: true, force: true });
  }
}

const PROOF = `
process.env.TF_CPP_MIN_LOG_LEVEL = '2';
const load = require('node:module').createRequire(process.argv[1]);
const tf = load('${TENSORFLOW}');
const product = Array.from(tf.matMul(tf.tensor2d([[1, 2], [3, 4]]), tf.tensor2d([[5, 6], [7, 8]])).dataSync());
if (tf.getBackend() !== 'tensorflow' || product.join() !== '19,22,43,50') throw new Error('TensorFlow answers ' + product);
const ort = load('${ONNX_RUNTIME}');
if (new ort.Tensor('float32', Float32Array.of(1, 2), [2]).size !== 2) throw new Error('ONNX Runtime makes no tensors');
`;

/** Both in one process, as they are used. */
async function prove(folder, report) {
  report('multiplying two matrices');
  await run(process.execPath, ['-e', PROOF, join(folder, 'package.json')], {
    name: 'load TensorFlow and ONNX Runtime',
    seconds: 120,
    remedy: 'If the system is older than both packages ask for (glibc 2.28), use a newer one.',
  });
  writeFileSync(stamp(folder), JSON.stringify(fingerprint(folder)));
}

const works = (folder, report) => prove(folder, report).then(() => true, () => false);

function proven(folder) {
  try {
    return readFileSync(stamp(folder), 'utf8') === JSON.stringify(fingerprint(folder));
  } catch {
    return false;
  }
}

const stamp = (folder) => join(dirname(dirname(packageFolder(folder, TENSORFLOW))), '.shoal-natives.json');

function fingerprint(folder) {
  const { size, mtimeMs } = statSync(addonPath(packageFolder(folder, TENSORFLOW)));
  return { node: process.version, arch: process.arch, versions: nativeVersions(), addon: { size, mtimeMs } };
}

function hasAddon(folder) {
  try {
    return existsSync(addonPath(folder));
  } catch {
    return false;
  }
}

/** As the package itself looks for it. */
function addonPath(folder) {
  const { napi_versions: supported } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).binary;
  const napi = supported.filter((version) => version <= Number(process.versions.napi)).at(-1);
  return join(folder, 'lib', `napi-v${napi}`, 'tfjs_binding.node');
}

function packageFolder(from, name) {
  try {
    return dirname(createRequire(join(from, 'package.json')).resolve(`${name}/package.json`));
  } catch {
    return undefined;
  }
}
