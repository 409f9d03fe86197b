import path from 'node:path';
import { Shoal } from '../../client';
import { embeddedEndpoint, isAlive, namedEndpoint, readEmbeddedServer, stateFolder } from '../../client/connect';
import { registerSearchAttributes } from '../../client/searchAttributes';
import { loadProject } from '../../config';
import { ShoalError } from '../../domain/errors';
import { bold, dim, green, print, printJson, red, rule } from '../output';
import { onceEnded } from '../ended';
import { startServer } from '../server';
import { startWorkers } from '../workerProcesses';
import { play } from './scenes';
import { Stage } from './stage';

/** What an interrupted story left running, so that this one begins from nothing. */
async function endLeftover(projectFile: string): Promise<void> {
  const left = readEmbeddedServer(projectFile);
  if (!left) return;
  if (isAlive(left.owner)) throw new ShoalError('COMMAND_REFUSED', 'The story is being played already.', { remedy: `End it first: it is process ${left.owner}.` });
  await (await startServer(projectFile, { namespace: 'default' })).stop();
}

/** Plays the story in a project of its own beside the project file, from an empty store: it takes some minutes. */
export async function story(options: { project: string; json: boolean }): Promise<number> {
  const folder = path.join(stateFolder(options.project), 'story');
  await endLeftover(path.join(folder, 'temporal.yaml'));
  const projectFile = Stage.prepare(folder);
  const project = await loadProject(projectFile, process.env);
  const ended = onceEnded();
  const named = namedEndpoint(project);
  const server = named ? undefined : await startServer(projectFile, { namespace: project.temporal.namespace });
  try {
    const endpoint = named ?? embeddedEndpoint(project, server!);
    const shoal = await Shoal.connect({ projectFile, project, endpoint });
    await registerSearchAttributes(shoal.temporal, endpoint.namespace).finally(() => shoal.close());
    const workers = await startWorkers(project, projectFile, server?.address);
    // Where the result is for a program, people read along on standard error.
    const say = options.json ? (line = '') => void process.stderr.write(`${line}\n`) : print;
    const stage = await Stage.open(projectFile, endpoint, say);
    try {
      say(dim(`Each verdict is in the Temporal UI too: ${stage.link('release/box-office')}`));
      const playing = play(stage);
      const scenes = await Promise.race([playing, ended]);
      if (scenes === undefined) {
        playing.catch(() => undefined);
        return 130;
      }
      const wrong = scenes.filter((scene) => scene.found !== scene.expected);
      if (options.json) printJson({ scenes });
      else {
        print();
        print(rule('What happened'));
        for (const { name, expected, found } of scenes) print(`${found === expected ? green('✓') : red('✗')} ${bold(name)}: ${found}${found === expected ? '' : ` (it should be: ${expected})`}`);
      }
      return wrong.length === 0 ? 0 : 1;
    } finally {
      await stage.close();
      await workers.stop();
    }
  } finally {
    await server?.stop();
  }
}
