import { Webhook } from 'standardwebhooks';
import type { ShoalEvent } from '../domain/events';
import type { WebhookSpec } from '../domain/hooks';
import { packageVersion } from '../packageInfo';

/** How a delivery ended that did not fail at once. */
export type Reply =
  | { delivered: true; note: string }
  /** `forGood`: whoever is there says that trying again is no use. */
  | { delivered: false; reason: string; forGood?: boolean; retryAfterMs?: number };

const GONE = 410;

/**
 * Sends an event as the Standard Webhooks specification says (https://www.standardwebhooks.com): the body is the event; id, time of this attempt
 * and body are signed. Follows no redirect, and reads nothing of the answer but its status. Never throws, and never tells address or secret.
 */
export async function sendWebhook({ url, secret, headers, timeoutMs }: WebhookSpec, event: ShoalEvent, { signal, now }: { signal: AbortSignal; now: Date }): Promise<Reply> {
  const body = JSON.stringify(event);
  try {
    const answer = await fetch(url, {
      method: 'POST',
      redirect: 'manual',
      body,
      headers: {
        ...headers,
        'content-type': 'application/json',
        'user-agent': `shoal/${packageVersion}`,
        'webhook-id': event.id,
        'webhook-timestamp': String(Math.floor(now.getTime() / 1_000)),
        'webhook-signature': new Webhook(secret).sign(event.id, now, body),
      },
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    void answer.body?.cancel().catch(() => undefined);
    const { status } = answer;
    if (answer.ok) return { delivered: true, note: `answered ${status}` };
    if (status === GONE) return { delivered: false, forGood: true, reason: `It answered 410: it is gone for good. Take the hook out of temporal.yaml, or mend its address.` };
    if (status >= 300 && status < 400) return { delivered: false, reason: `It answered ${status}, a redirect, which is not followed.` };
    return { delivered: false, reason: `It answered ${status}.`, retryAfterMs: retryAfter(answer.headers.get('retry-after'), now.getTime()) };
  } catch (error) {
    if (signal.aborted) throw error;
    return { delivered: false, reason: isTimeout(error) ? `It did not answer within ${timeoutMs} ms.` : `It can't be reached: ${causeOf(error)}.` };
  }
}

const isTimeout = (error: unknown): boolean => (error as Partial<Error> | undefined)?.name === 'TimeoutError';

/** `fetch failed` says nothing; its cause says ECONNREFUSED. */
function causeOf(error: unknown): string {
  const cause = ((error as Error).cause ?? error) as NodeJS.ErrnoException;
  return cause.code ?? cause.message;
}

/** Seconds, or a date. */
function retryAfter(header: string | null, nowMs: number): number | undefined {
  if (header === null) return undefined;
  const ms = /^\d+$/.test(header.trim()) ? Number(header) * 1_000 : Date.parse(header) - nowMs;
  return Number.isFinite(ms) && ms > 0 ? ms : undefined;
}
