import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { isThere, until } from '../support/server';
import { ROOT, type Block } from './pages';

/**
 * `npx shoal` is what was built. What stays up in a terminal of its own (`up`, `worker`) goes on in the background, and the next command
 * comes when it is ready.
 */
const NPX = (bin: string) => `#!/bin/bash
shift
shoal() { "${process.execPath}" "${path.join(ROOT, 'dist/cli/main.js')}" "$@"; }
case "$1" in
  up) ready='stay up until Ctrl-C'; set -- "$@" --stay ;;
  worker) ready='RUNNING' ;;
  *) shoal "$@"; exit $? ;;
esac
log="${bin}/$1-$2.log"
"${process.execPath}" "${path.join(ROOT, 'dist/cli/main.js')}" "$@" >"$log" 2>&1 </dev/null &
echo $! > "${bin}/$1-$2.pid"
until grep -q "$ready" "$log"; do
  kill -0 $! 2>/dev/null || { cat "$log" >&2; exit 1; }
  sleep 0.2
done
cat "$log"
`;

/** A folder in which the commands of pages are run, as in a terminal of a person who has installed the package there. */
export class Shell {
  readonly folder = mkdtempSync(path.join(os.tmpdir(), 'shoal-docs-'));
  private readonly bin = mkdtempSync(path.join(os.tmpdir(), 'shoal-bin-'));

  constructor(private readonly environment: Record<string, string>, private readonly spelled: Record<string, string> = {}) {
    mkdirSync(path.join(this.folder, 'node_modules'));
    symlinkSync(ROOT, path.join(this.folder, 'node_modules/shoal'));
    writeFileSync(path.join(this.bin, 'npx'), NPX(this.bin));
    chmodSync(path.join(this.bin, 'npx'), 0o755);
  }

  write(name: string, text: string): void {
    const file = path.join(this.folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
  }

  /** What it printed. Throws when any of its commands fails. */
  run({ text, page, line }: Pick<Block, 'text' | 'page' | 'line'>): Promise<string> {
    const commands = Object.entries(this.spelled).reduce((all, [from, to]) => all.replaceAll(from, to), text);
    const child = spawn('bash', ['-euo', 'pipefail', '-c', commands], {
      cwd: this.folder, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...this.environment, PATH: `${this.bin}${path.delimiter}${process.env.PATH}` },
    });
    const said: string[] = [];
    child.stdout.on('data', (chunk: Buffer) => said.push(chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => said.push(chunk.toString()));
    return new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('exit', (status) => (status === 0 ? resolve(said.join('')) : reject(new Error(`${page}:${line} ended with ${status}:\n${text}\n${said.join('')}`))));
    });
  }

  async close(): Promise<void> {
    const pids = readdirSync(this.bin).filter((name) => name.endsWith('.pid')).map((name) => Number(readFileSync(path.join(this.bin, name), 'utf8')));
    for (const pid of pids) if (isThere(pid)) process.kill(pid, 'SIGTERM');
    await until(() => !pids.some(isThere), { timeoutMs: 30_000 });
    for (const folder of [this.folder, this.bin]) if (existsSync(folder)) rmSync(folder, { recursive: true, force: true });
  }
}
