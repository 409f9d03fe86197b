import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import { cacheFolder } from '../../scripts/setup/folders.mjs';

/** Runs a script with the packages of a requirements file: JSON in and JSON out. */
export async function python<T>(script: string, input: unknown, requirements: string): Promise<T> {
  const packages = await pythonPackages(requirements);
  return JSON.parse(await execute([script], { PYTHONPATH: packages }, JSON.stringify(input))) as T;
}

/** The packages' folder in Shoal's cache, for PYTHONPATH, filled by the first run on this machine: a folder of its own needs no venv module. */
export async function pythonPackages(requirements: string): Promise<string> {
  const version = (await execute(['-c', 'import sys; print("%d.%d" % sys.version_info[:2])'])).trim();
  const hash = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 12);
  const folder = join(cacheFolder(), `python-${version}-${hash}`);
  if (existsSync(folder)) return folder;

  mkdirSync(dirname(folder), { recursive: true });
  const making = mkdtempSync(`${folder}-`);
  try {
    await execute(['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--target', making, '--requirement', requirements]);
    renameSync(making, folder);
  } catch (error) {
    rmSync(making, { recursive: true, force: true });
    // Another process may have been quicker.
    if (!existsSync(folder)) throw error;
  }
  return folder;
}

export function execute(args: string[], env: NodeJS.ProcessEnv = {}, input = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1', ...env }, maxBuffer: 2 ** 30 };
    const child = execFile('python3', args, options, (error, stdout, stderr) => {
      if (error) reject(new Error(`python3 ${args.join(' ')}: ${stderr || error.message}`));
      else resolve(stdout);
    });
    child.stdin?.end(input);
  });
}
