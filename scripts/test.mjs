// `npm test`: set-up, then types, lint, architecture and jest. With arguments: only jest, with these.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prepare } from './prepare.mjs';
import { build } from './setup/build.mjs';
import { explain } from './setup/error.mjs';
import { ROOT } from './setup/folders.mjs';
import { exitStatus } from './setup/run.mjs';
import { summary } from './test-summary.mjs';

const jestArguments = process.argv.slice(2);
const { server } = await prepare({ server: 'always', compile: jestArguments.length > 0 });

const environment = { ...process.env, SHOAL_TEMPORAL_BINARY: server.path, TF_CPP_MIN_LOG_LEVEL: '2' };
// The tests run servers of their own.
for (const name of ['TEMPORAL_ADDRESS', 'TEMPORAL_CONFIG_FILE', 'TEMPORAL_PROFILE', 'TEMPORAL_NAMESPACE']) delete environment[name];

let child;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child?.kill(signal));

const tool = (name, ...args) => new Promise((resolve, reject) => {
  child = spawn(process.execPath, [join(ROOT, 'node_modules', name), ...args], {
    cwd: ROOT,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: environment,
  });
  child.on('error', reject);
  child.on('exit', (code, signal) => {
    child = undefined;
    if (['SIGINT', 'SIGTERM', 'SIGHUP'].includes(signal)) process.exit(exitStatus(code, signal));
    resolve(code === 0);
  });
});

/** The build is one half of the check of types; without it there is nothing for the end-to-end tests to run. */
async function types() {
  try {
    await build({ report: () => {} });
  } catch (error) {
    console.log(explain(error));
    return false;
  }
  const cache = join('node_modules', '.cache', 'shoal', 'test.tsbuildinfo');
  return tool('typescript/bin/tsc', '--noEmit', '-p', 'test', '--incremental', '--tsBuildInfoFile', cache);
}

const CHECKS = {
  types,
  lint: () => tool('eslint/bin/eslint.js', '.'),
  architecture: async () => {
    const cruise = (config) => tool('dependency-cruiser/bin/dependency-cruise.mjs', '--config', config, 'src');
    return (await cruise('.dependency-cruiser.cjs')) && cruise('.dependency-cruiser.runtime.cjs');
  },
};

const checks = {};
for (const [name, check] of jestArguments.length > 0 ? [] : Object.entries(CHECKS)) {
  const started = Date.now();
  console.log(`\n${name}`);
  checks[name] = await check();
  console.log(`  ${checks[name] ? 'passed' : 'FAILED'} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
}

console.log('\njest');
const folder = mkdtempSync(join(tmpdir(), 'shoal-test-'));
const output = join(folder, 'jest.json');
const passed = await tool('jest/bin/jest.js', '--json', `--outputFile=${output}`, ...jestArguments);
let report;
try {
  report = JSON.parse(readFileSync(output, 'utf8'));
} catch {
  console.log('jest ended without a report');
}
rmSync(folder, { recursive: true, force: true });

const { line, ok } = summary({ checks, jest: report, jestPassed: passed });
console.log(`\n${line}`);
process.exit(ok ? 0 : 1);
