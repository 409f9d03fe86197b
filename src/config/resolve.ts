import { isAbsolute, resolve as resolvePath } from 'node:path';
import { checkProject } from '../domain/checkProject';
import { orderStages } from '../domain/graph';
import { unknown } from '../domain/graphProblem';
import { nearest } from '../domain/nearest';
import { MAIN_OUTPUT, OUTPUTS, upstreamOf } from '../domain/spec';
import type { InputSpec, ModelSpec, ProjectSpec, SourceSpec, Task, TrainerSpec } from '../domain/spec';
import { SEASON, defaultContext, defaultGates } from './defaults';
import { mapValues } from './mapValues';
import type { Problem } from './problems';
import { ownChains, resolveChain } from './resolveChain';
import type { Document, SourceDocument } from './schema';
import { checkMetrics, resolveHook, resolveWorker } from './schemaHooks';
import { resolveLabels } from './schemaLabels';
import { resolvePlace } from './resolvePlace';
import { resolveRule } from './schemaData';
import type { InputDocument, ModelDocument } from './schemaModel';
import { resolveRetrain, resolveSchedule } from './schemaRetrain';
import { resolveRetention } from './schemaRetention';
import { milliseconds } from './schemaRollout';
import type { TrainerDocument } from './schemaTrainer';

/**
 * Makes the project that everything works with of the document people write: shorthands spelled out, paths absolute, stages in order.
 * `folder` is what relative paths are relative to. The project is whole only when there are no problems.
 */
export function resolve(document: Document, folder: string): { project: ProjectSpec; problems: Problem[] } {
  const problems: Problem[] = [];
  const absolute = (path: string): string => (isAbsolute(path) ? path : resolvePath(folder, path));

  const sources = mapValues(document.sources, (source, name) => resolveSource(name, source, absolute, problems));
  const models = mapValues(document.models, (model, name) => resolveModel(name, model, document, problems));
  const declared = mapValues(document.chains, (chain, name) => resolveChain(name, chain, models, problems));
  const { name, temporal, workers } = document;
  const hooks = mapValues(document.hooks, (written, hookName) => {
    const resolved = resolveHook(hookName, written, absolute('.'));
    problems.push(...resolved.problems);
    return resolved.hook;
  });
  const project: ProjectSpec = {
    name, temporal, store: { path: absolute(document.store) }, retention: resolveRetention(document.retention), workers: workers.map(resolveWorker), sources, models,
    chains: { ...declared, ...ownChains(models, declared, problems) },
    retrain: {
      models: mapValues(document.models, (model) => resolveRetrain(model.retrain)),
      chains: mapValues(document.chains, (chain) => resolveSchedule(chain.retrain)),
    },
    ...(Object.keys(hooks).length > 0 && { hooks }),
  };
  problems.push(...checkWorkers(document), ...checkMetrics(workers), ...checkForecastPeriods(document, project), ...checkProject(project));
  if (problems.length === 0) project.chains = mapValues(project.chains, (chain) => orderStages(chain, models));
  return { project, problems };
}

function resolveSource(name: string, source: SourceDocument, absolute: (path: string) => string, problems: Problem[]): SourceSpec {
  const { sql, knownLater } = source;
  const rules = source.rules?.flatMap((rule, index) => {
    const resolved = resolveRule(rule, ['sources', name, 'rules', index]);
    problems.push(...resolved.problems);
    return resolved.rules;
  });
  const from = resolvePlace(name, source, absolute);
  problems.push(...from.problems);
  return { name, ...from.place, ...(sql === undefined ? {} : { sql }), key: [source.key].flat(), ...(rules && { rules }), ...(knownLater && { knownLater }) };
}

function resolveModel(name: string, model: ModelDocument, document: Document, problems: Problem[]): ModelSpec {
  const { inputs: written, gates = defaultGates(model.task), trainer, retrain: _retrain, ...rest } = model;
  const inputs = written.map((input, index) => {
    const problem = mistakenName(input, name, document);
    if (problem) problems.push({ path: ['models', name, 'inputs', index], ...problem });
    return apart(resolveInput(input, document.models), model.task);
  });
  const base = { ...rest, name, inputs, gates, ...(trainer && { trainer: resolveTrainer(trainer) }) };
  if (base.task === 'embedding') return base;
  if (base.task !== 'forecast') return { ...base, labels: resolveLabels(base.labels) };
  const season = base.season ?? SEASON[base.frequency];
  return { ...base, season, context: base.context ?? defaultContext(season), at: base.at ?? base.time };
}

function resolveTrainer({ taskQueue, activity, params, timeout, heartbeat }: TrainerDocument): TrainerSpec {
  return { taskQueue, activity, params, timeoutMs: milliseconds(timeout), ...(heartbeat !== undefined && { heartbeatMs: milliseconds(heartbeat) }) };
}

type ModelDocuments = Document['models'];

/** `genre` and `genre.label` name outputs where there is a model `genre`; all else names a column. */
export function resolveInput(input: InputDocument, models: ModelDocuments): InputSpec {
  if (typeof input === 'object') {
    if ('column' in input) return columnInput(input.column, input.type);
    return modelInput(input.model, input.output, models);
  }
  if (Object.hasOwn(models, input)) return modelInput(input, undefined, models);
  const [model, output] = splitOnce(input);
  return output !== undefined && Object.hasOwn(models, model) ? modelInput(model, output, models) : columnInput(input, undefined);
}

/** What a forecast's ONNX file reads beside its known-ahead inputs. */
const FORECAST_INPUTS = ['history', 'start', 'series'];

/** In an ONNX file all names share one space: a column called as the task's outputs are gets another name there. */
function apart(input: InputSpec, task: Task): InputSpec {
  const taken = [...Object.keys(OUTPUTS[task]), ...(task === 'forecast' ? FORECAST_INPUTS : [])];
  return taken.includes(input.name) ? { ...input, name: `input.${input.name}` } : input;
}

const columnInput = (column: string, type: (InputSpec & { kind: 'column' })['type']): InputSpec =>
  ({ kind: 'column', name: column, column, ...(type === undefined ? {} : { type }) });

function modelInput(model: string, output: string | undefined, models: ModelDocuments): InputSpec {
  const name = output ?? (Object.hasOwn(models, model) ? MAIN_OUTPUT[models[model]!.task] : 'value');
  return { kind: 'model', name: `${model}.${name}`, model, output: name };
}

function splitOnce(text: string): [string, string | undefined] {
  const dot = text.indexOf('.');
  return dot < 0 ? [text, undefined] : [text.slice(0, dot), text.slice(dot + 1)];
}

/** A bare name that is no model's but nearly: most likely a slip, unless the source's SQL makes a column of that name. */
function mistakenName(input: InputDocument, model: string, document: Document): Omit<Problem, 'path'> | undefined {
  if (typeof input !== 'string' || resolveInput(input, document.models).kind === 'model') return undefined;
  const [stem, output] = splitOnce(input);
  const sql = document.sources[document.models[model]!.source]?.sql;
  if (sql?.includes(input)) return undefined;
  const meant = nearest(stem, Object.keys(document.models).filter((other) => Math.min(stem.length, other.length) > 3));
  if (!meant || !isSlip(stem, meant)) return undefined;
  return {
    message: `there is no model \`${stem}\``,
    suggestion: output === undefined ? meant : `${meant}.${output}`,
    remedy: `If it is a column, write { column: ${input} }.`,
  };
}

/** Looser likenesses, such as `title` and `titles`, are more often two names than one. */
const isSlip = (written: string, meant: string): boolean => written.includes('-') || meant.includes('-') || [...written].sort().join('') === [...meant].sort().join('');

function checkWorkers({ workers, models: known }: Document): Problem[] {
  return workers.flatMap(({ name, roles, models = [], taskQueue }, index): Problem[] => {
    const path = ['workers', index];
    const problems: Problem[] = [];
    if (workers.findIndex((other) => other.name === name) !== index) problems.push({ path: [...path, 'name'], message: `two workers are called ${name}` });
    models.forEach((model, at) => {
      if (!Object.hasOwn(known, model)) problems.push({ path: [...path, 'models', at], ...unknown('model', model, Object.keys(known)) });
    });
    if (models.length > 0 && roles.includes('workflows')) {
      problems.push({ path: [...path, 'models'], message: 'workflows are of all models', remedy: 'Give the workflows a worker without `models`.' });
    }
    if (models.length > 0 && taskQueue !== undefined) {
      problems.push({ path: [...path, 'taskQueue'], message: 'a worker with `models` polls the queues of these models', remedy: 'Leave it out, or set the model\'s own `taskQueue`.' });
    }
    return problems;
  });
}

/** A forecast that feeds a model of another source is joined by period: that model's source must say which. */
function checkForecastPeriods({ models: documents }: Document, { models }: ProjectSpec): Problem[] {
  return Object.values(models).flatMap((model) => upstreamOf(model).flatMap((name): Problem[] => {
    const upstream = Object.hasOwn(models, name) ? models[name]! : undefined;
    const written = documents[name];
    if (upstream?.task !== 'forecast' || written?.task !== 'forecast' || written.at !== undefined || upstream.source === model.source) return [];
    return [{
      path: ['models', name], message: `the forecast ${name} feeds ${model.name}, and does not say for which period`, expected: `\`at\`, a column of ${model.source} with a date`,
    }];
  }));
}
