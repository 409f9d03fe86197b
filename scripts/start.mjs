// `npm start`: everything that is missing, then the quick start.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from './setup/folders.mjs';
import { prepare } from './prepare.mjs';
import { exitStatus } from './setup/run.mjs';

const { server } = await prepare();

// `npm start -- --story` plays the story instead of the quick start.
const given = process.argv.slice(2);
const command = given.includes('--story') ? ['story', ...given.filter((argument) => argument !== '--story')] : ['up', ...given];
const child = spawn(process.execPath, [join(ROOT, 'dist', 'cli', 'main.js'), ...command], {
  stdio: 'inherit',
  env: { ...process.env, ...(server.kind === 'binary' && { SHOAL_TEMPORAL_BINARY: server.path }) },
});
// The terminal itself sends Ctrl-C to the child too; twice would mean "now".
process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'));
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('error', (error) => {
  console.error(error.message);
  process.exit(1);
});
child.on('exit', (code, signal) => process.exit(exitStatus(code, signal)));
