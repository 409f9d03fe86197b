// TensorFlow's C library and headers, which the Node addon is compiled against.
import { mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { ensureEntry, findEntry } from './cache.mjs';
import { download, reachable } from './download.mjs';
import { explain } from './error.mjs';
import { run } from './run.mjs';
import { unpackWheel } from './wheel.mjs';

const PLATFORM = `${process.platform}-${process.arch}`;

/** What @tensorflow/tfjs-node's own install script downloads. Hashes: nixpkgs (mjolnir), and for x64 wamuir/graft as well. */
const ARCHIVES = {
  'linux-x64': {
    version: '2.9.1',
    file: 'tensorflow/libtensorflow/libtensorflow-cpu-linux-x86_64-2.9.1.tar.gz',
    sha256: '7f510d2546e3db5e10b1d119463689003d587842892ad3c95bca51cf82820173',
  },
  'linux-arm64': {
    version: '2.7',
    file: 'tf-builds/libtensorflow_r2_7_linux_arm64.tar.gz',
    sha256: '9395d1ff39f5b6847f5121e679ff4e599dc7061a2a7f87ceac061c78e908e6e3',
  },
  'darwin-arm64': {
    version: '2.7',
    file: 'tf-builds/libtensorflow_r2_7_darwin_arm64_cpu.tar.gz',
    sha256: '13ab22b97e2af06e431aaeb7b42fb89981965dd01aa16da035d8210aa4183d79',
  },
};

/** The same library inside TensorFlow's Python package, for where only registries are reachable. */
const WHEELS = {
  'linux-x64': {
    requirement: 'tensorflow-cpu==2.15.1',
    sha256: '54660c074d7241a503e81edfd9f5ef5af88f64051b72e2945f26318c790f2d26',
    platforms: ['manylinux_2_17_x86_64', 'manylinux2014_x86_64'],
  },
  'linux-arm64': {
    requirement: 'tensorflow-cpu-aws==2.15.1',
    sha256: 'd4c3a3a9363bf42999adedbbd514e3a133be2d62f61fee9cfa46aaefb087c09e',
    platforms: ['manylinux_2_17_aarch64', 'manylinux2014_aarch64'],
  },
  'darwin-arm64': {
    requirement: 'tensorflow-macos==2.15.0',
    sha256: '6933b6a298bcce3b302fa55c6943a2e2caba44601d0e5d0a86cae248fd90da8f',
    platforms: ['macosx_12_0_arm64'],
  },
};

const archiveEntry = (pins) => `libtensorflow/${pins.version}-${PLATFORM}-${pins.sha256.slice(0, 8)}`;
const wheelEntry = (pins) => `libtensorflow/${pins.requirement.replace('==', '-')}-${PLATFORM}-${pins.sha256.slice(0, 8)}`;

/** A folder with `lib/` and `include/`. The ordinary download first; where its host is out of reach, the Python package. */
export async function libtensorflow({ report, note }) {
  const archive = ARCHIVES[PLATFORM];
  const wheel = WHEELS[PLATFORM];
  const cached = (await findEntry(archiveEntry(archive))) ?? (await findEntry(wheelEntry(wheel)));
  if (cached) return cached;

  const host = process.env.TFJS_NODE_CDN_STORAGE ?? 'https://storage.googleapis.com/';
  report('looking for the ordinary download');
  if (await reachable(host)) {
    try {
      const fill = (folder) => unpackArchive(`${host}${archive.file}`, archive, folder, report);
      return await ensureEntry({ name: archiveEntry(archive), megabytes: 1200, report, fill });
    } catch (error) {
      note(`${explain(error)}\nGoing on with PyPI's ${wheel.requirement}.`);
    }
  }
  return ensureEntry({ name: wheelEntry(wheel), megabytes: 1500, report, fill: (folder) => unpackLibrary(wheel, folder, report) });
}

async function unpackArchive(url, { sha256 }, folder, report) {
  const file = join(folder, 'archive.tar.gz');
  await download(url, file, { sha256, report });
  report('unpacking');
  await run('tar', ['-xzf', file, '-C', folder], { name: 'unpack libtensorflow', seconds: 300 });
  rmSync(file);
}

async function unpackLibrary({ requirement, sha256, platforms }, folder, report) {
  const suffix = process.platform === 'darwin' ? '2.dylib' : 'so.2';
  const libraries = [`libtensorflow_cc.${suffix}`, `libtensorflow_framework.${suffix}`];
  await unpackWheel({
    requirement,
    sha256,
    tags: ['--python-version', '3.11', ...platforms.flatMap((platform) => ['--platform', platform])],
    prefixes: [
      ...libraries.map((name) => `tensorflow/${name}`),
      ...['tensorflow/c', 'tensorflow/core/platform', 'tsl'].map((name) => `tensorflow/include/${name}/`),
    ],
    folder,
    report,
  });
  mkdirSync(join(folder, 'lib'));
  for (const name of libraries) renameSync(join(folder, 'tensorflow', name), join(folder, 'lib', name));
  renameSync(join(folder, 'tensorflow', 'include'), join(folder, 'include'));
  rmSync(join(folder, 'tensorflow'), { recursive: true });
  // The names that the linker asks for. The C++ library holds the C interface as well.
  const plain = process.platform === 'darwin' ? 'dylib' : 'so';
  symlinkSync(libraries[0], join(folder, 'lib', `libtensorflow.${plain}`));
  symlinkSync(libraries[1], join(folder, 'lib', `libtensorflow_framework.${plain}`));
}
