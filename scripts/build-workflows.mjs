// dist/workflows -> dist/workflow-bundle.js, so that a worker starts without bundling.
import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleWorkflowCode } from '@temporalio/worker';
import { ROOT } from './setup/folders.mjs';

const workflowsPath = join(ROOT, 'dist', 'workflows', 'index.js');
if (!existsSync(workflowsPath)) {
  console.error(`${workflowsPath} is missing: src/workflows/index.ts exports the workflows, and \`tsc -p .\` compiles it.`);
  process.exit(1);
}
const workflowInterceptorModules = ['tracing', 'logging'].map((name) => join(ROOT, 'dist', 'workflows', `${name}.js`));
const payloadConverterPath = join(ROOT, 'dist', 'workflows', 'payloadConverter.js');
const { code } = await bundleWorkflowCode({ workflowsPath, workflowInterceptorModules, payloadConverterPath });
const output = join(ROOT, 'dist', 'workflow-bundle.js');
writeFileSync(`${output}.${process.pid}`, code);
renameSync(`${output}.${process.pid}`, output);
