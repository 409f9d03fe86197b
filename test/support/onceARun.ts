import { existsSync, mkdirSync, mkdtempSync, renameSync, rmdirSync } from 'node:fs';
import path from 'node:path';
import { until } from './server';

/** Longer than anything takes that is made so. */
const MAKING_MS = 180_000;

/**
 * A folder that is made once in a run of the tests, by the test file that needs it first; the others wait for it, and only read it. It goes with
 * the run (`test/setup`). Where making it fails, the next one tries.
 */
export async function onceARun(name: string, make: (folder: string) => Promise<void>): Promise<string> {
  const made = path.join(process.env.SHOAL_TEST_SHARED!, name);
  const turn = `${made}.turn`;
  await until(async () => {
    if (existsSync(made)) return true;
    if (!takes(turn)) return false;
    try {
      const folder = mkdtempSync(`${made}.`);
      await make(folder);
      renameSync(folder, made);
      return true;
    } catch (error) {
      rmdirSync(turn);
      throw error;
    }
  }, { everyMs: 200, timeoutMs: MAKING_MS });
  return made;
}

/** Whether it is the first to make the folder. */
function takes(folder: string): boolean {
  try {
    mkdirSync(folder);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}
