import { readFileSync } from 'node:fs';
import type { SpanExporter } from '@opentelemetry/sdk-trace-base';
import { ShoalError } from '../domain/errors';
import { given, tracesProtocol } from './environment';

/* eslint-disable @typescript-eslint/no-require-imports */

/**
 * What sends spans as the environment says; only that one is loaded. Endpoint, headers, timeout and compression it reads itself, by gRPC the
 * certificates too; by HTTP they are handed to it.
 *
 * @throws ShoalError CONFIG for a protocol that there is no exporter for, and certificates that can't be used
 */
export function traceExporter(env: NodeJS.ProcessEnv): SpanExporter {
  const protocol = tracesProtocol(env);
  const httpAgentOptions = { keepAlive: true, ...certificates(env) };
  switch (protocol) {
    case 'grpc':
      return new (require('@opentelemetry/exporter-trace-otlp-grpc') as typeof import('@opentelemetry/exporter-trace-otlp-grpc')).OTLPTraceExporter();
    case 'http/json':
      return new (require('@opentelemetry/exporter-trace-otlp-http') as typeof import('@opentelemetry/exporter-trace-otlp-http')).OTLPTraceExporter({ httpAgentOptions });
    case 'http/protobuf':
      return new (require('@opentelemetry/exporter-trace-otlp-proto') as typeof import('@opentelemetry/exporter-trace-otlp-proto')).OTLPTraceExporter({ httpAgentOptions });
  }
}

/** Whom to trust, and who one is. Where a file can't be read the exporters would send nothing and say nothing. */
function certificates(env: NodeJS.ProcessEnv): { ca?: Buffer; cert?: Buffer; key?: Buffer } {
  const [ca, cert, key] = [read(env, 'CERTIFICATE'), read(env, 'CLIENT_CERTIFICATE'), read(env, 'CLIENT_KEY')];
  if (Boolean(cert) !== Boolean(key)) {
    const [has, lacks] = cert ? ['CERTIFICATE', 'KEY'] : ['KEY', 'CERTIFICATE'];
    throw new ShoalError('CONFIG', `OTEL_EXPORTER_OTLP_CLIENT_${has} is set, and OTEL_EXPORTER_OTLP_CLIENT_${lacks} is not.`, { remedy: 'A collector that asks for a certificate needs both.' });
  }
  return { ...(ca && { ca }), ...(cert && key && { cert, key }) };
}

function read(env: NodeJS.ProcessEnv, name: string): Buffer | undefined {
  const { variable, value } = given(env, name) ?? {};
  if (!variable || !value) return undefined;
  try {
    return readFileSync(value);
  } catch (cause) {
    throw new ShoalError('CONFIG', `${variable} names ${value}, which can't be read: ${cause instanceof Error ? cause.message : String(cause)}.`, { remedy: 'Give the path of a PEM file, from the folder that the process is started in.', details: { variable, file: value } });
  }
}
