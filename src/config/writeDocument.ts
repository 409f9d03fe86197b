import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { configurationPage, jsonSchema } from './document';

/** `node dist/config/writeDocument.js [folder]`: writes temporal.schema.json and docs/configuration.md. */
const folder = process.argv[2] ?? '.';
mkdirSync(join(folder, 'docs'), { recursive: true });
writeFileSync(join(folder, 'temporal.schema.json'), `${JSON.stringify(jsonSchema(), null, 2)}\n`);
writeFileSync(join(folder, 'docs/configuration.md'), configurationPage());
