import { mkdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { diskError } from './error.mjs';
import { cacheFolder } from './folders.mjs';

const TOUCH_SECONDS = 5;
const STALE_SECONDS = 60;

/**
 * One set-up at a time does a piece of work; the others wait, and then find it done. A lock whose owner died is taken over: at
 * once on this machine, after a minute without a sign of life elsewhere. Should two ever hold it, they only do the work twice:
 * everything in the cache is made under a name of its own and renamed.
 */
export async function withLock(name, report, work) {
  const folder = join(cacheFolder(), 'locks');
  const path = join(folder, `${name.replaceAll('/', '-')}.lock`);
  try {
    mkdirSync(folder, { recursive: true });
    while (!take(path)) {
      report(`waiting for another set-up (${owner(path)?.pid ?? 'just ended'})`);
      await sleep(200);
    }
  } catch (error) {
    throw diskError(error, path);
  }
  const timer = setInterval(() => touch(path), TOUCH_SECONDS * 1000);
  try {
    return await work();
  } finally {
    clearInterval(timer);
    rmSync(path, { force: true });
  }
}

function take(path) {
  try {
    writeFileSync(path, JSON.stringify({ pid: process.pid, host: hostname() }), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  }
  if (stale(path)) {
    const aside = `${path}.${process.pid}`;
    try {
      renameSync(path, aside);
    } catch {
      return false;
    }
    rmSync(aside, { force: true });
  }
  return false;
}

function owner(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

function stale(path) {
  let age;
  try {
    age = (Date.now() - statSync(path).mtimeMs) / 1000;
  } catch {
    return false;
  }
  if (age > STALE_SECONDS) return true;
  const held = owner(path);
  // Just created and not yet written, or torn by a crash: only its age tells.
  if (held === undefined || held.host !== hostname()) return false;
  return !alive(held.pid);
}

export function alive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function touch(path) {
  try {
    const now = new Date();
    utimesSync(path, now, now);
  } catch {
    // The folder was wiped under us: the work goes on, and ends in a rename that says so.
  }
}
