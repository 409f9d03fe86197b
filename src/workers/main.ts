import { parseArgs } from 'node:util';
import { ShoalError } from '../domain/errors';
import { EXIT, exitCodeOf } from '../domain/exitCodes';
import { runWorker } from './run';

/** A worker's process, as `shoal up` starts it: `node dist/workers/main.js --project temporal.yaml --worker serve`. Its status is as that of `shoal`. */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { project: { type: 'string', default: 'temporal.yaml' }, worker: { type: 'string' }, address: { type: 'string' } } });
  await runWorker({ project: values.project, name: values.worker, address: values.address });
}

/** What is wrong is said in words; of what nobody foresaw, where it happened too. */
main().then(() => process.exit(EXIT.ok.code), (error: unknown) => {
  const misused = error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
  const known = error instanceof ShoalError;
  process.send?.({ type: 'failed', code: known ? error.code : 'INTERNAL', message: error instanceof Error ? error.message : String(error) });
  process.stderr.write(`${!(error instanceof Error) ? String(error) : known || misused ? error.message : error.stack}\n`);
  process.exit(misused ? EXIT.usage.code : exitCodeOf(error));
});
