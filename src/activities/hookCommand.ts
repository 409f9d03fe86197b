import { spawn, type ChildProcess } from 'node:child_process';
import type { ShoalEvent } from '../domain/events';
import type { CommandHookSpec } from '../domain/hooks';
import type { Reply } from './webhook';

const KEPT_OUTPUT = 1_000;

/**
 * Runs a hook's command: the event as JSON on standard input, its parts in SHOAL_EVENT_*. Status 0 is a delivery. It is a process group of its own,
 * which ends as a whole when its time is up.
 */
export function runHookCommand({ command, folder, timeoutMs }: CommandHookSpec, event: ShoalEvent, { signal }: { signal: AbortSignal }): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const [program, ...args] = command;
    const child = spawn(program!, args, { cwd: folder, env: { ...process.env, ...variables(event) }, stdio: ['pipe', 'pipe', 'pipe'], detached: true });
    let said = '';
    let late = false;
    const hear = (chunk: Buffer) => { said = (said + chunk.toString()).slice(-KEPT_OUTPUT); };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    // One that reads nothing is as good.
    child.stdin.on('error', () => undefined);
    child.stdin.end(JSON.stringify(event));

    const abort = () => killGroup(child);
    const timer = setTimeout(() => { late = true; abort(); }, timeoutMs);
    signal.addEventListener('abort', abort, { once: true });
    const done = (): string => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      return said.trim() === '' ? '' : ` It said: ${said.trim()}`;
    };
    child.once('error', (error: NodeJS.ErrnoException) => {
      done();
      resolve({ delivered: false, reason: error.code === 'ENOENT' ? `There is no program ${program}, or no folder ${folder}.` : `${program} can't be run: ${error.code ?? error.message}.` });
    });
    // What it left running may hold its output open: its own end counts.
    child.once('exit', (code, killedBy) => setImmediate(() => {
      const output = done();
      child.stdout.destroy();
      child.stderr.destroy();
      if (signal.aborted) return reject(signal.reason as Error);
      if (late) return resolve({ delivered: false, reason: `${program} was ended: it took more than ${timeoutMs} ms.${output}` });
      if (code === 0) return resolve({ delivered: true, note: 'ended with status 0' });
      resolve({ delivered: false, reason: `${program} ended by ${killedBy ?? `status ${code}`}.${output}` });
    }));
    if (signal.aborted) abort();
  });
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    child.kill('SIGKILL');
  }
}

function variables({ id, type, at, model, chain, version, release, reason }: ShoalEvent): Record<string, string> {
  const all = { ID: id, TYPE: type, AT: at, MODEL: model, CHAIN: chain, VERSION: version, RELEASE: release, REASON: reason };
  return Object.fromEntries(Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [[`SHOAL_EVENT_${name}`, String(value).replaceAll('\0', '')]])));
}
