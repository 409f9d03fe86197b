import { fork } from 'node:child_process';
import path from 'node:path';
import { packageRoot } from '../packageInfo';

export interface OwnProcess<Message> {
  /** In dist/workers. */
  script: string;
  /** What it is to do: its first message. */
  order: object;
  env?: NodeJS.ProcessEnv;
  /** Ends it at once. */
  signal: AbortSignal;
  onMessage(message: Message): void;
}

/** How a process ended, and the last that it wrote to standard error. */
export interface Ending { code: number | null; killedBy: NodeJS.Signals | null; said: string }

const KEPT_OUTPUT = 2_000;

/** Gives an order to a process of its own, which ends with this one. Rejects only when there could be none. */
export function runProcess<Message>({ script, order, env, signal, onMessage }: OwnProcess<Message>): Promise<Ending> {
  return new Promise((resolve, reject) => {
    const child = fork(path.join(packageRoot, 'dist/workers', script), { env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    let said = '';
    child.stderr!.on('data', (chunk: Buffer) => { said = (said + chunk.toString()).slice(-KEPT_OUTPUT); });
    const abort = () => child.kill('SIGKILL');
    signal.addEventListener('abort', abort, { once: true });
    child.on('message', onMessage);
    child.on('error', reject);
    child.on('exit', (code, killedBy) => {
      signal.removeEventListener('abort', abort);
      resolve({ code, killedBy, said: said.trim() });
    });
    if (signal.aborted) abort();
    child.send(order);
  });
}

export const endedBy = ({ code, killedBy }: Ending): string => String(killedBy ?? `status ${code}`);
