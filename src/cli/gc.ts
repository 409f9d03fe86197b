import { confirm } from './confirm';
import type { Shoal } from '../client';
import { ShoalError } from '../domain/errors';
import { COLLECTED, type CollectedKind, type Collection } from '../domain/retention';
import { bytes, dim, print, printJson, rule, table, yellow } from './output';

export interface GcOptions { dryRun: boolean; yes: boolean; json: boolean }

const WHAT: Record<CollectedKind, string> = {
  versions: 'versions', releases: 'releases', notes: 'notes and reports of what is gone', objects: 'objects', logs: 'parts of logs', checkpoints: 'checkpoints', scratch: 'files never finished',
};
const SHOWN = 10;

/** Shows what nothing needs, asks, and removes it. */
export async function gc(shoal: Shoal, { dryRun, yes, json }: GcOptions): Promise<void> {
  if (dryRun || !yes) {
    const plan = await shoal.collectGarbage({ dryRun: true });
    if (dryRun && json) return printJson(plan);
    if (!json) show(plan);
    if (dryRun || isEmpty(plan)) return json ? printJson(plan) : undefined;
    const answer = await confirm('Remove it?');
    if (answer === undefined) throw new ShoalError('COMMAND_REFUSED', 'Nothing was removed: there is no terminal to ask on.', { remedy: 'Say --yes to remove it, or --dry-run to look only.' });
    if (!answer) return print('Nothing was removed.');
  }
  const collection = await shoal.collectGarbage();
  if (json) printJson(collection);
  else show(collection);
}

const isEmpty = ({ removed }: Collection): boolean => COLLECTED.every((kind) => removed[kind].count === 0);

function show(collection: Collection): void {
  const { dryRun, removed, kept, versions, releases, notes } = collection;
  print(rule(dryRun ? 'what nothing needs' : 'removed'));
  if (isEmpty(collection)) print('Nothing: all there is is needed, or not old enough to go.');
  else print(table(['', 'number', 'size'], COLLECTED.filter((kind) => removed[kind].count > 0).map((kind) => [WHAT[kind], String(removed[kind].count), bytes(removed[kind].bytes)]), { right: [1, 2] }));
  const named = [...releases.map(({ chain, number, reason }) => [`release ${number} of ${chain}`, reason]), ...versions.map(({ model, id, reason }) => [`${model} ${id}`, reason])];
  if (named.length > 0) print(`\n${table(['which', 'why'], named.slice(0, SHOWN), { wrap: 1 })}`);
  if (named.length > SHOWN) print(dim(`and ${named.length - SHOWN} more`));
  print(dim(`${dryRun ? 'Would stay' : 'Kept'}: ${kept.releases} releases, ${kept.versions} versions, ${kept.count} objects, ${bytes(kept.bytes)}.`));
  for (const note of notes) print(yellow(note));
}
