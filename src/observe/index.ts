import { tracesElsewhere, tracesWanted } from './environment';
import type { Tracing, TracingOptions } from './tracing';

/** As `startTracing`, and nothing of OpenTelemetry is loaded where nobody asks for traces. */
export function tracingFrom(env: NodeJS.ProcessEnv, of: TracingOptions): Tracing | undefined {
  if (!tracesElsewhere() && !tracesWanted(env)) return undefined;
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  return (require('./tracing') as typeof import('./tracing')).startTracing(env, of);
}

export type { Tracing } from './tracing';
