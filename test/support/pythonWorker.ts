import { spawn, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import { pythonPackages } from './python';

export const EXAMPLE = path.resolve(__dirname, '../../examples/python-trainer');
export const REQUIREMENTS = path.join(EXAMPLE, 'requirements.txt');

/** The example's Python worker, in a process of its own, once it waits for trainings. */
export class PythonWorker {
  private constructor(private readonly child: ChildProcess) {}

  static async start(options: { address: string; namespace: string }): Promise<PythonWorker> {
    const child = spawn('python3', ['trainer.py', '--address', options.address, '--namespace', options.namespace], {
      cwd: EXAMPLE, env: { ...process.env, PYTHONPATH: await pythonPackages(REQUIREMENTS), PYTHONDONTWRITEBYTECODE: '1' }, stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => { said = (said + chunk.toString()).slice(-4_000); });
    await new Promise<void>((resolve, reject) => {
      child.stdout.on('data', (chunk: Buffer) => { if (chunk.toString().includes('Waiting for trainings')) resolve(); });
      child.once('error', reject);
      child.once('exit', (status) => reject(new Error(`the Python worker ended with status ${status}: ${said}`)));
    });
    return new PythonWorker(child);
  }

  async stop(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill(signal);
    await ended;
  }
}
