// What must be on the machine already. What is missing is named with the command that installs it.
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { SetupError } from './error.mjs';
import { run } from './run.mjs';

export function checkNode(version = process.versions.node) {
  const [major, minor] = version.split('.').map(Number);
  if ((major === 20 && minor >= 19) || (major === 22 && minor >= 12)) return;
  throw new SetupError(
    `Node ${version} is not supported: Shoal runs on Node 20 (from 20.19) and Node 22 (from 22.12).`,
    'Install Node 22, for instance with `nvm install 22` or `fnm use 22`, and try again.',
  );
}

export function checkPlatform(platform = process.platform, arch = process.arch) {
  if (!['linux-x64', 'linux-arm64', 'darwin-arm64'].includes(`${platform}-${arch}`)) {
    throw new SetupError(`${platform}-${arch} is not supported.`,
      'TensorFlow and ONNX Runtime come for Linux (x64, arm64) and macOS (arm64).');
  }
  if (platform === 'linux' && process.report.getReport().header.glibcVersionRuntime === undefined) {
    throw new SetupError('This Linux has no glibc (Alpine has musl), which TensorFlow, ONNX Runtime and Temporal are built for.',
      'Use a Debian, Ubuntu, Fedora or similar system or image.');
  }
}

/** The C++ compiler: $CXX, c++, g++ or clang++. */
export function compiler(env = process.env) {
  for (const name of [env.CXX, 'c++', 'g++', 'clang++']) if (name && onPath(name, env)) return name;
  throw new SetupError('No C++ compiler was found (c++, g++, clang++ or $CXX); the bridge between Node and TensorFlow is compiled here.',
    install({ apt: 'g++', dnf: 'gcc-c++', brew: undefined, mac: 'xcode-select --install' }, env));
}

/** A Python 3 with pip, which fetches from PyPI, by the user's own settings. */
export async function python(env = process.env) {
  if (!onPath('python3', env)) {
    throw new SetupError('Python 3 was not found; it fetches what the open internet is needed for otherwise from PyPI.',
      install({ apt: 'python3 python3-pip', dnf: 'python3 python3-pip', brew: 'python' }, env));
  }
  try {
    await run('python3', ['-m', 'pip', '--version'], { name: 'pip', env, seconds: 60 });
  } catch (error) {
    const remedy = install({ apt: 'python3-pip', dnf: 'python3-pip', brew: 'python' }, env);
    throw new SetupError('Python 3 is here, but its pip is not.', remedy, { cause: error });
  }
  return 'python3';
}

export function onPath(command, env = process.env) {
  const places = command.includes('/') ? [''] : (env.PATH ?? '').split(delimiter).filter(Boolean);
  return places.some((place) => {
    const path = place ? join(place, command) : command;
    try {
      accessSync(path, constants.X_OK);
      return statSync(path).isFile();
    } catch {
      return false;
    }
  });
}

/** "Install it with ..." for the package manager of this machine; every one we know when there is none of them. */
export function install({ apt, dnf, brew, mac }, env = process.env, platform = process.platform) {
  if (platform === 'darwin') return `Install it with: ${mac ?? `brew install ${brew}`}`;
  const commands = { 'apt-get': `sudo apt-get install -y ${apt}`, dnf: `sudo dnf install -y ${dnf}` };
  const found = Object.keys(commands).find((name) => onPath(name, env));
  if (found) return `Install it with: ${commands[found]}`;
  return `Install it, for instance with: ${commands['apt-get']} (Debian, Ubuntu) or ${commands.dnf} (Fedora, RHEL)`;
}
