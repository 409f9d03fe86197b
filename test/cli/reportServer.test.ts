import http from 'node:http';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { reportAt, serveReports, type ReportServer } from '../../src/cli/reportServer';
import { reportNote, reportPath, type ReportName } from '../../src/domain/reportNames';
import { openStore } from '../../src/store/fileStore';
import type { Store } from '../../src/store/store';

const FIRST_PORT = 18_300 + (process.pid % 400) * 20;

let folder: string;
let store: Store;
let server: ReportServer;
beforeAll(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'shoal-reports-'));
  store = await openStore({ path: folder });
  await store.writeNote('reports/versions/gross/112074a581de', await store.put(Buffer.from('<!doctype html><title>gross</title>'), 'html'));
  await store.writeNote('reports/versions/a b.<c>/1', await store.put(Buffer.from('odd'), 'html'));
  await store.writeNote('reports/releases/box-office/12', await store.put(Buffer.from('release'), 'html'));
  await store.writeNote('reports/versions/wrong/json', await store.putJson({ secret: 1 }));
  await store.writeNote('chains/box-office/current', await store.put(Buffer.from('inner words'), 'html'));
  server = await serveReports(store, { firstPort: FIRST_PORT });
});
afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

interface Answer { status: number; headers: http.IncomingHttpHeaders; body: string }

/** As it is written, without the tidying that `fetch` does. */
const ask = (requestPath: string, { method = 'GET', headers = {} }: { method?: string; headers?: Record<string, string> } = {}): Promise<Answer> => new Promise((resolve, reject) => {
  const { hostname, port } = new URL(server.address);
  const request = http.request({ hostname, port, path: requestPath, method, headers }, (response) => {
    let body = '';
    response.on('data', (chunk: Buffer) => { body += chunk.toString(); });
    response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, body }));
  });
  request.on('error', reject);
  request.end();
});

describe('the server of reports', () => {
  it('gives a report by its name, as HTML that may load and run nothing', async () => {
    const { status, headers, body } = await ask('/versions/gross/112074a581de');
    expect([status, body]).toEqual([200, '<!doctype html><title>gross</title>']);
    expect(headers).toMatchObject({ 'content-type': 'text/html; charset=utf-8', 'x-content-type-options': 'nosniff', 'content-length': String(body.length) });
    expect(headers['content-security-policy']).toContain('default-src \'none\'');
    expect(headers['content-security-policy']).not.toContain('script-src');
    expect(headers['access-control-allow-origin']).toBeUndefined();
    expect((await ask('/releases/box-office/12')).body).toBe('release');
    expect((await ask(`/${reportPath({ model: 'a b.<c>', version: '1' })}`)).body).toBe('odd');
    expect(await ask('/versions/gross/112074a581de', { method: 'HEAD' })).toMatchObject({ status: 200, body: '' });
  });

  it('lists them all, with links that work, and names that can do no harm', async () => {
    const { body } = await ask('/');
    const links = [...body.matchAll(/href="([^"]+)"/g)].map(([, link]) => link!);
    expect(links.sort()).toEqual(['/releases/box-office/12', '/versions/a%20b.%3Cc%3E/1', '/versions/gross/112074a581de', '/versions/wrong/json']);
    expect(body).not.toContain('<c>');
  });

  it.each([
    '/versions/gross/none', '/versions/gross', '/versions/gross/112074a581de/', '/chains/box-office/current', '/versions/../chains/box-office/current',
    '/versions/..%2f..%2fchains%2fbox-office/current', '/versions/%2e%2e/%2e%2e', '/releases/box-office/012', '/releases/box-office/1e1', '/versions/wrong/json', '/versions/%zz/1', '//', '/versions/gross/%00',
    '/versions/..%5c..%5cchains/current', '/objects', '/versions//1',
  ])('has nothing at %s', async (place) => {
    const { status, body } = await ask(place);
    expect(status).toBe(404);
    expect(body).not.toMatch(/secret|inner words/);
  });

  it('can only be read', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) expect(await ask('/', { method })).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } });
  });

  it('does not answer to another name, as a page of another site would call it', async () => {
    expect((await ask('/', { headers: { host: 'evil.example' } })).status).toBe(421);
    expect((await ask('/', { headers: { host: `localhost:${new URL(server.address).port}` } })).status).toBe(200);
  });

  it('is there for this machine only', async () => {
    const others = Object.values(os.networkInterfaces()).flat().filter((i) => i && !i.internal && i.family === 'IPv4').map((i) => i!.address);
    for (const address of others) {
      const reached = await new Promise<boolean>((resolve) => {
        const socket = net.connect({ host: address, port: Number(new URL(server.address).port), timeout: 1_000 }, () => { socket.destroy(); resolve(true); });
        socket.on('error', () => resolve(false));
        socket.on('timeout', () => { socket.destroy(); resolve(false); });
      });
      expect(reached).toBe(false);
    }
  });

  it('takes the next port that is free', async () => {
    const second = await serveReports(store, { firstPort: Number(new URL(server.address).port) });
    expect(second.address).not.toBe(server.address);
    await second.stop();
  });
});

describe('the path of a report', () => {
  const names: ReportName[] = [{ model: 'gross', version: 'abc' }, { model: 'a b.ü?#%', version: '1' }, { chain: 'box-office', number: 7 }];
  it.each(names)('%j leads back to it', (of) => {
    expect(reportNote(reportAt(`/${reportPath(of)}`)!)).toBe(reportNote(of));
  });

  it('is no other note\'s', () => {
    expect(reportAt(`/${reportPath({ model: 'a/b', version: '1' })}`)).toBeUndefined();
  });
});
