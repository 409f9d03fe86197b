import path from 'node:path';
import { Shoal } from '../../client';
import { embeddedEndpoint, namedEndpoint, stateFolder } from '../../client/connect';
import { registerSearchAttributes } from '../../client/searchAttributes';
import { loadProject } from '../../config';
import { bold, dim, green, print, printJson, red, rule } from '../output';
import { startServer } from '../server';
import { startWorkers } from '../workerProcesses';
import { play } from './scenes';
import { Stage } from './stage';

/** Plays the story in a project of its own beside the project file, from an empty store: it takes some minutes. */
export async function story(options: { project: string; json: boolean }): Promise<number> {
  const projectFile = Stage.prepare(path.join(stateFolder(options.project), 'story'));
  const project = await loadProject(projectFile, process.env);
  const named = namedEndpoint(project);
  const server = named ? undefined : await startServer(projectFile, { namespace: project.temporal.namespace });
  try {
    const endpoint = named ?? embeddedEndpoint(project, server!);
    const shoal = await Shoal.connect({ projectFile, project, endpoint });
    await registerSearchAttributes(shoal.temporal, endpoint.namespace).finally(() => shoal.close());
    const workers = await startWorkers(project, projectFile, server?.address);
    const stage = await Stage.open(projectFile, endpoint);
    try {
      print(dim(`Each verdict is in the Temporal UI too: ${stage.link('release/box-office')}`));
      const scenes = await play(stage);
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
