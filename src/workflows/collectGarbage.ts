import { proxyActivities, setCurrentDetails } from '@temporalio/workflow';
import type { UpkeepActivities } from '../activities';
import { COLLECTED, type Collection } from '../domain/retention';
import { refuse } from './failures';
import type { CollectGarbageInput } from './messages';

/** Removes from the store what no release, run or retention rule needs. What was removed, and why, is its result. */
export async function collectGarbage(asked: CollectGarbageInput): Promise<Collection> {
  if (!asked?.dataQueue) throw refuse('COMMAND_REFUSED', 'A collection is told its retention and queue: start it by its schedule, `gc`, or by `shoal gc`.');
  const { dataQueue, ...input } = asked;
  const activities = proxyActivities<UpkeepActivities>({
    taskQueue: dataQueue,
    scheduleToCloseTimeout: '6 hours',
    startToCloseTimeout: '2 hours',
    heartbeatTimeout: '30 seconds',
    retry: { initialInterval: '5 seconds', maximumInterval: '5 minutes', maximumAttempts: 10 },
    summary: input.dryRun ? 'look for what nothing needs' : 'remove what nothing needs',
  });
  const collection = await activities.collectGarbage(input);
  setCurrentDetails(details(collection));
  return collection;
}

function details({ dryRun, removed, kept, versions, releases, notes }: Collection): string {
  const gone = [...releases.map(({ chain, number, reason }) => `- release ${number} of ${chain}: ${reason}`), ...versions.map(({ model, id, reason }) => `- ${model} ${id}: ${reason}`)];
  return [
    dryRun ? 'Would be removed:' : 'Removed:',
    ['| | number | bytes |', '|---|---|---|', ...COLLECTED.map((kind) => `| ${kind} | ${removed[kind].count} | ${removed[kind].bytes} |`)].join('\n'),
    `Kept: ${kept.releases} releases, ${kept.versions} versions, ${kept.count} objects of ${kept.bytes} bytes.`,
    gone.slice(0, SHOWN).join('\n'),
    ...notes,
  ].filter(Boolean).join('\n\n');
}

const SHOWN = 40;
