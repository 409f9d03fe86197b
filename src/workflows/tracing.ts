import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { workflowInfo, type WorkflowInterceptorsFactory } from '@temporalio/workflow';
import type { Around } from '../domain/around';
import { takeSpans } from './around';

/**
 * Traces of workflows. Whether a run is traced is in its history: it was, when it was started with a trace's header. So it goes on the same
 * wherever it is replayed, and a run that is not traced loads nothing of this. A run that lives for months makes no spans: what it starts, asks
 * and signals belongs to the trace of the last message it heard.
 */

const HEADER = '_tracer-data';
const LONG_LIVED = ['model', 'release'];

type Headers = Record<string, Payload>;

export const interceptors: WorkflowInterceptorsFactory = () => {
  const longLived = LONG_LIVED.includes(workflowInfo().workflowType);
  let traced: ReturnType<typeof load> | undefined;
  let cause: Payload | undefined;
  const hear = (headers: Headers) => { if (longLived) cause = headers[HEADER]; };
  const passOn = <I extends { headers: Headers }>(input: I): I => (cause ? { ...input, headers: { ...input.headers, [HEADER]: cause } } : input);

  return {
    internals: [{
      activate(input, next) {
        const started = input.activation.jobs?.[0]?.initializeWorkflow;
        const header = started?.headers?.[HEADER] as Payload | undefined;
        if (header && (longLived || !isSampled(header))) cause = header;
        else if (header) traced ??= load();
        next(input);
      },
      dispose(input, next) {
        if (traced) void traced.internals.dispose(input, next as never);
        else next(input);
      },
    }],
    inbound: [{
      execute: (input, next) => (traced ? traced.inbound.execute(input, next) : next(input)),
      handleSignal(input, next) {
        hear(input.headers);
        return traced ? traced.inbound.handleSignal(input, next) : next(input);
      },
      handleUpdate(input, next) {
        hear(input.headers);
        return traced ? traced.inbound.handleUpdate(input, next) : next(input);
      },
      // No spans of queries and validators: they are not in the history, and an id of a span takes from the random numbers that are.
    }],
    outbound: [{
      scheduleActivity: (input, next) => (traced ? traced.outbound.scheduleActivity(input, next) : next(passOn(input))),
      scheduleLocalActivity: (input, next) => (traced ? traced.outbound.scheduleLocalActivity(input, next) : next(passOn(input))),
      startChildWorkflowExecution: (input, next) => (traced ? traced.outbound.startChildWorkflowExecution(input, next) : next(passOn(input))),
      signalWorkflow: (input, next) => (traced ? traced.outbound.signalWorkflow(input, next) : next(passOn(input))),
      continueAsNew: (input, next) => (traced ? traced.outbound.continueAsNew(input, next) : next(input)),
      getLogAttributes: (input, next) => (traced ? traced.outbound.getLogAttributes(input, next) : next(input)),
    }],
  };
};

/** A trace that nobody keeps is only passed on. Its last two digits say so: https://www.w3.org/TR/trace-context/#traceparent-header */
const isSampled = (header: Payload): boolean =>
  (Number.parseInt(defaultPayloadConverter.fromPayload<{ traceparent?: string }>(header).traceparent?.slice(-2) ?? '0', 16) & 1) === 1;

/** Only where a run is traced: modules are evaluated anew for every run. */
function load() {
  /* eslint-disable @typescript-eslint/no-require-imports, no-restricted-globals */
  const { OpenTelemetryInboundInterceptor, OpenTelemetryInternalsInterceptor, OpenTelemetryOutboundInterceptor } = require('@temporalio/interceptors-opentelemetry/lib/workflow') as typeof import('@temporalio/interceptors-opentelemetry/lib/workflow');
  const { SpanStatusCode, trace } = require('@opentelemetry/api') as typeof import('@opentelemetry/api');
  /* eslint-enable @typescript-eslint/no-require-imports, no-restricted-globals */
  const loaded = { inbound: new OpenTelemetryInboundInterceptor(), outbound: new OpenTelemetryOutboundInterceptor(), internals: new OpenTelemetryInternalsInterceptor() };
  const tracer = trace.getTracer('shoal');
  const around: Around = (name, attributes, work) => tracer.startActiveSpan(name, { attributes }, async (span) => {
    try {
      return await work();
    } catch (error) {
      span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.message : String(error) });
      throw error;
    } finally {
      span.end();
    }
  });
  takeSpans(around);
  return loaded;
}
