import { isIP } from 'node:net';
import { z } from 'zod';
import { EVENT_TYPES } from '../domain/events';
import { MAX_HOOK_TIMEOUT_MS, SECRET_PREFIX, type HookSpec } from '../domain/hooks';
import type { WorkerSpec } from '../domain/spec';
import { expectations } from './expectations';
import type { Path, Problem } from './problems';
import { milliseconds } from './schemaRollout';

/** Who is told of events; and where a worker's metrics are read. */

const DEFAULT_TIMEOUT = '10s';

/** What does not fit is never shown: it may be a secret. */
const duration = z.string().regex(/^\d+(\.\d+)?(ms|s|m)$/);
expectations.add(duration, { expects: 'a number and its unit, such as 500ms, 10s or 2m' });

const common = {
  events: z.array(z.enum(EVENT_TYPES)).min(1).default([...EVENT_TYPES]).describe('What it is told of; everything when absent.'),
  timeout: duration.default(DEFAULT_TIMEOUT).describe('How long one delivery may take: a number and `ms`, `s` or `m`, 5m at most. What took longer is tried again.'),
};

const OWN_HEADERS = ['content-type', 'content-length', 'host', 'user-agent', 'webhook-id', 'webhook-timestamp', 'webhook-signature'];

const webhookSchema = z.strictObject({
  url: z.string().refine(isHttp, { message: 'no address that starts with http:// or https://' }).describe('Where events are sent, as JSON, by POST.'),
  secret: z.string().refine(isSecret, { message: `no secret of a webhook: it must be \`${SECRET_PREFIX}\` and 24 to 64 bytes in base64` })
    .describe(`What they are signed with: \`${SECRET_PREFIX}\` and 24 to 64 bytes in base64, from an environment variable: \`\${HOOK_SECRET}\`.`),
  headers: z.record(
    z.string().regex(/^[!#$%&'*+.^_`|~\w-]+$/).refine((name) => !OWN_HEADERS.includes(name.toLowerCase()), { message: 'a header that Shoal sets itself' }),
    z.string().refine((value) => /^[\t\x20-\x7e\x80-\xff]*$/.test(value), { message: 'no value of a header: it has a line break or a letter beyond Latin-1' }),
  ).default({}).describe('Sent along.'),
  ...common,
}).describe('A signed request, after the Standard Webhooks specification.');

const commandSchema = z.strictObject({
  command: z.array(z.string()).min(1).describe('A program and its arguments, run in the folder of this document; no shell reads them. The event comes on standard input.'),
  ...common,
}).describe('A command.');

export const hookSchema = z.union([webhookSchema, commandSchema]).describe('Who is told of events.');
export type HookDocument = z.output<typeof hookSchema>;

export function resolveHook(name: string, hook: HookDocument, folder: string): { hook: HookSpec; problems: Problem[] } {
  const { events, timeout } = hook;
  const timeoutMs = milliseconds(timeout);
  const problems: Problem[] = timeoutMs > 0 && timeoutMs <= MAX_HOOK_TIMEOUT_MS ? [] : [{ path: ['hooks', name, 'timeout'], message: 'not in its range', expected: 'more than nothing, and 5m at most', found: `\`${timeout}\`` }];
  if ('command' in hook && hook.command[0] === '') problems.push({ path: ['hooks', name, 'command', 0], message: 'empty', expected: 'a program' });
  const base = { name, events, timeoutMs };
  if ('command' in hook) return { hook: { ...base, kind: 'command', command: hook.command, folder }, problems };
  const { url, secret, headers } = hook;
  return { hook: { ...base, kind: 'webhook', url, secret, headers }, problems };
}

function isHttp(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password } = new URL(text);
  return ['http:', 'https:'].includes(protocol) && username === '' && password === '';
}

function isSecret(text: string): boolean {
  const encoded = text.slice(SECRET_PREFIX.length);
  if (!text.startsWith(SECRET_PREFIX) || !/^[A-Za-z0-9+/]+={0,2}$/.test(encoded) || encoded.length % 4 !== 0) return false;
  const { length } = Buffer.from(encoded, 'base64');
  return length >= 24 && length <= 64;
}

export const metricsSchema = z.union([z.int().min(1).max(65_535), z.string().min(1)]).optional()
  .describe('Where its metrics are read by Prometheus, `/metrics`: a port of this machine, or `address:port`. Nowhere when absent.');

/** `127.0.0.1:9464`; undefined when it is no such thing. */
export function metricsAddress(written: string | number): string | undefined {
  const [, host = '127.0.0.1', port] = /^(?:(.+):)?(\d{1,5})$/.exec(String(written).trim()) ?? [];
  const address = host === 'localhost' ? '127.0.0.1' : host.replace(/^\[(.*)\]$/, '$1');
  if (port === undefined || Number(port) < 1 || Number(port) > 65_535 || isIP(address) === 0) return undefined;
  return `${isIP(address) === 6 ? `[${address}]` : address}:${Number(port)}`;
}

const everywhere = (host: string): boolean => ['0.0.0.0', '[::]'].includes(host);

/** Each worker is a process: no two can listen at one address. */
export function checkMetrics(workers: readonly { metrics?: string | number }[]): Problem[] {
  const taken: { host: string; port: string; index: number }[] = [];
  return workers.flatMap(({ metrics }, index): Problem[] => {
    if (metrics === undefined) return [];
    const path: Path = ['workers', index, 'metrics'];
    const address = metricsAddress(metrics);
    if (!address) return [{ path, message: 'no address to listen at', expected: 'a port, or an IP address and a port such as 0.0.0.0:9464', found: `\`${metrics}\`` }];
    const [host, port] = [address.slice(0, address.lastIndexOf(':')), address.slice(address.lastIndexOf(':') + 1)];
    const other = taken.find((one) => one.port === port && (one.host === host || everywhere(one.host) || everywhere(host)));
    taken.push({ host, port, index });
    return other ? [{ path, message: `the port ${port} is that of workers[${other.index}] already`, remedy: 'Each worker is a process of its own: give each its own port.' }] : [];
  });
}

export const resolveWorker = <W extends { metrics?: string | number }>({ metrics, ...rest }: W): Omit<W, 'metrics'> & Pick<WorkerSpec, 'metrics'> =>
  ({ ...rest, ...(metrics !== undefined && { metrics: metricsAddress(metrics) ?? String(metrics) }) });
