import { access, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { parseProject } from '../config';
import { isVariableName } from '../config/environment';
import { projectText } from '../config/writeProject';
import { inputPowers, type InputPower } from '../data/leaks';
import { loadTable } from '../data/loadTable';
import { filesSource, withSurvey, type Surveyed } from '../data/survey';
import { validateModelData } from '../data/validate';
import { slug } from '../domain/columnNames';
import { ShoalError } from '../domain/errors';
import { DEFAULT_CHECKS } from '../domain/dataRules';
import { decideColumns, decideFeeding, decideTarget, targetCandidates, type ForecastChoice, type Proposal, type ProposedPlace, type TargetDecision } from '../domain/proposal';
import { regularFrequency, usualHorizon } from '../domain/regularity';
import type { ModelSpec, ProjectSpec, SourceSpec } from '../domain/spec';
import { tableNameParts } from '../domain/tableNames';
import { ask, confirm } from './confirm';
import { bold, print, printJson, rule, table } from './output';

export interface InitOptions { project: string; postgres?: string; table?: string; target?: string; task?: TargetDecision['task']; name?: string; yes: boolean; json: boolean }

/** Starts a project from data files, or from a table of a database: looks at them, proposes models, says why, and writes temporal.yaml. */
export async function init(files: string[], options: InitOptions): Promise<void> {
  const file = path.resolve(options.project);
  await assertAbsent(file, options.project);
  const { source, place } = placeAsked(files, file, options);
  const { proposal, text } = await withSurvey(source, async (surveyed) => propose(surveyed, await withAnswers(surveyed, options), { place, file, name: options.name ?? source.name }));
  if (!options.json) show(proposal, options.project);
  if (!options.yes && !options.json && (await confirm(`Write ${options.project}?`)) === false) return print('Nothing was written.');
  await writeFile(file, text, { flag: 'wx' }).catch((cause: NodeJS.ErrnoException) => {
    throw new ShoalError('CONFIG', cause.code === 'EEXIST' ? `${options.project} is there already.` : `${options.project} can't be written: ${cause.message}.`, { remedy: 'Name another with --project.', cause });
  });
  if (options.json) return printJson({ file, ...proposal, text });
  print(`\nWrote ${bold(options.project)}. Next: ${bold('shoal check')}, then ${bold('shoal up')}.`);
}

async function assertAbsent(file: string, named: string): Promise<void> {
  if (await access(file).then(() => true, () => false)) {
    throw new ShoalError('CONFIG', `${named} is there already, and is not overwritten.`, { remedy: 'Work in another folder, or name another file with --project.', details: { file } });
  }
}

/** Asks a person for the target, where there is one and it was not named. */
async function withAnswers(surveyed: Surveyed, options: InitOptions): Promise<Pick<InitOptions, 'target' | 'task'>> {
  const candidates = targetCandidates(surveyed);
  if (options.target !== undefined || options.yes || options.json || candidates.length < 2) return options;
  const [likeliest] = candidates;
  const answer = await ask(`Which column is to be predicted? (${candidates.slice(0, 8).map(({ column }) => column).join(', ')}) [${likeliest!.column}] `);
  return answer === undefined || answer.trim() === '' ? options : { ...options, target: answer.trim() };
}

/** @throws ShoalError CONFIG when it is not said, or said twice, where the rows are */
function placeAsked(files: string[], file: string, { postgres, table: named }: InitOptions): { source: SourceSpec; place: ProposedPlace } {
  const asked = (message: string) => new ShoalError('CONFIG', message, { remedy: 'Name data files, or a table: `shoal init --postgres WAREHOUSE --table public.sales`, with the address of the database in the environment variable WAREHOUSE.' });
  if (postgres === undefined && named === undefined) {
    if (files.length === 0) throw asked('It is not said where the rows are.');
    const relative = files.map((data) => (path.isAbsolute(data) ? data : path.relative(path.dirname(file), path.resolve(data)) || data));
    return { source: filesSource(files), place: { paths: relative } };
  }
  if (files.length > 0) throw asked('Both files and a table are named.');
  if (postgres === undefined || named === undefined) throw asked(`${postgres === undefined ? '--postgres' : '--table'} is missing.`);
  const parts = tableNameParts(named);
  if (!parts || !isVariableName(postgres)) throw asked(parts ? '--postgres wants the name of an environment variable, not an address.' : `${named} is not the name of a table.`);
  return { source: { name: slug(parts.at(-1)!), postgres, table: named, key: [] }, place: { postgres, table: named } };
}

interface Where { place: ProposedPlace; file: string; name: string }

async function propose(surveyed: Surveyed, asked: Pick<InitOptions, 'target' | 'task'>, { place, file, name }: Where): Promise<{ proposal: Proposal; text: string }> {
  const decision = decideTarget(surveyed, asked);
  if (!/^[a-z0-9][a-z0-9-]{0,63}$/.test(name)) throw new ShoalError('CONFIG', `"${name}" can't be a project's name.`, { remedy: 'Use lower-case letters, digits and dashes.' });
  const powers = decision.task === 'forecast' ? [] : await powersOf(surveyed, decision);
  const warnAt = DEFAULT_CHECKS.leakage.warnAt;
  const leaks = powers.filter(({ copy, value }) => copy || value >= warnAt);
  const columns = decideColumns(surveyed, decision.target, leaks);
  const forecast = decision.task === 'forecast' ? await forecastOf(surveyed, decision.target) : undefined;
  if (forecast) {
    for (const column of columns) {
      if (column.column === forecast.time) Object.assign(column, { role: 'time', reason: forecast.reason });
      else if (column.column === forecast.series) Object.assign(column, { role: 'series', reason: 'it tells series apart' });
      else if (column.role !== 'target') Object.assign(column, { role: 'left out', reason: 'a forecast reads only what is known of the future: name it in `inputs` if this is' });
    }
  }
  const inputs = columns.filter(({ role }) => role === 'input');
  if (!forecast && inputs.length === 0) {
    throw new ShoalError('CONFIG', `Nothing is left to predict "${decision.target}" from: ${columns.filter(({ role }) => role !== 'target').map(({ column, reason }) => `${column}: ${reason}`).join('; ')}.`, {
      remedy: 'Name another column with --target, or write temporal.yaml by hand.' });
  }
  const { feeding, reason: chainReason } = forecast ? { feeding: undefined, reason: 'One model: a forecast.' } : decideFeeding(surveyed, columns, powers, decision.target);
  const names = surveyed.columns.map(({ name: column }) => column);
  const model = names.includes(slug(decision.target)) && slug(decision.target) !== decision.target ? `${slug(decision.target)}-model` : slug(decision.target);
  const notes = [chainReason, ...(await regularNote(surveyed, decision))];
  const proposal: Proposal = { name, place, survey: { rows: surveyed.rows, key: surveyed.key }, decision, columns, model, feeding, forecast, notes };
  const { text, project } = checked(proposal, file);
  for (const spec of Object.values(project.models)) await validateModelData(spec, surveyed.snapshot, { store: surveyed.store });
  return { proposal, text };
}

/** With names as people write them, or, where one looks like another's, each spelled out. */
function checked(proposal: Proposal, file: string): { text: string; project: ProjectSpec } {
  const plain = projectText(proposal);
  try {
    return { text: plain, project: parseProject(plain, { file, env: {} }) };
  } catch (error) {
    if (!(error instanceof ShoalError)) throw error;
    const spelled = projectText(proposal, { bare: false });
    return { text: spelled, project: parseProject(spelled, { file, env: {} }) };
  }
}

/** How well each column alone says the target, measured as the check before a training does. */
async function powersOf({ snapshot, store, columns }: Surveyed, { target, task, scale }: TargetDecision): Promise<InputPower[]> {
  const spec = { task, target, scale, holdout: 0.25, training: { folds: 5 }, inputs: [] } as unknown as ModelSpec;
  const inputs = columns.filter(({ name, distinct, type }) => name !== target && distinct > 1 && type !== 'vector').map(({ name, type }) => ({ name, type }));
  return inputPowers(spec, inputs, { store, snapshot });
}

async function forecastOf(surveyed: Surveyed, target: string): Promise<ForecastChoice> {
  const dates = surveyed.columns.filter(({ type }) => type === 'date');
  if (dates.length === 0) throw new ShoalError('CONFIG', 'There is no column of dates, which a forecast needs.', { remedy: 'Leave out --task, or make a date of what says when, with the source\'s `sql`.' });
  const categories = surveyed.columns.filter(({ type, distinct, name, missing }) => type === 'category' && name !== target && distinct > 1 && missing === 0);
  for (const date of dates) {
    for (const series of [undefined, ...categories]) {
      const found = await regularity(surveyed, date.name, series?.name);
      if (found) {
        return { time: date.name, frequency: found.frequency, horizon: usualHorizon(found.frequency, found.periods), series: series?.name, reason: `its dates follow each other by ${found.frequency}` };
      }
    }
  }
  throw new ShoalError('CONFIG', `The dates in ${dates.map(({ name }) => `"${name}"`).join(', ')} do not follow each other regularly, one row a period.`, {
    remedy: 'Add up the rows of a period with the source\'s `sql`, or leave out --task.' });
}

async function regularity({ store, snapshot }: Surveyed, time: string, series?: string) {
  const { table: rows } = await loadTable(store, snapshot, [{ name: time, type: 'date' }, ...(series ? [{ name: series, type: 'category' as const }] : [])]);
  const days = rows.columns[time]!.values as Float64Array;
  const frequency = regularFrequency(days, series ? (rows.columns[series]!.values as (string | null)[]) : undefined);
  return frequency && { frequency, periods: new Set(days).size };
}

async function regularNote(surveyed: Surveyed, { task, target }: TargetDecision): Promise<string[]> {
  if (task !== 'regression') return [];
  const forecast = await forecastOf(surveyed, target).catch((error: unknown) => { if (error instanceof ShoalError) return undefined; throw error; });
  return forecast ? [`${forecast.time} is regular, by ${forecast.frequency}: \`shoal init --task forecast\` would forecast ${target} instead.`] : [];
}

const WIDTH = () => Math.min(process.stdout.columns ?? 80, 120);

function show({ survey, decision, columns, model, feeding, forecast, notes }: Proposal, file: string): void {
  print(rule(`${survey.rows} rows, ${columns.length} columns`));
  const order = ['target', 'time', 'series', 'key', 'input', 'known later', 'left out'];
  const sorted = [...columns].sort((a, b) => order.indexOf(a.role) - order.indexOf(b.role));
  print(table(['column', 'as', 'why'], sorted.map(({ column, role, reason }) => [short(column), role === 'target' ? bold(role) : role, reason]), { wrap: 2 }));
  print(`\n${rule(file)}`);
  for (const reason of decision.reasons) wrapped(`${reason}.`);
  wrapped(survey.key.length > 0 ? `key: ${survey.key.join(', ')} ${survey.key.length === 1 ? 'names' : 'together name'} each row.` : 'key: no column names a row, so that its whole content does.');
  if (forecast) wrapped(`forecast: ${forecast.horizon} periods ahead by ${forecast.frequency}, from ${forecast.time}${forecast.series ? `, one series for each ${forecast.series}` : ''}.`);
  wrapped(`models: ${feeding ? `${feeding.name} → ` : ''}${model}`);
  for (const note of notes) wrapped(note);
}

const short = (text: string): string => (text.length > 28 ? `${text.slice(0, 27)}…` : text);

function wrapped(text: string): void {
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && stripVTControlCharacters(`${line} ${word}`).length > WIDTH()) {
      print(line);
      line = '  ';
    }
    line = line === '' || line === '  ' ? `${line}${word}` : `${line} ${word}`;
  }
  print(line);
}
