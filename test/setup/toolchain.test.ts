import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkNode, checkPlatform, compiler, python } from '../../scripts/setup/toolchain.mjs';

let bin: string;
beforeEach(() => {
  bin = mkdtempSync(join(tmpdir(), 'shoal-bin-'));
});
afterEach(() => rmSync(bin, { recursive: true }));

function command(name: string, script = 'exit 0') {
  writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(bin, name), 0o755);
}

test.each(['20.19.0', '20.20.2', '22.12.0', '22.99.1'])('Node %s is supported', (version) => {
  expect(() => checkNode(version)).not.toThrow();
});

test.each(['18.20.4', '20.18.3', '21.7.0', '22.11.0', '23.0.0', '24.1.0'])('Node %s is refused, naming what is not', (version) => {
  const supported = 'Shoal runs on Node 20 (from 20.19) and Node 22 (from 22.12).';
  expect(() => checkNode(version)).toThrow(`Node ${version} is not supported: ${supported}`);
});

test('a platform without native packages is refused', () => {
  expect(() => checkPlatform('win32', 'x64')).toThrow('win32-x64 is not supported');
  expect(() => checkPlatform('darwin', 'x64')).toThrow('darwin-x64 is not supported');
});

test('a missing compiler is named with the command that installs it here', () => {
  expect(() => compiler({ PATH: bin })).toThrow(expect.objectContaining({
    message: expect.stringContaining('No C++ compiler'),
    remedy: expect.stringMatching(/Install it.*(apt-get install -y g\+\+.*dnf install -y gcc-c\+\+|xcode-select)/),
  }));
  if (process.platform === 'darwin') return;
  command('dnf');
  expect(() => compiler({ PATH: bin })).toThrow(expect.objectContaining({ remedy: 'Install it with: sudo dnf install -y gcc-c++' }));
  command('apt-get');
  expect(() => compiler({ PATH: bin })).toThrow(expect.objectContaining({ remedy: 'Install it with: sudo apt-get install -y g++' }));
});

test('the compiler is $CXX, else the first one on the path', () => {
  command('clang++');
  expect(compiler({ PATH: bin })).toBe('clang++');
  command('g++');
  expect(compiler({ PATH: bin })).toBe('g++');
  command('my-compiler');
  expect(compiler({ PATH: bin, CXX: 'my-compiler' })).toBe('my-compiler');
});

test('a missing Python and a Python without pip are told apart', async () => {
  await expect(python({ PATH: bin })).rejects.toThrow('Python 3 was not found');
  command('python3', 'echo No module named pip >&2; exit 1');
  await expect(python({ PATH: bin })).rejects.toThrow('Python 3 is here, but its pip is not.');
  command('python3');
  await expect(python({ PATH: bin })).resolves.toBe('python3');
});
