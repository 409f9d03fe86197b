import { ShoalError } from '../domain/errors';

type Environment = Record<string, string | undefined>;

/** A setting of the OTLP exporter: of traces alone, or of all that is exported. An empty one is none, as OpenTelemetry says. */
export function given(env: Environment, name: string): { variable: string; value: string } | undefined {
  for (const variable of [`OTEL_EXPORTER_OTLP_TRACES_${name}`, `OTEL_EXPORTER_OTLP_${name}`]) {
    const value = env[variable]?.trim();
    if (value) return { variable, value };
  }
  return undefined;
}

/** Whether the standard OpenTelemetry environment asks for traces: an OTLP endpoint is named, and nothing says no. */
export function tracesWanted(env: Environment): boolean {
  if (env.OTEL_SDK_DISABLED?.toLowerCase() === 'true' || env.OTEL_TRACES_EXPORTER === 'none') return false;
  return given(env, 'ENDPOINT') !== undefined;
}

const PROTOCOLS = ['http/protobuf', 'http/json', 'grpc'] as const;
export type Protocol = (typeof PROTOCOLS)[number];

/** @throws ShoalError CONFIG for what Shoal has no exporter for. */
export function tracesProtocol(env: Environment): Protocol {
  const { variable, value } = given(env, 'PROTOCOL') ?? { value: 'http/protobuf' };
  const protocol = PROTOCOLS.find((known) => known === value);
  if (protocol) return protocol;
  throw new ShoalError('CONFIG', `Traces can't be sent by ${value} (${variable}).`, {
    remedy: 'Set it to grpc, which a collector takes on port 4317 as a rule, or to http/protobuf or http/json, which it takes on port 4318.', details: { protocol: value },
  });
}

/** A program that Shoal runs in takes traces by itself: what Shoal does is then part of them. Looks without loading anything. */
export const tracesElsewhere = (): boolean =>
  Boolean((globalThis as Record<symbol, { trace?: unknown } | undefined>)[Symbol.for('opentelemetry.js.api.1')]?.trace);
