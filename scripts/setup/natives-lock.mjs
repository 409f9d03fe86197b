import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** @tensorflow/tfjs imports it without saying so, and finds it where other packages of ours bring it along. */
const UNDECLARED = ['long'];

/** The part of package-lock.json that the native packages need, as a lock file of its own. */
export function nativesLock(root) {
  const { lockfileVersion, packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const dependencies = { ...packages[''].optionalDependencies };
  for (const name of UNDECLARED) dependencies[name] = packages[`node_modules/${name}`].version;
  const kept = { '': { name: 'shoal-natives', dependencies } };
  const visit = (from, name) => {
    const path = resolve(packages, from, name);
    if (path === undefined || kept[path]) return;
    const { optional: _optional, dev: _dev, devOptional: _devOptional, ...entry } = packages[path];
    kept[path] = entry;
    for (const next of Object.keys({ ...entry.dependencies, ...entry.optionalDependencies })) visit(path, next);
  };
  for (const name of Object.keys(dependencies)) visit('', name);
  return { name: 'shoal-natives', lockfileVersion, requires: true, packages: kept };
}

/** As Node resolves: the nearest node_modules upwards. */
function resolve(packages, from, name) {
  for (let place = from; ; place = place.slice(0, Math.max(0, place.lastIndexOf('/node_modules/')))) {
    const path = `${place ? `${place}/` : ''}node_modules/${name}`;
    if (packages[path]) return path;
    if (place === '') return undefined;
  }
}
