import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installed } from '../../scripts/setup/dependencies.mjs';
import { nativesLock } from '../../scripts/setup/natives-lock.mjs';

const ROOT = join(__dirname, '..', '..');

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'shoal-root-'));
  mkdirSync(join(root, 'node_modules', 'direct'), { recursive: true });
  writeFileSync(join(root, 'node_modules', 'direct', 'package.json'), '{}');
});
afterEach(() => rmSync(root, { recursive: true }));

const WANTED = {
  '': { dependencies: { direct: '1.0.0' } },
  'node_modules/direct': { version: '1.0.0', integrity: 'sha512-x' },
  'node_modules/direct/node_modules/inner': { version: '2.0.0', integrity: 'sha512-y' },
  'node_modules/only-on-mac': { version: '3.0.0', integrity: 'sha512-z', optional: true },
};
const { 'node_modules/only-on-mac': _absent, ...FOUND } = WANTED;

function write(found: object | undefined, wanted: object = WANTED) {
  writeFileSync(join(root, 'package-lock.json'), JSON.stringify({ packages: wanted }));
  if (found) writeFileSync(join(root, 'node_modules', '.package-lock.json'), JSON.stringify({ packages: found }));
}

test('what npm recorded as installed is what the lock file wants', () => {
  write(FOUND);
  expect(installed(root)).toBe(true);
});

test('a node_modules that npm did not finish, or that lost a package, is not installed', () => {
  write(undefined);
  expect(installed(root)).toBe(false);
  write(FOUND);
  rmSync(join(root, 'node_modules', 'direct'), { recursive: true });
  expect(installed(root)).toBe(false);
});

test('a changed version, a changed hash or a new package asks for an installation', () => {
  write(FOUND, { ...WANTED, 'node_modules/direct': { version: '1.0.1', integrity: 'sha512-x' } });
  expect(installed(root)).toBe(false);
  write(FOUND, { ...WANTED, 'node_modules/direct': { version: '1.0.0', integrity: 'sha512-other' } });
  expect(installed(root)).toBe(false);
  write(FOUND, { ...WANTED, 'node_modules/new': { version: '1.0.0' } });
  expect(installed(root)).toBe(false);
});

test('an optional package that we name must be there', () => {
  const named = { ...WANTED, '': { dependencies: { direct: '1.0.0' }, optionalDependencies: { 'only-on-mac': '3.0.0' } } };
  write(FOUND, named);
  expect(installed(root)).toBe(false);
});

test('the lock of the native packages is closed: each dependency it names, it has', () => {
  const { packages } = nativesLock(ROOT);
  const own = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { optionalDependencies: Record<string, string> };
  for (const [name, version] of Object.entries(own.optionalDependencies)) expect(packages[`node_modules/${name}`]?.version).toBe(version);
  for (const [path, { integrity, dependencies }] of Object.entries(packages)) {
    if (path !== '') expect(integrity).toMatch(/^sha512-/);
    for (const name of Object.keys(dependencies ?? {})) {
      const parts = path.split('/node_modules/');
      const places = parts.map((_, index) => [...parts.slice(0, parts.length - index), name].join('/node_modules/'));
      expect([...places, `node_modules/${name}`].some((place) => place in packages)).toBe(true);
    }
  }
  expect(Object.keys(packages).length).toBeGreaterThan(50);
  expect(packages['node_modules/jest']).toBeUndefined();
});
