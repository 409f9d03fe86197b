import type { ActivityInterceptorsFactory, InjectedSinks } from '@temporalio/worker';
import type { Tracing } from '../observe';
import { subjectOf, type Subject } from './subject';

/** Says on every log line of an activity what it is about, and which run of the workflow it is of. (The SDK says which activity of which workflow it is.) */
export const saysSubject: ActivityInterceptorsFactory = ({ info }) => {
  const runId = info.workflowExecution?.runId;
  let subject: Subject = {};
  return {
    inbound: {
      execute: (input, next) => {
        subject = subjectOf(input.args);
        return next(input);
      },
    },
    outbound: { getLogAttributes: (input, next) => next({ ...input, ...(runId !== undefined && { runId }), ...defined(subject) }) },
  };
};

/** Also on the line that the SDK logs of an activity that failed, when its span has ended. */
const saysTrace = (tracing: Tracing): ActivityInterceptorsFactory => () => {
  let span: ReturnType<Tracing['current']>;
  return {
    inbound: {
      execute: (input, next) => {
        span = tracing.current();
        return next(input);
      },
    },
    outbound: { getLogAttributes: (input, next) => next({ ...input, ...span }) },
  };
};

const defined = (subject: Subject): Record<string, unknown> => Object.fromEntries(Object.entries(subject).filter(([, value]) => value !== undefined));

/** What workers do for traces: spans of activities, and the way out for spans of workflows. */
export function workerTracing(tracing: Tracing | undefined): { activity: ActivityInterceptorsFactory[]; sinks: InjectedSinks<{ exporter: { export(...args: unknown[]): void } }> } {
  // A workflow that was begun under traces goes on the same where none are taken: its spans go nowhere.
  const nowhere = { exporter: { export: { fn: () => undefined } } };
  if (!tracing) return { activity: [], sinks: nowhere };
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  const { makeWorkflowExporter, OpenTelemetryActivityInboundInterceptor } = require('@temporalio/interceptors-opentelemetry/lib/worker') as typeof import('@temporalio/interceptors-opentelemetry/lib/worker');
  const { exporting } = tracing;
  return {
    activity: [(context) => ({ inbound: new OpenTelemetryActivityInboundInterceptor(context) }), saysTrace(tracing)],
    sinks: exporting ? { exporter: makeWorkflowExporter(exporting.processor, exporting.resource) as unknown as typeof nowhere['exporter'] } : nowhere,
  };
}
