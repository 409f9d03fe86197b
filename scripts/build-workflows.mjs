// dist/workflows -> dist/workflow-bundle.js, so that a worker starts without bundling.
import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { bundleWorkflowCode } from '@temporalio/worker';
import { ROOT } from './setup/folders.mjs';

const workflowsPath = join(ROOT, 'dist', 'workflows', 'index.js');
if (!existsSync(workflowsPath)) {
  console.error(`${workflowsPath} is missing: src/workflows/index.ts exports the workflows, and \`tsc -p .\` compiles it.`);
  process.exit(1);
}
const { WORKFLOW_SOURCES } = createRequire(import.meta.url)('../dist/workers/workflowSources.js');
const { code } = await bundleWorkflowCode(WORKFLOW_SOURCES);
const output = join(ROOT, 'dist', 'workflow-bundle.js');
writeFileSync(`${output}.${process.pid}`, code);
renameSync(`${output}.${process.pid}`, output);
