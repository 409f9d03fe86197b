import { ShoalError } from '../domain/errors';

type Environment = Record<string, string | undefined>;

/** Whether the standard OpenTelemetry environment asks for traces: an OTLP endpoint is named, and nothing says no. */
export function tracesWanted(env: Environment): boolean {
  if (env.OTEL_SDK_DISABLED?.toLowerCase() === 'true' || env.OTEL_TRACES_EXPORTER === 'none') return false;
  return Boolean(env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ?? env.OTEL_EXPORTER_OTLP_ENDPOINT);
}

/** @throws ShoalError CONFIG for what Shoal has no exporter for. */
export function tracesProtocol(env: Environment): 'http/protobuf' | 'http/json' {
  const protocol = env.OTEL_EXPORTER_OTLP_TRACES_PROTOCOL ?? env.OTEL_EXPORTER_OTLP_PROTOCOL ?? 'http/protobuf';
  if (protocol === 'http/protobuf' || protocol === 'http/json') return protocol;
  throw new ShoalError('CONFIG', `Traces can't be sent by ${protocol} (OTEL_EXPORTER_OTLP_PROTOCOL).`, {
    remedy: 'Set it to http/protobuf or http/json; a collector takes both, usually on port 4318.', details: { protocol },
  });
}

/** A program that Shoal runs in takes traces by itself: what Shoal does is then part of them. Looks without loading anything. */
export const tracesElsewhere = (): boolean =>
  Boolean((globalThis as Record<symbol, { trace?: unknown } | undefined>)[Symbol.for('opentelemetry.js.api.1')]?.trace);
