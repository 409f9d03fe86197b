import { fork, type ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import path from 'node:path';
import { stateFolder } from '../client/connect';
import { ShoalError, type ErrorCode } from '../domain/errors';
import type { ProjectSpec } from '../domain/spec';
import { packageRoot } from '../packageInfo';

const RESTART_MS = 1_000;

export interface WorkerProcesses { stop(): Promise<void> }

/**
 * One process for each worker of the project, its log in .shoal/logs/<worker>.log. A worker that dies is started again;
 * what it was doing goes on from where Temporal knows it to be.
 */
export async function startWorkers(project: ProjectSpec, projectFile: string, address: string | undefined): Promise<WorkerProcesses> {
  const folder = path.join(stateFolder(projectFile), 'logs');
  mkdirSync(folder, { recursive: true });
  const children = new Map<string, ChildProcess>();
  let stopping = false;

  const start = (name: string) => new Promise<void>((resolve, reject) => {
    const log = path.join(folder, `${name}.log`);
    const out = openSync(log, 'a');
    const child = fork(path.join(packageRoot, 'dist/workers/main.js'), ['--project', projectFile, '--worker', name, ...(address ? ['--address', address] : [])], {
      stdio: ['ignore', out, out, 'ipc'], detached: true, env: process.env,
    });
    closeSync(out);
    children.set(name, child);
    child.on('message', (message: { type: 'ready' } | { type: 'failed'; code: ErrorCode; message: string }) => {
      if (message.type === 'ready') resolve();
      else reject(new ShoalError(message.code, `The worker "${name}" could not start: ${message.message}`, { details: { log } }));
    });
    child.once('exit', (code, signal) => {
      children.delete(name);
      reject(new ShoalError('SERVER_UNREACHABLE', `The worker "${name}" ended by ${signal ?? `status ${code}`}.`, { remedy: `See ${log}.`, details: { log } }));
      if (!stopping) setTimeout(() => { if (!stopping) start(name).catch(() => undefined); }, RESTART_MS);
    });
  });

  const stop = async () => {
    stopping = true;
    await Promise.all([...children.values()].map((child) => new Promise<void>((resolve) => {
      child.once('exit', () => resolve());
      child.kill('SIGTERM');
      setTimeout(() => child.kill('SIGKILL'), 10_000).unref();
    })));
  };

  try {
    await Promise.all(project.workers.map((worker) => start(worker.name)));
  } catch (error) {
    await stop();
    throw error;
  }
  return { stop };
}
