import path from 'node:path';

/** The package's folder: the same from src/ and from dist/. */
export const packageRoot = path.resolve(__dirname, '..');

// eslint-disable-next-line @typescript-eslint/no-require-imports
export const packageVersion = (require('../package.json') as { version: string }).version;

/** Their installed versions, by name. */
export const packagesUsed = (names: string[]): Record<string, string> =>
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  Object.fromEntries([['shoal', packageVersion], ...names.map((name) => [name, (require('../package.json') as Declared).optionalDependencies[name]!])]);

interface Declared { optionalDependencies: Record<string, string> }
