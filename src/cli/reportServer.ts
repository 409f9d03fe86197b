import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import path from 'node:path';
import { reportServerFile, readReportServer } from '../client/reports';
import { ShoalError } from '../domain/errors';
import { reportNote, reportPath, type ReportName } from '../domain/reportNames';
import type { ArtifactRef } from '../domain/version';
import { plainPage } from '../report';
import { html, raw } from '../report/html';
import type { Store } from '../store/store';

const HOST = '127.0.0.1';
const PORTS = 100;

export interface ReportServer { address: string; stop(): Promise<void> }

/** For a page that needs nothing but the style it brings. */
const HEADERS = {
  'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cache-Control': 'no-cache',
};

/**
 * Serves a store's reports by the names of their notes, and a list of them, to browsers on this machine. It reads only; a page of
 * another site can't read from it, whatever name that site gives this machine's address.
 */
export async function serveReports(store: Store, { firstPort }: { firstPort: number }): Promise<ReportServer> {
  const server = http.createServer((request, response) => {
    answer(request, response, store).catch((error: unknown) => {
      const known = error instanceof ShoalError;
      if (response.headersSent) return void response.destroy();
      send(response, known ? 404 : 500, plainPage('Not to be read', html`<p>${known ? error.message : 'The report could not be read.'}</p>`));
    });
  });
  const port = await listen(server, firstPort);
  return {
    address: `http://${HOST}:${port}`,
    stop: () => new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    }),
  };
}

/** The server of a project's reports: the one that another `shoal up` runs, or one of its own. */
export async function projectReportServer(projectFile: string, store: Store, options: { firstPort: number }): Promise<ReportServer> {
  const running = readReportServer(projectFile);
  if (running && running.owner !== process.pid) return { address: running.address, stop: () => Promise.resolve() };
  const server = await serveReports(store, options);
  const file = reportServerFile(projectFile);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify({ address: server.address, owner: process.pid })}\n`);
  return {
    ...server,
    async stop() {
      rmSync(file, { force: true });
      await server.stop();
    },
  };
}

async function answer(request: IncomingMessage, response: ServerResponse, store: Store): Promise<void> {
  const { port } = request.socket.address() as { port: number };
  if (request.headers.host !== `${HOST}:${port}` && request.headers.host !== `localhost:${port}`) {
    return send(response, 421, plainPage('Not here', html`<p>This server answers to ${HOST} and localhost only.</p>`));
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD');
    return send(response, 405, plainPage('Read only', html`<p>Reports can only be read.</p>`));
  }
  // As it came: what a URL makes of dots and slashes is no name of ours.
  const pathname = (request.url ?? '/').split('?')[0]!;
  if (pathname === '/') return send(response, 200, await list(store));
  const of = reportAt(pathname);
  const ref = of && (await store.readNote<ArtifactRef>(reportNote(of)));
  if (!ref?.uri.endsWith('.html')) {
    return send(response, 404, plainPage('No such report', html`<p>There is no report at this address. <a href="/">All reports</a></p>`));
  }
  send(response, 200, await store.read(ref));
}

/** The report that a path names; undefined when it names none. */
export function reportAt(pathname: string): ReportName | undefined {
  const match = /^\/(versions|releases)\/([^/]+)\/([^/]+)$/.exec(pathname);
  if (!match) return undefined;
  try {
    const [kind, name, id] = [match[1], ...match.slice(2).map((part) => decodeURIComponent(part))] as [string, string, string];
    // A name with a slash would be another note's.
    if (name.includes('/') || id.includes('/')) return undefined;
    if (kind === 'versions') return { model: name, version: id };
    return /^[1-9]\d{0,8}$/.test(id) ? { chain: name, number: Number(id) } : undefined;
  } catch {
    return undefined;
  }
}

async function list(store: Store): Promise<string> {
  const names = (await store.listNotes('reports/')).map((note) => note.split('/').slice(1)).filter((parts) => parts.length === 3);
  const of = ([kind, name, id]: string[]): ReportName => (kind === 'versions' ? { model: name!, version: id! } : { chain: name!, number: Number(id) });
  const links = (kind: string) => names.filter(([k]) => k === kind).map((parts) =>
    html`<li><a href="/${raw(reportPath(of(parts)))}">${parts[1]} ${parts[2]}</a></li>`);
  return plainPage('Reports', html`<h2>Releases</h2><ul>${links('releases')}</ul><h2>Versions</h2><ul>${links('versions')}</ul>`);
}

function send(response: ServerResponse, status: number, body: string | Buffer): void {
  response.writeHead(status, { ...HEADERS, 'Content-Type': 'text/html; charset=utf-8', 'Content-Length': Buffer.byteLength(body) });
  response.end(response.req.method === 'HEAD' ? undefined : body);
}

async function listen(server: http.Server, firstPort: number): Promise<number> {
  for (let port = firstPort; port < firstPort + PORTS; port++) {
    try {
      server.listen(port, HOST);
      await once(server, 'listening');
      return port;
    } catch (error) {
      if (!['EADDRINUSE', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
  }
  throw new ShoalError('SERVER_UNREACHABLE', `No port from ${firstPort} to ${firstPort + PORTS - 1} is free for the reports.`, {
    remedy: 'End what holds them, or choose others with SHOAL_PORT.',
  });
}
