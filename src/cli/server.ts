import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { Connection } from '@temporalio/client';
import { embeddedServerFile, isAlive, readEmbeddedServer, stateFolder, type EmbeddedServer } from '../client/connect';
import { findServer } from '../../scripts/setup/server.mjs';
import { ShoalError } from '../domain/errors';

const FIRST_PORT = 7233;
const FIRST_UI_PORT = 8233;
const FIRST_REPORT_PORT = 8234;
const START_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 10_000;

/** The embedded server polls its queues 20 times a second at most by default, which rounds every hop up to 50 ms. */
const POLL_RATES = ['history.transferProcessorMaxPollRPS', 'history.transferProcessorMaxPollHostRPS', 'history.timerProcessorMaxPollRPS', 'history.timerProcessorMaxPollHostRPS'];

export interface RunningServer extends EmbeddedServer { stop(): Promise<void> }

export interface ServerOptions {
  namespace: string;
  /** The server's executable; $SHOAL_TEMPORAL_BINARY by default. */
  binary?: string;
  /** The first port that is tried, the UI's after it; $SHOAL_PORT, or Temporal's usual ones, by default. */
  firstPort?: number;
  extraArguments?: string[];
}

/**
 * Runs a Temporal server with its UI for this project, its data in .shoal/temporal.db; or finds the one that another `shoal up`
 * runs, and takes it over when that one is gone.
 */
export async function startServer(projectFile: string, options: ServerOptions): Promise<RunningServer> {
  const running = readEmbeddedServer(projectFile);
  if (running && (await answers(running.address))) {
    if (isAlive(running.owner)) return { ...running, stop: () => Promise.resolve() };
    return own(projectFile, { ...running, owner: process.pid });
  }

  const binary = options.binary ?? process.env.SHOAL_TEMPORAL_BINARY ?? (await findServer());
  if (!binary || !existsSync(binary)) {
    throw new ShoalError('NATIVE_MISSING', `There is no Temporal server to start${binary ? `: ${binary} is missing` : ''}.`, {
      remedy: 'Run `npx shoal setup`, which fetches one, or name yours: TEMPORAL_ADDRESS=host:port.',
    });
  }
  const folder = stateFolder(projectFile);
  mkdirSync(folder, { recursive: true });
  const firstPort = options.firstPort ?? portFromEnvironment();
  const port = await freePort(firstPort ?? FIRST_PORT);
  const uiPort = await freePort(firstPort ? port + 1 : FIRST_UI_PORT, port);
  const log = path.join(folder, 'temporal.log');
  const out = openSync(log, 'w');
  const child = spawn(binary, [
    'server', 'start-dev', '--port', String(port), '--ui-port', String(uiPort), '--namespace', options.namespace,
    '--db-filename', path.join(folder, 'temporal.db'), '--log-level', 'warn',
    '--sqlite-pragma', 'journal_mode=WAL', '--sqlite-pragma', 'synchronous=NORMAL',
    ...POLL_RATES.flatMap((name) => ['--dynamic-config-value', `${name}=2000`]),
    ...(options.extraArguments ?? []),
  ], { stdio: ['ignore', out, out], detached: true });
  closeSync(out);

  const server: EmbeddedServer = { address: `127.0.0.1:${port}`, ui: `http://localhost:${uiPort}`, pid: child.pid!, owner: process.pid };
  child.unref();
  const mine = own(projectFile, server);
  try {
    await waitUntilUp(child, server.address, log);
  } catch (error) {
    await mine.stop();
    throw error;
  }
  return mine;
}

function own(projectFile: string, server: EmbeddedServer): RunningServer {
  const file = embeddedServerFile(projectFile);
  writeFileSync(file, `${JSON.stringify(server)}\n`);
  return {
    ...server,
    async stop() {
      rmSync(file, { force: true });
      const deadline = Date.now() + STOP_TIMEOUT_MS;
      for (let signal: NodeJS.Signals = 'SIGTERM'; isAlive(server.pid); signal = Date.now() < deadline ? 'SIGTERM' : 'SIGKILL') {
        process.kill(server.pid, signal);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    },
  };
}

async function waitUntilUp(child: ChildProcess, address: string, log: string): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < deadline && child.exitCode === null) {
    // A server that ended has lost its port to another, and that may be the one that answers.
    if ((await answers(address)) && child.exitCode === null) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new ShoalError('SERVER_UNREACHABLE', `The Temporal server did not start at ${address}.`, { remedy: `See what it says in ${log}.`, details: { address, log } });
}

async function answers(address: string): Promise<boolean> {
  try {
    const connection = await Connection.connect({ address, connectTimeout: 1_000 });
    await connection.close();
    return true;
  } catch {
    return false;
  }
}

/** Beside the ports of server and UI. */
export function firstReportPort(): number {
  const port = portFromEnvironment();
  return port === undefined ? FIRST_REPORT_PORT : port + 2;
}

function portFromEnvironment(): number | undefined {
  const text = process.env.SHOAL_PORT;
  if (!text) return undefined;
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port < 65_000) return port;
  throw new ShoalError('CONFIG', `SHOAL_PORT is not a port: ${text}.`, { remedy: 'It is a whole number from 1 to 64999.' });
}

async function freePort(from: number, taken?: number): Promise<number> {
  for (let port = from; port < from + 100; port++) {
    if (port !== taken && (await isFree(port))) return port;
  }
  throw new ShoalError('SERVER_UNREACHABLE', `No port from ${from} to ${from + 99} is free for the Temporal server.`, { remedy: 'End what holds them, or use a server of yours: TEMPORAL_ADDRESS=host:port.' });
}

const isFree = (port: number) => new Promise<boolean>((resolve) => {
  const probe = net.createServer().once('error', () => resolve(false)).once('listening', () => probe.close(() => resolve(true)));
  probe.listen(port, '127.0.0.1');
});
