import { Client, Connection, isGrpcServiceError, type WorkflowClientInterceptor } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ShoalError } from '../domain/errors';
import type { ProjectSpec } from '../domain/spec';
import { askAgain } from './askAgain';
import { STATUS } from './grpcStatus';

const CONNECT_TIMEOUT_MS = 5_000;
const DEFAULT_ADDRESS = 'localhost:7233';

/** Where a project's Temporal server is, and how to speak to it; `options` fit Connection.connect and NativeConnection.connect. */
export interface Endpoint {
  address: string;
  namespace: string;
  /** Of the embedded server, where it is the one. */
  ui?: string;
  options: ReturnType<typeof loadClientConnectConfig>['connectionOptions'];
}

/** Written by `shoal up` for the embedded server it runs; `owner` is the process that will stop it. */
export interface EmbeddedServer { address: string; ui: string; pid: number; owner: number }

export const stateFolder = (projectFile: string) => path.join(path.dirname(path.resolve(projectFile)), '.shoal');
export const embeddedServerFile = (projectFile: string) => path.join(stateFolder(projectFile), 'server.json');

/** The server that the user names: in the standard Temporal environment or config file, else in temporal.yaml. */
export function namedEndpoint(project: ProjectSpec): Endpoint | undefined {
  const { connectionOptions, namespace } = loadClientConnectConfig();
  const address = connectionOptions.address ?? project.temporal.address;
  if (!address) return undefined;
  return { address, namespace: namespace ?? project.temporal.namespace, options: { ...connectionOptions, address } };
}

/** The named server, else the embedded one that `shoal up` runs for this project, else the usual local address. */
export function findEndpoint(project: ProjectSpec, projectFile: string): Endpoint {
  const named = namedEndpoint(project);
  if (named) return named;
  const embedded = readEmbeddedServer(projectFile);
  return embeddedEndpoint(project, embedded ?? { address: DEFAULT_ADDRESS });
}

export const embeddedEndpoint = (project: ProjectSpec, server: { address: string; ui?: string }): Endpoint => ({
  address: server.address, namespace: project.temporal.namespace, ui: server.ui, options: { address: server.address },
});

export function readEmbeddedServer(projectFile: string): EmbeddedServer | undefined {
  try {
    const server = JSON.parse(readFileSync(embeddedServerFile(projectFile), 'utf8')) as EmbeddedServer;
    return isAlive(server.pid) ? server : undefined;
  } catch {
    return undefined;
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** @throws ShoalError SERVER_UNREACHABLE, after a few seconds at most. */
export async function connectClient(endpoint: Endpoint, interceptors: WorkflowClientInterceptor[] = []): Promise<Client> {
  try {
    const connection = await Connection.connect({ ...endpoint.options, connectTimeout: CONNECT_TIMEOUT_MS });
    return new Client({ connection, namespace: endpoint.namespace, interceptors: { workflow: [askAgain, ...interceptors] } });
  } catch (error) {
    throw serverError(endpoint, error);
  }
}

/** By which a server that is there says no. */
const REFUSALS = [STATUS.invalidArgument, STATUS.notFound, STATUS.permissionDenied, STATUS.failedPrecondition, STATUS.unauthenticated];

/** What a failed call to the server means: nobody is there, the server says no, or it has no worker to ask. */
export function serverError(endpoint: Endpoint, cause: unknown): ShoalError {
  const { address, namespace } = endpoint;
  if (!isGrpcServiceError(cause) || !REFUSALS.includes(cause.code)) return unreachable(endpoint, cause);
  if (cause.code === STATUS.failedPrecondition && cause.details.includes('no poller')) {
    return new ShoalError('NO_WORKER', `No worker of this project answers at ${address}, namespace ${namespace}.`, {
      remedy: 'Start them with `shoal up`, or look at why they ended: their logs are in .shoal/logs.', details: { address, namespace }, cause,
    });
  }
  if (cause.code === STATUS.failedPrecondition && /Workflow Task in failed state/i.test(cause.details)) {
    return new ShoalError('NO_WORKER', 'The workflow can\'t be asked now: its last task failed, and is tried again.', {
      remedy: 'Ask again. If it stays so, look at the workflow in the Temporal UI and at the log of the worker that runs workflows.', details: { address, namespace }, cause,
    });
  }
  return new ShoalError('SERVER_REFUSED', `The Temporal server at ${address} refuses: ${cause.details}.`, {
    remedy: `Look at the namespace (${namespace}) and at the credentials.`, details: { address, namespace, status: cause.code }, cause,
  });
}

export const unreachable = (endpoint: Endpoint, cause: unknown) =>
  new ShoalError('SERVER_UNREACHABLE', `No Temporal server answers at ${endpoint.address}.`, {
    remedy: 'Start one with `shoal up`, or say where yours is: TEMPORAL_ADDRESS=host:port, or `temporal: { address: host:port }` in temporal.yaml.',
    details: { address: endpoint.address, reason: cause instanceof Error ? cause.message : String(cause) },
    cause,
  });
