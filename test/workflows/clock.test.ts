import type { Client } from '@temporalio/client';
import { fork, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import { connectClient } from '../../src/client/connect';
import { end, waited, waiter, wake } from '../support/clockWorkflows';
import { TestServer, until } from '../support/server';

jest.setTimeout(120_000);

const LEFT_BEHIND_MS = 2_000;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

let server: TestServer;
let namespace: string;
let client: Client;
const workers: ChildProcess[] = [];
beforeAll(async () => {
  server = await TestServer.start({ namespaces: 1 });
  namespace = server.namespace();
  const { address } = server;
  client = await connectClient({ address, namespace, options: { address } });
});
afterAll(async () => {
  for (const worker of workers) worker.kill('SIGKILL');
  await client?.connection.close();
  await server?.stop();
});

async function startWorker(): Promise<ChildProcess> {
  const worker = fork(path.join(__dirname, '../support/clockWorker.cjs'), [server.address, namespace, String(LEFT_BEHIND_MS)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  workers.push(worker);
  await new Promise<void>((resolve) => worker.once('message', () => resolve()));
  return worker;
}

describe('a workflow whose worker is killed', () => {
  it('goes by the time of its next task, whoever asks it before that has begun, and can be replayed', async () => {
    const waitMs = 1_000;
    const first = await startWorker();
    const handle = await client.workflow.start(waiter, { taskQueue: 'clock', workflowId: 'waiter', args: [waitMs] });
    await until(async () => (await handle.fetchHistory()).events!.some(({ workflowTaskCompletedEventAttributes }) => workflowTaskCompletedEventAttributes));
    const startedAt = Date.now();
    const second = await startWorker();
    first.kill('SIGKILL');

    // Asked of the worker that is gone, it comes to the next one by itself; the signal's task does so later.
    const asked = handle.query(waited);
    await pause(Math.max(LEFT_BEHIND_MS / 4, startedAt + waitMs - Date.now()));
    await handle.signal(wake);
    expect(await asked).toBeGreaterThanOrEqual(waitMs);

    second.kill('SIGKILL');
    await startWorker();
    await handle.signal(end);
    expect(await handle.result()).toBe(await asked);
  });
});
