// Where set-up keeps what it fetches and builds: outside the checkout, shared by all checkouts of this user.
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder that holds package.json: the checkout, or the installed package. */
export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..');

export function cacheFolder(env = process.env, platform = process.platform) {
  if (env.SHOAL_CACHE) return resolve(env.SHOAL_CACHE);
  if (env.XDG_CACHE_HOME) return join(resolve(env.XDG_CACHE_HOME), 'shoal');
  const home = env.HOME || homedir();
  return platform === 'darwin' ? join(home, 'Library', 'Caches', 'shoal') : join(home, '.cache', 'shoal');
}

/** The native packages, exactly as package.json pins them: {'@tensorflow/tfjs-node': '4.22.0', ...}. */
export function nativeVersions() {
  return JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).optionalDependencies;
}

/**
 * A folder with a node_modules of its own for the native packages, for where npm left them out: it removes an optional package
 * whose install script fails, and both of ours download from hosts that a firewall may not let through.
 */
export function nativesFolder() {
  const versions = nativeVersions();
  const name = `tfjs-node-${versions['@tensorflow/tfjs-node']}-onnxruntime-node-${versions['onnxruntime-node']}`;
  return join(cacheFolder(), 'natives', `${name}-${process.platform}-${process.arch}`);
}
