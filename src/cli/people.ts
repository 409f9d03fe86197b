import type { Command } from 'commander';
import type { Shoal } from '../client';
import { ShoalError } from '../domain/errors';
import { print, printJson } from './output';

interface Given { reason: string; by?: string }

/** The commands by which people step into a chain's releases. */
export function addPeopleCommands(program: Command, { withShoal, json }: { withShoal(work: (shoal: Shoal) => Promise<void>): Promise<void>; json(): boolean }): void {
  const command = (usage: string, description: string) => program.command(usage).description(description)
    .requiredOption('-r, --reason <text>', 'why, for the record')
    .option('--by <name>', 'who, for the record; the user of this process when left out');
  const say = (result: unknown, words: string) => (json() ? printJson(result ?? { ok: true }) : print(words));

  const simple = (name: 'approve' | 'refuse' | 'pause' | 'resume' | 'force', description: string, done: string) =>
    command(`${name} <chain>`, description).action((chain: string, word: Given) => withShoal(async (shoal) => {
      await shoal[name](chain, word);
      say(undefined, `${chain}: ${done}`);
    }));

  simple('approve', 'let the candidate that waits for approval go on', 'the candidate goes on.');
  simple('refuse', 'end the candidate under way', 'the candidate is refused.');
  simple('pause', 'keep the candidate under way where it is', 'the candidate is paused.');
  simple('resume', 'let a paused candidate go on', 'the candidate goes on.');
  simple('force', 'promote the candidate under way now, whatever is still to be judged', 'the candidate is being promoted.');

  command('weight <chain> <share>', 'set the share of live requests that the candidate answers: 0.2 or 20%')
    .action((chain: string, text: string, word: Given) => withShoal(async (shoal) => {
      const weight = text.endsWith('%') ? Number(text.slice(0, -1)) / 100 : Number(text);
      if (!(weight >= 0 && weight <= 1)) throw new ShoalError('COMMAND_REFUSED', `${text} is not a share.`, { remedy: 'Give a number from 0 to 1, or a percentage.' });
      await shoal.setWeight(chain, weight, word);
      say({ weight }, `${chain}: the candidate answers ${text} of the requests.`);
    }));

  command('rollback <chain>', 'go back to the release before, or to a named one')
    .option('--to <number>', 'the release to go back to', Number)
    .action((chain: string, word: Given & { to?: number }) => withShoal(async (shoal) => {
      const result = await shoal.rollback(chain, word);
      say(result, `${chain}: release ${result.number} is in place.`);
    }));

  command('propose <chain> <versions...>', 'ask for a release with these versions: model=version ...')
    .option('--force', 'promote it unjudged', false)
    .action((chain: string, versions: string[], word: Given & { force: boolean }) => withShoal(async (shoal) => {
      const pairs = versions.map((text) => text.split('='));
      const wrong = pairs.findIndex((pair) => pair.length !== 2 || pair.includes(''));
      if (wrong >= 0) throw new ShoalError('COMMAND_REFUSED', `"${versions[wrong]}" names no version.`, { remedy: 'Write model=version, as in genre=3f2a9c1b77d0.' });
      const result = await shoal.propose(chain, Object.fromEntries(pairs) as Record<string, string>, word);
      say(result, `${chain}: candidate ${result.number} is proposed.`);
    }));
}
