import { fork, type ChildProcess } from 'node:child_process';
import path from 'node:path';

/** Runs a worker of a project in a process of its own, and again whenever it is killed, until stopped. */
export class KeptWorker {
  private child: ChildProcess | undefined;
  private stopped = false;
  deaths = 0;

  constructor(private readonly options: { projectFile: string; address: string; env?: Record<string, string> }) {}

  async start(): Promise<void> {
    const { projectFile, address, env } = this.options;
    const child = fork(path.join(__dirname, 'faultyWorker.cjs'), [projectFile, address], { env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    this.child = child;
    child.once('exit', (_code, signal) => {
      if (this.stopped) return;
      if (signal !== 'SIGKILL') throw new Error(`the worker ended by itself: ${signal ?? _code}`);
      this.deaths++;
      void this.start();
    });
    await new Promise<void>((resolve) => child.once('message', () => resolve()));
  }

  kill(): void {
    this.child?.kill('SIGKILL');
  }

  async stop(): Promise<void> {
    this.stopped = true;
    const child = this.child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }
}
