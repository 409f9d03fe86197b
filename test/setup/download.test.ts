import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { download, reachable } from '../../scripts/setup/download.mjs';

const BODY = Buffer.alloc(200_000, 'shoal');
const SHA256 = createHash('sha256').update(BODY).digest('hex');

let server: Server;
let url: string;
let folder: string;

beforeAll(async () => {
  server = createServer((request, response) => {
    if (request.url === '/missing') response.writeHead(404).end();
    else if (request.url === '/stalls') response.writeHead(200, { 'content-length': BODY.length }).write(BODY.subarray(0, 10));
    else if (request.url === '/moved') response.writeHead(302, { location: '/file' }).end();
    else if (request.url === '/cut') {
      response.writeHead(200, { 'content-length': BODY.length }).write(BODY.subarray(0, 10), () => response.destroy());
    } else response.end(BODY);
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  folder = mkdtempSync(join(tmpdir(), 'shoal-download-'));
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true });
});

const get = (path: string, sha256 = SHA256, stallSeconds = 15) =>
  download(`${url}${path}`, join(folder, 'out'), { sha256, report: () => {}, stallSeconds });

test('a file arrives whole, through redirections too', async () => {
  await get('/moved');
  expect(readFileSync(join(folder, 'out'))).toEqual(BODY);
});

test('a wrong hash names the file, what was expected and what was found, and removes the file', async () => {
  const expected = 'a'.repeat(64);
  const error = await get('/file', expected).catch((thrown: Error & { remedy: string }) => thrown) as Error & { remedy: string };
  expect(error.message).toContain(`${url}/file`);
  expect(error.message).toContain(`expected sha256 ${expected}`);
  expect(error.message).toContain(`found    sha256 ${SHA256}`);
  expect(error.remedy).toMatch(/Try again/);
  expect(existsSync(join(folder, 'out'))).toBe(false);
});

test('an absent file, a broken connection and one that stalls end with their reason, and leave no half file', async () => {
  await expect(get('/missing')).rejects.toThrow(/could not be downloaded: the server answered 404/);
  await expect(get('/cut')).rejects.toThrow(/could not be downloaded/);
  await expect(get('/stalls', SHA256, 0.3)).rejects.toThrow(/nothing arrived for 0.3 s/);
  expect(existsSync(join(folder, 'out'))).toBe(false);
});

test('a host that refuses is out of reach; one that answers anything is not', async () => {
  expect(await reachable(`${url}/missing`)).toBe(true);
  expect(await reachable('http://127.0.0.1:1/')).toBe(false);
});
