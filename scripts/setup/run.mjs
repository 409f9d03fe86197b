import { spawn } from 'node:child_process';
import { createWriteStream, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { diskError, SetupError } from './error.mjs';
import { cacheFolder } from './folders.mjs';

const running = new Set();
let stopped = false;

/** Ends every command that `run` started and refuses further ones; for when the whole set-up failed or is interrupted. */
export function stopAll(signal = 'SIGTERM') {
  stopped = true;
  for (const child of running) child.kill(signal);
}

/** Whether a failure is only the echo of another. */
export const isStopped = () => stopped;

/**
 * Runs a command with its output in a log file, and answers with what it printed. When it fails, the error quotes the last lines and
 * names the log; when it succeeds the log is removed.
 */
export function run(command, args, { name, cwd, env = process.env, seconds, report, remedy }) {
  if (stopped) return Promise.reject(new SetupError(`${name}: not started, as set-up was stopped.`));
  const logs = join(cacheFolder(), 'logs');
  try {
    mkdirSync(logs, { recursive: true });
  } catch (error) {
    return Promise.reject(diskError(error, logs));
  }
  const path = join(logs, `${name.replaceAll(/[^\w.-]+/g, '-')}-${process.pid}.log`);
  const log = createWriteStream(path);
  log.write(`$ ${command} ${args.join(' ')}\n`);

  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    running.add(child);
    const timer = seconds && setTimeout(() => child.kill('SIGKILL'), seconds * 1000);
    const started = Date.now();
    let stdout = '';
    let tail = '';
    const read = (chunk) => {
      log.write(chunk);
      tail = (tail + chunk).slice(-4000);
      const last = tail.split(/[\r\n]+/).filter((text) => text.trim() !== '').at(-1);
      if (report && last) report(last);
    };
    child.stdout.setEncoding('utf8').on('data', (chunk) => {
      stdout += chunk;
      read(chunk);
    });
    child.stderr.setEncoding('utf8').on('data', read);

    const end = (how) => {
      clearTimeout(timer);
      running.delete(child);
      log.end(() => {
        if (how === undefined) {
          rmSync(path, { force: true });
          resolve(stdout);
          return;
        }
        const quoted = tail.split(/[\r\n]+/).filter((text) => text.trim() !== '').slice(-8).map((text) => `    ${text}`).join('\n');
        const full = tail.includes('No space left on device') || tail.includes('ENOSPC');
        const advice = full ? 'The disk is full: free some space, or set SHOAL_CACHE to a folder on a larger disk.' : remedy;
        reject(new SetupError(`${name}: \`${command}\` ${how}\n${quoted}\n  The whole log: ${path}`, advice));
      });
    };
    child.on('error', (error) => end(`could not be started: ${error.message}`));
    child.on('close', (code, signal) => {
      if (code === 0) end(undefined);
      else if (seconds && signal === 'SIGKILL' && Date.now() - started >= seconds * 1000) end(`was still running after ${seconds} s`);
      else end(signal ? `was ended by ${signal}` : `failed with status ${code}.`);
    });
  });
}

/** Logs of failures are for reading soon. */
export function removeOldLogs(days = 7) {
  const logs = join(cacheFolder(), 'logs');
  try {
    for (const name of readdirSync(logs)) {
      if (Date.now() - statSync(join(logs, name)).mtimeMs > days * 86_400_000) rmSync(join(logs, name), { force: true });
    }
  } catch {
    // Not there, or not ours to remove.
  }
}

/** The exit status that a shell gives for a child that ended so. */
export function exitStatus(code, signal) {
  return code ?? 128 + (constants.signals[signal] ?? 1);
}
