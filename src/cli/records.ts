import type { Command } from 'commander';
import { Shoal, type Explanation, type ExplainQuestion, type Lineage, type LineageQuestion } from '../client';
import { explanationOf } from '../client/explanation';
import { lineageOf } from '../client/lineage';
import { NO_LEDGER, Records } from '../client/records';
import { loadProject } from '../config';
import { ShoalError } from '../domain/errors';
import type { ProjectSpec } from '../domain/spec';
import { openStore } from '../store/fileStore';
import { explanationInWords } from './explain';
import { lineageAsTree } from './lineage';
import { reportQuestion } from './openReport';
import { print, printJson } from './output';

interface Common { project: string; json: boolean }

/** The commands that read back what was made and decided. They work from the store alone when the server is away. */
export function addRecordCommands(program: Command, common: () => Common): void {
  program.command('explain <name> [which]')
    .description('why a version (by its id) or a release (by its number), the newest by default, was promoted or refused')
    .option('--chain', 'the chain, where a model has the same name', false)
    .option('--run <number>', 'of a model: the version of that run, or why it came to none', Number)
    .action(async (name: string, which: string | undefined, { chain, run }: { chain: boolean; run?: number }) => {
      const explanation = await withRecords(common().project, (project, reader) =>
        reader.explain({ ...asked(project, { name, which, chain }), ...(run !== undefined && { run }) }));
      if (common().json) printJson(explanation);
      else print(explanationInWords(explanation));
    });

  program.command('lineage <name> [which]')
    .description('what a version (by its id), a release (by its number) or a prediction was made of, drawn as a tree')
    .option('--chain', 'the chain, where a model has the same name', false)
    .option('--prediction <id>', 'of a chain: the prediction of that id')
    .action(async (name: string, which: string | undefined, { chain, prediction }: { chain: boolean; prediction?: string }) => {
      const lineage = await withRecords(common().project, (project, reader) =>
        reader.lineage(prediction === undefined ? asked(project, { name, which, chain }) : { chain: name, prediction }));
      if (common().json) printJson(lineage);
      else print(lineageAsTree(lineage));
    });
}

const asked = (project: ProjectSpec, of: { name: string; which?: string; chain: boolean }): Extract<ExplainQuestion & LineageQuestion, object> =>
  reportQuestion(project, of);

interface Reader { explain(of: ExplainQuestion): Promise<Explanation>; lineage(of: LineageQuestion): Promise<Lineage> }

async function withRecords<T>(projectFile: string, read: (project: ProjectSpec, reader: Reader) => Promise<T>): Promise<T> {
  const project = await loadProject(projectFile, process.env);
  let shoal: Shoal;
  try {
    shoal = await Shoal.connect({ projectFile, project });
  } catch (error) {
    if (!(error instanceof ShoalError) || error.code !== 'SERVER_UNREACHABLE') throw error;
    const records = new Records(project, await openStore(project.store), NO_LEDGER);
    return read(project, { explain: (of) => explanationOf(of, records), lineage: (of) => lineageOf(of, { records, answerOf: () => Promise.resolve(undefined) }) });
  }
  return read(project, shoal).finally(() => shoal.close());
}
