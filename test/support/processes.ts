import { fork, type ChildProcess } from 'node:child_process';
import path from 'node:path';

/** Runs a worker of a project in a process of its own, and again whenever it is killed, until stopped. */
export class KeptWorker {
  private child: ChildProcess | undefined;
  private stopped = false;
  deaths = 0;
  /** Why it ended, when nobody killed it. */
  fault: string | undefined;

  constructor(private readonly options: { projectFile: string; address: string; env?: Record<string, string> }) {}

  async start(): Promise<void> {
    const { projectFile, address, env } = this.options;
    const child = fork(path.join(__dirname, 'faultyWorker.cjs'), [projectFile, address], { env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    this.child = child;
    child.once('exit', (code, signal) => {
      if (this.stopped) return;
      if (signal !== 'SIGKILL') {
        this.fault = `the worker ended by itself: ${signal ?? `status ${code}`}`;
        return;
      }
      this.deaths++;
      void this.start();
    });
    await new Promise<void>((resolve) => {
      child.once('message', () => resolve());
      child.once('exit', () => resolve());
    });
  }

  get pid(): number {
    return this.child!.pid!;
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
