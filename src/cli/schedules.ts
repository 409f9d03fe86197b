import type { Command } from 'commander';
import type { ScheduleView, Shoal } from '../client';
import { dim, print, printJson, table, when, yellow } from './output';

/** `shoal schedule`: what the project does by itself at certain times. */
export function addScheduleCommands(program: Command, { withShoal, json }: { withShoal(work: (shoal: Shoal) => Promise<void>): Promise<void>; json(): boolean }): void {
  const schedule = program.command('schedule').description('what the project does by itself at certain times: retraining, looks for new data, monitoring, tidying');
  const say = (result: unknown, words: string) => (json() ? printJson(result) : print(words));

  schedule.command('list', { isDefault: true }).description('what starts next, what started last, what is paused')
    .action(() => withShoal(async (shoal) => {
      const views = await shoal.schedules.list();
      say(views, views.length > 0 ? schedulesTable(views) : 'There are no schedules yet: `shoal up` or `shoal schedule apply` makes those of temporal.yaml.');
    }));
  schedule.command('apply').description('make, change and remove schedules to be as temporal.yaml says; `shoal up` does it too')
    .action(() => withShoal(async (shoal) => {
      const applied = await shoal.schedules.apply();
      const told = Object.entries(applied).flatMap(([did, ids]: [string, string[]]) => ids.map((id) => `${did} ${id}`));
      say(applied, told.join('\n') || 'All schedules are as temporal.yaml says.');
    }));
  schedule.command('pause <id>').description('start nothing by it until it is resumed').requiredOption('-r, --reason <text>', 'why, for the record')
    .action((id: string, { reason }: { reason: string }) => withShoal(async (shoal) => {
      await shoal.schedules.pause(id, reason);
      say({ ok: true }, `${id} is paused.`);
    }));
  schedule.command('resume <id>').description('start by it again').option('-r, --reason <text>', 'why, for the record', 'resumed on the command line')
    .action((id: string, { reason }: { reason: string }) => withShoal(async (shoal) => {
      await shoal.schedules.resume(id, reason);
      say({ ok: true }, `${id} goes on.`);
    }));
  schedule.command('trigger <id>').description('start it now')
    .action((id: string) => withShoal(async (shoal) => {
      await shoal.schedules.trigger(id);
      say({ ok: true }, `${id} is started.`);
    }));
}

export const schedulesTable = (views: readonly ScheduleView[]): string => table(
  ['schedule', 'next', 'last', ''],
  views.map(({ id, note, next, starts, paused }) => [
    id, paused !== undefined ? yellow('paused') : next ? when(next) : '', starts[0] ? when(starts[0].at) : dim('never'), paused ? `${paused} (${note})` : dim(note),
  ]),
  { wrap: 3 },
);
