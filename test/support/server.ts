import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { startServer, type RunningServer } from '../../src/cli/server';

/** Far from the usual ports, and apart from those of other test processes. */
const FIRST_PORT = 17_300 + (process.pid % 400) * 20;
/** So that a server that is down for a moment finds its ports free when it comes back, and no other has answered there meanwhile. */
const PORTS_EACH = 4;
let started = 0;

/**
 * A Temporal server of its own, its database on disk, with a few namespaces: projects in different ones know nothing of
 * each other, so that one server does for a test file.
 */
export class TestServer {
  private running: RunningServer | undefined;
  private port = FIRST_PORT + PORTS_EACH * started++;
  private handedOut = 0;

  private constructor(private readonly folder: string, private readonly options: { namespaces: number; settings: Record<string, string> }) {}

  /** @param options.settings of the server's dynamic configuration */
  static async start({ namespaces = 20, settings = {} }: { namespaces?: number; settings?: Record<string, string> } = {}): Promise<TestServer> {
    const server = new TestServer(mkdtempSync(path.join(os.tmpdir(), 'shoal-server-')), { namespaces, settings });
    await server.restart();
    return server;
  }

  get address(): string {
    return this.running!.address;
  }

  /** Where its UI is. */
  get ui(): string {
    return this.running!.ui;
  }

  /** One that nobody has used. */
  namespace(): string {
    if (this.handedOut === this.options.namespaces) throw new Error('Every namespace is in use: start the server with more.');
    return `ns${++this.handedOut}`;
  }

  /** Starts it, on the database and the port it had. */
  async restart(): Promise<void> {
    const { namespaces, settings } = this.options;
    this.running = await startServer(path.join(this.folder, 'temporal.yaml'), {
      namespace: 'default',
      firstPort: this.port,
      extraArguments: [
        ...Array.from({ length: namespaces }, (_, i) => ['--namespace', `ns${i + 1}`]).flat(),
        ...Object.entries(settings).flatMap(([name, value]) => ['--dynamic-config-value', `${name}=${value}`]),
      ],
    });
    this.port = Number(this.address.split(':')[1]);
  }

  async kill(): Promise<void> {
    process.kill(this.running!.pid, 'SIGKILL');
    await until(() => !isThere(this.running!.pid));
  }

  async stop(): Promise<void> {
    await this.running?.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

export async function until(condition: () => boolean | Promise<boolean>, { everyMs = 50, timeoutMs = 60_000 } = {}): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`This did not become true within ${timeoutMs / 1000} s: ${String(condition)}`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
