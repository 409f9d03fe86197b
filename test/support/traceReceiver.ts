import { Receiver } from './receiver';

export interface Span { traceId: string; spanId: string; parentSpanId?: string; name: string; service: string; attributes: Record<string, unknown> }

interface Otlp { resourceSpans: { resource: { attributes: Attribute[] }; scopeSpans: { spans: (Omit<Span, 'attributes' | 'service'> & { attributes: Attribute[] })[] }[] }[] }
interface Attribute { key: string; value: { stringValue?: string; intValue?: number; doubleValue?: number; boolValue?: boolean } }

/** An OTLP/HTTP receiver (JSON) that keeps the spans it is sent. */
export class TraceReceiver {
  private readonly receiver = new Receiver(() => ({ status: 200, headers: { 'content-type': 'application/json' } }));

  /** Returns the environment that leads there. */
  async start(): Promise<Record<string, string>> {
    const port = await this.receiver.start();
    return { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json', OTEL_BSP_SCHEDULE_DELAY: '200' };
  }

  get spans(): Span[] {
    return this.receiver.at('/v1/traces').flatMap(({ body }) => (JSON.parse(body.toString('utf8')) as Otlp).resourceSpans.flatMap(({ resource, scopeSpans }) =>
      scopeSpans.flatMap(({ spans }) => spans.map((span) => ({ ...span, service: String(values(resource.attributes)['service.name']), attributes: values(span.attributes) })))));
  }

  stop = () => this.receiver.stop();
}

const values = (attributes: Attribute[]): Record<string, unknown> => Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
