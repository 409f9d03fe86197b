import { SpanStatusCode, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { globalErrorHandler, setGlobalErrorHandler } from '@opentelemetry/core';
import { detectResourcesSync, envDetectorSync, Resource } from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { OpenTelemetryWorkflowClientInterceptor } from '@temporalio/interceptors-opentelemetry/lib/client';
import type { WorkflowClientInterceptor } from '@temporalio/client';
import { packageVersion } from '../packageInfo';
import type { Around } from '../domain/around';
import { tracesElsewhere, tracesWanted } from './environment';
import { traceExporter } from './exporter';

export interface Tracing {
  around: Around;
  clientInterceptor: WorkflowClientInterceptor;
  /** The span that is under way, as log lines name it. */
  current(): { trace_id: string; span_id: string } | undefined;
  /** Sends what is still to be sent. */
  flush(): Promise<void>;
  /** What spans of workflows go through; none where the program itself takes traces. */
  exporting?: { processor: BatchSpanProcessor; resource: Resource };
}

export interface TracingOptions {
  service: string;
  /** Is told when spans can't be sent: OpenTelemetry itself says nothing of it. */
  warn(message: string): void;
}

const TRACER = 'shoal';
const REASONS = 5;

/** One a process. */
let started: Tracing | undefined;

/** Takes traces as the standard environment says, or into the program's own; undefined where neither asks for any. */
export function startTracing(env: NodeJS.ProcessEnv, { service, warn }: TracingOptions): Tracing | undefined {
  if (started) return started;
  if (tracesElsewhere()) return tracingOf(undefined);
  if (!tracesWanted(env)) return undefined;
  const resource = new Resource({ 'service.name': service, 'service.version': packageVersion }).merge(detectResourcesSync({ detectors: [envDetectorSync] }));
  const processor = new BatchSpanProcessor(traceExporter(env));
  const provider = new BasicTracerProvider({ resource, spanProcessors: [processor] });
  sayFailures(warn);
  provider.register({ contextManager: new AsyncLocalStorageContextManager().enable() });
  return started = tracingOf({ processor, resource });
}

/** Each reason once, and not more of them than somebody reads: a collector that is away fails every few seconds. */
function sayFailures(warn: (message: string) => void): void {
  const said = new Set<string>();
  setGlobalErrorHandler((error) => {
    const reason = typeof error === 'string' ? error : error.message ?? error.name ?? 'no reason is given';
    if (said.has(reason) || said.size === REASONS) return;
    said.add(reason);
    warn(`Traces can't be sent as OTEL_EXPORTER_OTLP_ENDPOINT and its like say: ${reason}. What was done is not affected.`);
  });
}

/** Somebody who waits asks twice a second: that is no part of the story. */
function withoutQuestions(all: OpenTelemetryWorkflowClientInterceptor): WorkflowClientInterceptor {
  return {
    start: (input, next) => all.start(input, next),
    startWithDetails: (input, next) => all.startWithDetails(input, next),
    signal: (input, next) => all.signal(input, next),
    signalWithStart: (input, next) => all.signalWithStart(input, next),
    startUpdate: (input, next) => all.startUpdate(input, next),
    startUpdateWithStart: (input, next) => all.startUpdateWithStart(input, next),
  };
}

function tracingOf(own: Tracing['exporting']): Tracing {
  const tracer = trace.getTracer(TRACER, packageVersion);
  return {
    around: (name, attributes, work) => tracer.startActiveSpan(name, { attributes }, async (span) => {
      try {
        return await work();
      } catch (error) {
        span.recordException(error as Error);
        span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.message : String(error) });
        throw error;
      } finally {
        span.end();
      }
    }),
    clientInterceptor: withoutQuestions(new OpenTelemetryWorkflowClientInterceptor()),
    current: () => {
      const span = trace.getActiveSpan()?.spanContext();
      return span && { trace_id: span.traceId, span_id: span.spanId };
    },
    flush: async () => { await own?.processor.forceFlush().catch(globalErrorHandler); },
    exporting: own,
  };
}
