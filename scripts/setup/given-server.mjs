import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * The Temporal server that the user named, by TEMPORAL_ADDRESS or in Temporal's configuration file, as far as set-up needs to know:
 * then none has to be fetched. Connecting to it is the client's business, which reads the file properly.
 */
export function givenServer(env = process.env, platform = process.platform) {
  if (env.TEMPORAL_ADDRESS) return { address: env.TEMPORAL_ADDRESS, from: 'TEMPORAL_ADDRESS' };
  const path = env.TEMPORAL_CONFIG_FILE || join(configFolder(env, platform), 'temporalio', 'temporal.toml');
  let text;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
  let inProfile = false;
  for (const line of text.split(/\r?\n/)) {
    const section = /^\s*\[\s*profile\s*\.\s*["']?([^"'\]]+?)["']?\s*\]/.exec(line);
    if (section) inProfile = section[1] === (env.TEMPORAL_PROFILE || 'default');
    else if (/^\s*\[/.test(line)) inProfile = false;
    const address = /^\s*address\s*=\s*["']([^"']+)["']/.exec(line);
    if (inProfile && address) return { address: address[1], from: path };
  }
  return undefined;
}

function configFolder(env, platform) {
  const home = env.HOME || homedir();
  if (platform === 'darwin') return join(home, 'Library', 'Application Support');
  return env.XDG_CONFIG_HOME || join(home, '.config');
}
