import type { ShoalEvent } from '../domain/events';
import type { Delivery } from './deliver';

/** What the Temporal UI shows of an event's delivery: Markdown. */
export function deliveryDetails(event: ShoalEvent, deliveries: Delivery[]): string {
  const about = [event.model, event.chain, event.version && `\`${event.version}\``, event.release !== undefined && `release ${event.release}`].filter(Boolean);
  return [
    `**${event.type}** of ${about.join(', ')}, ${event.at}`,
    '',
    event.reason,
    '',
    `Id \`${event.id}\`, the same in every delivery.`,
    '',
    '| hook | | at | attempts | |',
    '|---|---|---|---|---|',
    ...deliveries.map((d) => `| ${d.hook} | ${d.status} | ${d.at ?? ''} | ${d.attempts ?? ''} | ${(d.note ?? '').replace(/\s+/g, ' ').replaceAll('|', '\\|')} |`),
  ].join('\n');
}
