import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import { cacheFolder } from '../../../scripts/setup/folders.mjs';

const REQUIREMENTS = join(__dirname, 'requirements.txt');

/** Runs a script with the packages of requirements.txt, JSON in and JSON out. */
export async function python<T>(script: string, input: unknown): Promise<T> {
  const packages = await installed();
  return JSON.parse(await execute([join(__dirname, script)], { PYTHONPATH: packages }, JSON.stringify(input))) as T;
}

/** The packages' folder in Shoal's cache, filled by the first run on this machine: a folder of its own needs no venv module. */
async function installed(): Promise<string> {
  const version = (await execute(['-c', 'import sys; print("%d.%d" % sys.version_info[:2])'])).trim();
  const hash = createHash('sha256').update(readFileSync(REQUIREMENTS)).digest('hex').slice(0, 12);
  const folder = join(cacheFolder(), `python-${version}-${hash}`);
  if (existsSync(folder)) return folder;

  mkdirSync(dirname(folder), { recursive: true });
  const making = mkdtempSync(`${folder}-`);
  try {
    await execute(['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--target', making, '--requirement', REQUIREMENTS]);
    renameSync(making, folder);
  } catch (error) {
    rmSync(making, { recursive: true, force: true });
    // Another process may have been quicker.
    if (!existsSync(folder)) throw error;
  }
  return folder;
}

function execute(args: string[], env: NodeJS.ProcessEnv = {}, input = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { env: { ...process.env, ...env }, maxBuffer: 2 ** 30 };
    const child = execFile('python3', args, options, (error, stdout, stderr) => {
      if (error) reject(new Error(`python3 ${args.join(' ')}: ${stderr || error.message}`));
      else resolve(stdout);
    });
    child.stdin?.end(input);
  });
}
