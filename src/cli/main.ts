#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { styleText } from 'node:util';
import { Command, CommanderError, Option } from 'commander';
import { explain, setUp } from '../../scripts/setup/index.mjs';
import { Shoal, type Batch, type ImportOptions, type ProjectStatus } from '../client';
import { loadProject } from '../config';
import { parseRows, readRows } from '../data/rows';
import { ShoalError } from '../domain/errors';
import { EXIT, exitCodeOf } from '../domain/exitCodes';
import { shownProject } from '../domain/hooks';
import type { Row } from '../domain/prediction';
import { packageVersion } from '../packageInfo';
import { lifecycleWorkflowId, type Step } from '../workflows/messages';
import { progressBar } from './bar';
import { addCompletionCommand } from './completion';
import { gc } from './gc';
import { init, type InitOptions } from './init';
import { addPeopleCommands } from './people';
import { askedReport, openInBrowser, type ReportOptions } from './openReport';
import { dim, print, printJson } from './output';
import { outcomeLine, showProgress } from './progress';
import { addRecordCommands } from './records';
import { chainTable, decisionsBlock, modelTable } from './report';
import { morning } from './status';
import { addScheduleCommands } from './schedules';
import { story } from './story';
import { up } from './up';

interface Common { project: string; json: boolean }

export const program = new Command('shoal')
  .description('Many small models that move as one.')
  .version(packageVersion)
  .addOption(new Option('-p, --project <file>', 'the project').default('temporal.yaml').env('SHOAL_PROJECT'))
  .option('--json', 'one JSON document instead of words', false)
  .configureHelp({ showGlobalOptions: true })
  .showSuggestionAfterError()
  .showHelpAfterError('See `shoal --help`, or `shoal help <command>`.')
  .exitOverride();

const common = (): Common => program.opts<Common>();

program.command('up')
  .description('start server and workers, bring models and chains up to date, show how they do')
  .option('--exit', 'end when that is done, leaving no process behind', false)
  .action(async (options: { exit: boolean }) => { process.exitCode = await up({ ...common(), ...options }); });

program.command('story')
  .description('play what keeps a chain safe, on the films of the quick start: a few minutes, in a project of its own')
  .action(async () => { process.exitCode = await story(common()); });

program.command('train [models...]')
  .description('ask for a run of the models (all by default) and of those they take inputs from')
  .option('--no-wait', 'return as soon as the runs are asked for')
  .option('--reason <text>', 'why, for the record', 'asked on the command line')
  .action((models: string[], options: { wait: boolean; reason: string }) => withShoal(async (shoal) => {
    await follow(shoal, await shoal.train(models.length > 0 ? models : undefined, { trigger: 'person', reason: options.reason }), options);
  }));

program.command('import <model> <file>')
  .description('bring in a ready ONNX file as a version of a model: it goes through the same checks and gates')
  .option('--outputs <file>', 'cross-fitted outputs (Parquet), where other models or the interval need them')
  .option('--classes <names...>', 'of a classification, in the order of its probabilities')
  .option('--unseen', 'the file was not trained on the source\'s rows', false)
  .option('--no-wait', 'return as soon as the run is asked for')
  .option('--reason <text>', 'why, for the record')
  .action((model: string, file: string, { wait, reason, ...options }: ImportOptions & { wait: boolean; reason?: string }) => withShoal(async (shoal) => {
    await follow(shoal, await shoal.importVersion(model, file, { ...options, trigger: 'person', ...(reason !== undefined && { reason }) }), { wait });
  }));

program.command('predict <chain>')
  .description('predict rows of a JSON, JSON lines, CSV or Parquet file, or of standard input')
  .option('-i, --input <file>', 'the rows; standard input (JSON, JSON lines or CSV) when left out')
  .option('--score', 'a file of any size: the answer is a Parquet file in the store', false)
  .action((chain: string, options: { input?: string; score: boolean }) => withShoal(async (shoal) => {
    if (options.score) {
      if (!options.input) throw new ShoalError('REQUEST_EMPTY', '--score needs a file.', { remedy: 'Name it: --input rows.parquet' });
      const bar = progressBar();
      const answer = await shoal.score(chain, options.input, {
        onProgress: common().json ? undefined : ({ phase, ...of }) => bar.show({ what: phase === 'copying' ? 'copying the rows' : `answering by ${chain}`, ...of }),
      }).finally(() => bar.end());
      return common().json ? printJson(answer) : print(await shoal.download(answer.result!));
    }
    const answer = await shoal.predict(chain, await rowsFrom(options.input));
    if (common().json) return printJson(answer);
    for (const output of answer.outputs ?? []) print(JSON.stringify(output));
  }));

program.command('outcomes <chain>')
  .description('record what came of predictions: rows with `key` (or the key columns of the source) and `value` (or the target)')
  .option('-i, --input <file>', 'JSON, JSON lines, CSV or Parquet; standard input (JSON, JSON lines or CSV) when left out')
  .action((chain: string, options: { input?: string }) => withShoal(async (shoal) => {
    const { recorded } = await shoal.recordOutcomes(chain, await rowsFrom(options.input));
    if (common().json) return printJson({ chain, recorded });
    print(`Recorded ${recorded} ${recorded === 1 ? 'outcome' : 'outcomes'} of chain ${chain}.`);
  }));

program.command('status')
  .description('what waits for a person, went wrong, runs, was decided since yesterday and comes next; one line for each chain')
  .option('-a, --all', 'the scores of every model and chain, and the last decisions', false)
  .action((options: { all: boolean }) => withShoal(async (shoal) => {
    const status = await shoal.status();
    if (common().json) return printJson(status);
    if (status.models.length === 0) return print('Nothing has run yet: `shoal up` or `shoal train` makes the first versions.');
    if (!options.all) return print(morning(status, { now: new Date(), steps: await newestSteps(shoal, status) }));
    print(modelTable(status));
    for (const chain of status.chains) print(`\n${chainTable(chain)}\n${decisionsBlock(chain) || chain.activity}`);
  }));

addRecordCommands(program, common);
addCompletionCommand(program);
addScheduleCommands(program, { withShoal, json: () => common().json });
addPeopleCommands(program, { withShoal, json: () => common().json });

program.command('report <name> [which]')
  .description('the report of a model\'s version (by its id) or of a chain\'s release (by its number), of the newest by default: its HTML file')
  .option('--chain', 'the chain, where a model has the same name', false)
  .option('--open', 'show it in the browser', false)
  .action(async (name: string, which: string | undefined, options: ReportOptions) => {
    const report = await askedReport({ name, which, projectFile: common().project, ...options });
    if (common().json) printJson(report);
    else print(report.file);
    if (report.url && !common().json) process.stderr.write(`${dim(report.url)}\n`);
    if (options.open) await openInBrowser(report.url ?? report.file);
  });

program.command('gc')
  .description('remove from the store what no release, run or retention rule needs')
  .option('--dry-run', 'say what that would be, and remove nothing', false)
  .option('-y, --yes', 'do not ask', false)
  .action((options: { dryRun: boolean; yes: boolean }) => withShoal((shoal) => gc(shoal, { ...options, json: common().json })));

program.command('init <data...>')
  .description('start a project from a data file (CSV, TSV, JSON, JSON lines, Parquet, .gz, globs): looks at it, proposes a model, writes temporal.yaml')
  .option('-t, --target <column>', 'what is to be predicted; asked for, or found by rules, when left out')
  .addOption(new Option('--task <task>', 'what kind of prediction; by the target when left out').choices(['regression', 'classification', 'forecast']))
  .option('-n, --name <name>', 'the project\'s name; the file\'s when left out')
  .option('-y, --yes', 'do not ask', false)
  .action((data: string[], options: Omit<InitOptions, 'project' | 'json'>) => init(data, { ...options, ...common() }));

program.command('check')
  .description('validate the project file')
  .action(async () => {
    const { project: file, json } = common();
    const project = await loadProject(file, process.env);
    if (json) return printJson({ ok: true, project: shownProject(project) });
    print(`${file} is right: ${Object.keys(project.models).length} models, ${Object.keys(project.chains).length} chains.`);
    for (const chain of Object.values(project.chains)) print(`${chain.name}: ${chain.stages.map((s) => s.model).join(' → ')}`);
  });

program.command('setup')
  .description('fetch and build, once a machine, what npm does not bring: native parts and a Temporal server')
  .action(async () => {
    try {
      const { server, cache } = await setUp();
      if (common().json) printJson({ server, cache });
    } catch (error) {
      process.stderr.write(`${explain(error)}\n`);
      process.exitCode = 1;
    }
  });

/** Waits until the runs have ended, showing how they do, unless nobody wants to. */
async function follow(shoal: Shoal, batch: Batch, { wait }: { wait: boolean }): Promise<void> {
  const { json } = common();
  if (!wait) return json ? printJson(batch) : print(`Asked for runs of ${batch.models.join(', ')}.`);
  const status = json ? await shoal.settled(batch) : await showProgress(shoal, batch, { live: Boolean(process.stdout.isTTY) });
  const views = status.models.filter((m) => batch.models.includes(m.model));
  if (json) printJson({ batch, models: views, chains: status.chains });
  else if (process.stdout.isTTY) views.forEach((view) => print(`${view.model.padEnd(20)} ${outcomeLine(view)}`));
  const came = views.map((m) => m.runs.find((run) => run.batches?.includes(batch.id))?.status);
  if (came.includes('failed')) process.exitCode = EXIT.failed.code;
  else if (came.includes('refused')) process.exitCode = EXIT.refused.code;
}

/** By model. A run that the server has forgotten has none. */
async function newestSteps(shoal: Shoal, { models }: ProjectStatus): Promise<Record<string, Step[]>> {
  const asked = models.flatMap((m) => (m.runs[0] ? [{ model: m.model, id: lifecycleWorkflowId(m.model, m.runs[0].run) }] : []));
  return Object.fromEntries(await Promise.all(asked.map(async ({ model, id }) => [model, (await shoal.lifecycle(id))?.steps ?? []] as const)));
}

async function withShoal(work: (shoal: Shoal) => Promise<void> | void): Promise<void> {
  const shoal = await Shoal.connect({ projectFile: common().project });
  try {
    await work(shoal);
  } finally {
    await shoal.close();
  }
}

async function rowsFrom(file: string | undefined): Promise<Row[]> {
  if (file) return readRows(path.resolve(file));
  const text = readFileSync(0, 'utf8');
  return parseRows(text, /^\s*[[{]/.test(text) ? (/^\s*\[/.test(text) ? 'json' : 'jsonl') : 'csv');
}

function report(error: unknown): void {
  // It has said what is wrong, or has helped, already.
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? EXIT.ok.code : EXIT.usage.code;
    return;
  }
  const known = error instanceof ShoalError;
  if (common().json) printJson({ error: known ? { code: error.code, message: error.message, details: error.details } : { code: 'INTERNAL', message: String(error) } });
  else process.stderr.write(`${styleText('red', 'error', { stream: process.stderr })} ${known ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = exitCodeOf(error);
}

// A command that is done ends at once: gRPC connections would keep the process for a moment. What was printed goes out first, also into a pipe.
if (require.main === module) void program.parseAsync().catch(report).then(() => process.stdout.write('', () => process.exit()));
