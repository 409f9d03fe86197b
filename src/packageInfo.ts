import path from 'node:path';

/** The package's folder: the same from src/ and from dist/. */
export const packageRoot = path.resolve(__dirname, '..');

// eslint-disable-next-line @typescript-eslint/no-require-imports
export const packageVersion = (require('../package.json') as { version: string }).version;
