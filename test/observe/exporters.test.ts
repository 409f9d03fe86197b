import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import { GrpcReceiver } from '../support/grpcReceiver';
import { freePort, Receiver } from '../support/receiver';

jest.setTimeout(60_000);

const run = promisify(execFile);

/** A span of a process of its own, which sends what it has before it ends. */
const send = async (env: Record<string, string>): Promise<{ loaded: string[]; said: string[] }> =>
  JSON.parse((await run(process.execPath, [path.join(__dirname, '../support/tracedSpan.cjs')], { env: { ...process.env, ...env } })).stdout) as { loaded: string[]; said: string[] };
const refusal = (env: Record<string, string>): Promise<string> => send(env).then(() => 'none', (error: { stderr: string }) => error.stderr);

let folder: string;
let tls: { cert: Buffer; key: Buffer };
const certificate = () => path.join(folder, 'cert.pem');
const key = () => path.join(folder, 'key.pem');
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'shoal-tls-'));
  await run('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=localhost',
    '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', key(), '-out', certificate()]);
  tls = { cert: readFileSync(certificate()), key: readFileSync(key()) };
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('spans by gRPC', () => {
  let receiver: GrpcReceiver;
  beforeEach(() => { receiver = new GrpcReceiver(); });
  afterEach(() => receiver.stop());

  it('arrive whole, and no other exporter is loaded for them', async () => {
    const port = await receiver.start();
    expect(await send({ OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' })).toEqual({ loaded: ['grpc'], said: [] });
    expect(receiver.spans).toEqual([expect.objectContaining({ name: 'sent', service: 'probe', attributes: { 'shoal.chain': 'flats' }, compressed: false })]);
  });

  it('take what is said of traces alone before what is said of everything: protocol, endpoint, headers', async () => {
    const port = await receiver.start();
    await send({
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${await freePort()}`, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `http://127.0.0.1:${port}`,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json', OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'grpc',
      OTEL_EXPORTER_OTLP_HEADERS: 'tenant=all,of=everything', OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'tenant=traces',
    });
    expect(receiver.spans.map(({ metadata }) => [metadata.get('tenant'), metadata.get('of')])).toEqual([[['traces'], ['everything']]]);
  });

  it('are given up on when the timeout has passed', async () => {
    const port = await receiver.start({ delayMs: 20_000 });
    const started = Date.now();
    const { said } = await send({ OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc', OTEL_EXPORTER_OTLP_TIMEOUT: '500' });
    expect(said).toEqual([expect.stringMatching(/deadline|timeout/i)]);
    expect(Date.now() - started).toBeLessThan(9_000);
  });

  it('go through TLS to a collector that asks who is there', async () => {
    const port = await receiver.start({ tls });
    const to = { OTEL_EXPORTER_OTLP_ENDPOINT: `https://localhost:${port}`, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc', OTEL_EXPORTER_OTLP_TIMEOUT: '2000' };
    await send({ ...to, OTEL_EXPORTER_OTLP_CERTIFICATE: certificate() });
    expect(receiver.spans).toEqual([]);
    await send({ ...to, OTEL_EXPORTER_OTLP_CERTIFICATE: certificate(), OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE: certificate(), OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY: key() });
    expect(receiver.spans).toHaveLength(1);
  });
});

describe('spans by HTTP', () => {
  it.each([['http/protobuf', 'proto', 'application/x-protobuf'], ['http/json', 'http', 'application/json'], ['', 'proto', 'application/x-protobuf']])('as %j arrive with the headers', async (protocol, loaded, type) => {
    const receiver = new Receiver(() => ({ status: 200 }));
    try {
      const port = await receiver.start();
      expect(await send({ OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`, OTEL_EXPORTER_OTLP_PROTOCOL: protocol, OTEL_EXPORTER_OTLP_HEADERS: 'tenant=one' })).toEqual({ loaded: [loaded], said: [] });
      expect(receiver.at('/v1/traces').map(({ headers }) => [headers['content-type'], headers.tenant])).toEqual([[type, 'one']]);
    } finally {
      await receiver.stop();
    }
  });

  it('go through TLS to a collector that asks who is there', async () => {
    const names: string[] = [];
    const server = createServer({ ...tls, ca: tls.cert, requestCert: true, rejectUnauthorized: true }, (request, response) => {
      names.push(String((request.socket as TLSSocket).getPeerCertificate().subject.CN));
      request.resume().on('end', () => response.end());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const to = { OTEL_EXPORTER_OTLP_ENDPOINT: `https://localhost:${(server.address() as AddressInfo).port}`, OTEL_EXPORTER_OTLP_TIMEOUT: '2000', OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: certificate(), OTEL_EXPORTER_OTLP_CLIENT_KEY: key() };
      await send(to);
      expect(names).toEqual([]);
      await send({ ...to, OTEL_EXPORTER_OTLP_CERTIFICATE: certificate() });
      expect(names).toEqual(['localhost']);
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });
});

describe('what traces can\'t be sent with is said', () => {
  const to = { OTEL_EXPORTER_OTLP_ENDPOINT: 'https://localhost:4317' };
  it.each(['grpc', 'http/protobuf'])('nobody who listens, by %s', async (protocol) => {
    const { said } = await send({ OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${await freePort()}`, OTEL_EXPORTER_OTLP_PROTOCOL: protocol, OTEL_EXPORTER_OTLP_TIMEOUT: '1500' });
    expect(said).toEqual([expect.stringMatching(/^Traces can't be sent .*(ECONNREFUSED|UNAVAILABLE|deadline|timeout)/i)]);
  });

  it.each([
    ['a protocol that there is none of', { OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'zipkin' }, /Traces can't be sent by zipkin \(OTEL_EXPORTER_OTLP_TRACES_PROTOCOL\)\./],
    ['a certificate that is not there', { OTEL_EXPORTER_OTLP_CERTIFICATE: '/nowhere/ca.pem' }, /OTEL_EXPORTER_OTLP_CERTIFICATE names \/nowhere\/ca\.pem, which can't be read: ENOENT/],
    ['a key without its certificate', { OTEL_EXPORTER_OTLP_CLIENT_KEY: __filename }, /OTEL_EXPORTER_OTLP_CLIENT_KEY is set, and OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE is not\./],
  ])('%s', async (_, env, words) => expect(await refusal({ ...to, ...env })).toMatch(words));
});
