import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cliPage, errorPage } from './document';
import { program } from './main';

/** `node dist/cli/writeDocument.js [folder]`: writes docs/cli.md and docs/errors.md. */
const folder = join(process.argv[2] ?? '.', 'docs');
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, 'cli.md'), cliPage(program));
writeFileSync(join(folder, 'errors.md'), errorPage());
