import { DefaultLogger, makeTelemetryFilterString, Runtime } from '@temporalio/worker';
import { ShoalError } from '../domain/errors';
import type { WorkerSpec } from '../domain/spec';
import { HISTOGRAMS } from '../observe/metrics';

/** What a worker process has one of: where its log lines go (JSON, standard error), and where its metrics are read. */
export function installRuntime({ name, metrics }: WorkerSpec): void {
  const logger = new DefaultLogger('INFO', ({ level, timestampNanos, message, meta }) =>
    process.stderr.write(`${JSON.stringify({ time: new Date(Number(timestampNanos / 1_000_000n)).toISOString(), level, worker: name, message, ...meta }, errorsInWords)}\n`));
  try {
    Runtime.install({
      shutdownSignals: ['SIGTERM', 'SIGINT'],
      logger,
      telemetryOptions: {
        logging: { forward: {}, filter: makeTelemetryFilterString({ core: 'WARN' }) },
        ...(metrics !== undefined && {
          metrics: {
            globalTags: { worker: name },
            prometheus: { bindAddress: metrics, countersTotalSuffix: true, unitSuffix: true, useSecondsForDurations: true, histogramBucketOverrides: HISTOGRAMS },
          },
        }),
      },
    });
  } catch (error) {
    if (metrics === undefined || !(error instanceof Error) || !error.message.includes('prometheus')) throw error;
    throw new ShoalError('CONFIG', `The metrics of the worker "${name}" can't be read at ${metrics}: ${error.message}.`, {
      remedy: 'Give `metrics` of the worker an address of this machine that nobody listens at.', details: { worker: name, metrics }, cause: error,
    });
  }
}

const errorsInWords = (_key: string, value: unknown) => (value instanceof Error ? { name: value.name, message: value.message, stack: value.stack } : value);
