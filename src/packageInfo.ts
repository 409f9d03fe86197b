/** The same path from src/ and from dist/. */
// eslint-disable-next-line @typescript-eslint/no-require-imports
export const packageVersion = (require('../package.json') as { version: string }).version;
