import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

/**
 * `node names.js [models|chains] [project file]`: names for the shell's completion, one a line, in a moment: it reads the file and nothing else of
 * Shoal. Nothing is said of a file that is not there or has mistakes.
 */
const [, , kind, file = process.env.SHOAL_PROJECT ?? 'temporal.yaml'] = process.argv;
try {
  const { models = {}, chains = {} } = parse(readFileSync(file, 'utf8')) as { models?: object; chains?: object };
  // A model without a chain has one of its own name.
  const names = kind === 'models' ? Object.keys(models) : [...Object.keys(chains), ...Object.keys(models)];
  process.stdout.write([...new Set(names)].map((name) => `${name}\n`).join(''));
} catch {
  process.exitCode = 0;
}
