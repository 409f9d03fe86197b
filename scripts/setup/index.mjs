// Everything between a fresh machine and a program that runs: see setUp.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { build } from './build.mjs';
import { setUpDependencies } from './dependencies.mjs';
import { cacheFolder, ROOT } from './folders.mjs';
import { givenServer } from './given-server.mjs';
import { setUpNatives } from './natives.mjs';
import { createProgress } from './progress.mjs';
import { isStopped, removeOldLogs, stopAll } from './run.mjs';
import { setUpServer } from './server.mjs';
import { checkNode, checkPlatform } from './toolchain.mjs';

export { explain, SetupError } from './error.mjs';
export { stopAll };

/**
 * Dependencies, native parts, the Temporal server and, in a checkout, the build: whatever of it is missing. The server takes the
 * longest, so it is made beside the rest.
 *
 * @param options.server 'unless-given': none when the user named one; 'always' for the tests, which run their own
 * @param options.compile false leaves the build out
 * @returns the server: {kind: 'given', address, from} or {kind: 'binary', path}
 */
export async function setUp({ server = 'unless-given', compile = true, progress = createProgress() } = {}) {
  checkNode();
  checkPlatform();
  const started = Date.now();
  removeOldLogs();
  const checkout = existsSync(join(ROOT, 'package-lock.json'));
  const note = (text) => isStopped() || progress.print(text.replaceAll(/^/gm, '  ! '));
  const given = server === 'unless-given' ? givenServer() : undefined;

  const program = async () => {
    if (checkout) await progress.step('dependencies', (report) => setUpDependencies(ROOT, { report }));
    await progress.step('native parts', (report) => setUpNatives({ report, note }));
    if (checkout && compile) await progress.step('build', (report) => build({ report }));
  };
  const binary = given ? undefined : progress.step('Temporal server', (report) => setUpServer({ report, note }));
  const parts = [binary, program()];
  try {
    await Promise.all(parts);
  } catch (error) {
    // The first failure is the one to read; the other half is stopped and goes on where it was the next time.
    stopAll();
    await Promise.allSettled(parts);
    throw error;
  }
  progress.print(`  Set-up is complete (${((Date.now() - started) / 1000).toFixed(1)} s; cache: ${cacheFolder()}).`);
  return { server: given ? { kind: 'given', ...given } : { kind: 'binary', path: await binary }, cache: cacheFolder() };
}
