import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received { path: string; headers: IncomingHttpHeaders; body: Buffer; at: number }

/** A real HTTP server that keeps what it is sent; `answer` says with which status (nothing: not at all), by path. */
export class Receiver {
  readonly received: Received[] = [];
  private server: Server | undefined;

  constructor(private readonly answer: (request: Received, before: number) => { status: number; headers?: Record<string, string> } | undefined = () => ({ status: 204 })) {}

  async start(port = 0): Promise<number> {
    this.server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const received = { path: request.url!, headers: request.headers, body: Buffer.concat(chunks), at: Date.now() };
        const before = this.received.filter(({ path }) => path === received.path).length;
        this.received.push(received);
        const answer = this.answer(received, before);
        if (answer) response.writeHead(answer.status, answer.headers).end();
      });
    });
    await new Promise<void>((resolve, reject) => this.server!.once('error', reject).listen(port, '127.0.0.1', resolve));
    return this.port;
  }

  get port(): number {
    return (this.server!.address() as AddressInfo).port;
  }

  at = (path: string): Received[] => this.received.filter((r) => r.path === path);

  async stop(): Promise<void> {
    const { server } = this;
    if (!server) return;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
  const receiver = new Receiver();
  const port = await receiver.start();
  await receiver.stop();
  return port;
}
