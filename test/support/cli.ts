import { spawn } from 'node:child_process';
import path from 'node:path';

const DIST = path.resolve(__dirname, '../../dist');

export interface Ended { status: number | null; stdout: string; stderr: string; seconds: number; /** What it said on standard output; by default of an error. */ json<T = Refusal>(): T }
export interface Refusal { error: { code: string; message: string; details: Record<string, unknown> } }

/** Runs `shoal` in a process of its own, as it was built. */
export const shoal = (args: string[], options: RunOptions = {}): Promise<Ended> => runNode([path.join(DIST, 'cli/main.js'), ...args], options);

export const worker = (args: string[], options: RunOptions = {}): Promise<Ended> => runNode([path.join(DIST, 'workers/main.js'), ...args], options);

interface RunOptions { cwd?: string; env?: Record<string, string>; input?: string; onStart?(pid: number): void }

function runNode(args: string[], { cwd, env, input, onStart }: RunOptions): Promise<Ended> {
  const started = Date.now();
  const child = spawn(process.execPath, args, { cwd, env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
  onStart?.(child.pid!);
  const said = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => { said.stdout += chunk.toString(); });
  child.stderr.on('data', (chunk: Buffer) => { said.stderr += chunk.toString(); });
  child.stdin.on('error', () => undefined);
  child.stdin.end(input ?? '');
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, ...said, seconds: (Date.now() - started) / 1000, json: () => JSON.parse(said.stdout) }));
  });
}
