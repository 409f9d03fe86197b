import { createWriteStream, rmSync } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { SetupError } from './error.mjs';
import { sha256File } from './hash.mjs';

/**
 * Does the host answer, whatever it says? Firewalls drop packets rather than refuse them, so the question is bounded. Node's
 * fetch does not go through a proxy; behind one, the package registries' own tools, which do, are used instead.
 */
export async function reachable(url, seconds = 4) {
  try {
    await fetch(url, { method: 'HEAD', redirect: 'manual', signal: AbortSignal.timeout(seconds * 1000) });
    return true;
  } catch {
    return false;
  }
}

/** Downloads a file and checks it. Gives up when nothing arrives for `stallSeconds`, or after `seconds` in all. */
export async function download(url, path, { sha256, report, seconds = 300, stallSeconds = 15 }) {
  const stalled = new AbortController();
  let timer;
  const alive = () => {
    clearTimeout(timer);
    timer = setTimeout(() => stalled.abort(new Error(`nothing arrived for ${stallSeconds} s`)), stallSeconds * 1000);
  };
  try {
    alive();
    const response = await fetch(url, { signal: AbortSignal.any([stalled.signal, AbortSignal.timeout(seconds * 1000)]) });
    if (!response.ok || !response.body) throw new Error(`the server answered ${response.status}`);
    const total = Number(response.headers.get('content-length'));
    let received = 0;
    const body = Readable.fromWeb(response.body).on('data', (chunk) => {
      alive();
      received += chunk.length;
      report(`downloading ${megabytes(received)}${total ? ` of ${megabytes(total)}` : ''} MB`);
    });
    await pipeline(body, createWriteStream(path));
  } catch (error) {
    rmSync(path, { force: true });
    if (error?.code === 'ENOSPC') throw error;
    throw new SetupError(`${url} could not be downloaded: ${reason(error)}.`, 'Try again.', { cause: error });
  } finally {
    clearTimeout(timer);
  }
  await checkFile(path, sha256, url);
}

export async function checkFile(path, expected, source) {
  const found = await sha256File(path);
  if (found === expected) return;
  rmSync(path, { force: true });
  throw new SetupError(
    `${source} is not the file it should be.\n  expected sha256 ${expected}\n  found    sha256 ${found}`,
    'It was removed. Try again; if it stays so, something between here and the server changes downloads.',
  );
}

const megabytes = (bytes) => Math.round(bytes / 1e6);
const reason = (error) => error?.cause?.code ?? error?.cause?.message ?? error?.message ?? String(error);
