import { Server, ServerCredentials, type Metadata, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { parse } from 'protobufjs';

/** What the test reads of OTLP's messages, by OTLP's own numbers. */
const { root } = parse(`syntax = "proto3";
message Request { repeated ResourceSpans resource_spans = 1; }
message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
message Resource { repeated KeyValue attributes = 1; }
message KeyValue { string key = 1; AnyValue value = 2; }
message AnyValue { string string_value = 1; }
message ScopeSpans { repeated Span spans = 2; }
message Span { string name = 5; repeated KeyValue attributes = 9; }`);

type Attributes = { key: string; value: { stringValue: string } }[];
interface Request { resourceSpans: { resource: { attributes: Attributes }; scopeSpans: { spans: { name: string; attributes: Attributes }[] }[] }[] }

export interface GrpcSpan { name: string; service: string | undefined; attributes: Record<string, string>; metadata: Metadata; compressed: boolean }

/** An OTLP/gRPC receiver that keeps the spans it is sent. */
export class GrpcReceiver {
  readonly spans: GrpcSpan[] = [];
  private readonly server = new Server();

  /** Returns its port. `tls`: PEM; asks for a certificate that the same authority signed. `delayMs`: how long it takes to answer. */
  async start({ tls, delayMs = 0 }: { tls?: { cert: Buffer; key: Buffer }; delayMs?: number } = {}): Promise<number> {
    this.server.addService({
      export: {
        path: '/opentelemetry.proto.collector.trace.v1.TraceService/Export', requestStream: false, responseStream: false,
        requestSerialize: (bytes: Buffer) => bytes, requestDeserialize: (bytes: Buffer) => bytes, responseSerialize: (bytes: Buffer) => bytes, responseDeserialize: (bytes: Buffer) => bytes,
      },
    }, {
      export: ({ request, metadata }: { request: Buffer; metadata: Metadata }, answer: (error: null, bytes: Buffer) => void) => {
        this.keep(root.lookupType('Request').decode(request) as unknown as Request, metadata);
        setTimeout(() => answer(null, Buffer.alloc(0)), delayMs).unref();
      },
    } as unknown as UntypedServiceImplementation);
    const credentials = tls ? ServerCredentials.createSsl(tls.cert, [{ cert_chain: tls.cert, private_key: tls.key }], true) : ServerCredentials.createInsecure();
    return new Promise((resolve, reject) => this.server.bindAsync('127.0.0.1:0', credentials, (error, port) => (error ? reject(error) : resolve(port))));
  }

  stop = (): void => this.server.forceShutdown();

  private keep({ resourceSpans }: Request, metadata: Metadata): void {
    for (const { resource, scopeSpans } of resourceSpans) {
      for (const { name, attributes } of scopeSpans.flatMap(({ spans }) => spans)) {
        this.spans.push({ name, service: values(resource.attributes)['service.name'], attributes: values(attributes), metadata, compressed: metadata.get('grpc-encoding').includes('gzip') });
      }
    }
  }
}

const values = (attributes: Attributes): Record<string, string> => Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue]));
