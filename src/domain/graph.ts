import { ShoalError } from './errors';
import { compile } from './expression';
import type { Reference } from './expression';
import { nearest, oneOf } from './nearest';
import { MAIN_OUTPUT, METRICS, OUTPUTS, upstreamOf } from './spec';
import type { ChainSpec, ModelSpec, ProjectSpec, StageSpec, Task } from './spec';

/** A mistake in how models and chains fit together. `path` is its place in the project, as the document writes it. */
export interface GraphProblem {
  path: (string | number)[];
  at?: 'key';
  message: string;
  expected?: string;
  suggestion?: string;
  remedy?: string;
  /** Characters into an expression. */
  offset?: number;
}

type Models = Readonly<Record<string, ModelSpec>>;

/**
 * Names in an order in which each comes after those it needs; the given order is kept where it can be. Names that are needed but
 * not given are left out. When there is a cycle, `cycle` is one, its first name repeated at its end.
 */
export function topologicalOrder(names: readonly string[], needs: (name: string) => readonly string[]): { order: string[]; cycle?: string[] } {
  const given = new Set(names);
  const order: string[] = [];
  const done = new Set<string>();
  const open: string[] = [];
  let cycle: string[] | undefined;
  const visit = (name: string): void => {
    if (done.has(name) || !given.has(name)) return;
    const start = open.indexOf(name);
    if (start >= 0) {
      cycle ??= [...open.slice(start), name];
      return;
    }
    open.push(name);
    for (const need of needs(name)) visit(need);
    open.pop();
    done.add(name);
    order.push(name);
  };
  for (const name of names) visit(name);
  return cycle ? { order, cycle } : { order };
}

/** All models whose outputs reach the given ones, upstream first, without the given ones unless they feed each other. */
export function upstreamClosure(models: Models, names: readonly string[]): string[] {
  const reached = new Set<string>();
  const visit = (name: string): void => {
    for (const upstream of own(models, name) ? upstreamOf(models[name]!) : []) {
      if (!own(models, upstream) || reached.has(upstream)) continue;
      reached.add(upstream);
      visit(upstream);
    }
  };
  for (const name of names) visit(name);
  return modelOrder(models, Object.keys(models).filter((name) => reached.has(name)));
}

/** The given models, upstream first. */
export const modelOrder = (models: Models, names: readonly string[] = Object.keys(models)): string[] =>
  topologicalOrder(names, (name) => upstreamOf(models[name]!)).order;

/**
 * The stages that each stage waits for: those its model and its fallback model read, and those its expressions refer to.
 * The chain must have passed `checkProject`.
 */
export function stageDependencies(chain: ChainSpec, models: Models): Record<string, string[]> {
  const stages = new Set(chain.stages.map((stage) => stage.model));
  return Object.fromEntries(chain.stages.map((stage) => [stage.model, needsOf(stage, models).filter((name) => stages.has(name))]));
}

/** The models that a release of the chain pins: its stages' and their fallbacks'. */
export const chainModels = (chain: ChainSpec): string[] =>
  [...new Set(chain.stages.flatMap(({ model, fallback }) => (fallback?.kind === 'model' ? [model, fallback.model] : [model])))];

/** The chain with its stages in an order in which each comes after those it needs. */
export function orderStages(chain: ChainSpec, models: Models): ChainSpec {
  const needs = stageDependencies(chain, models);
  const byName = new Map(chain.stages.map((stage) => [stage.model, stage]));
  const { order } = topologicalOrder([...byName.keys()], (name) => needs[name] ?? []);
  return { ...chain, stages: order.map((name) => byName.get(name)!) };
}

function needsOf(stage: StageSpec, models: Models): string[] {
  const read = [stage.model, ...(stage.fallback?.kind === 'model' ? [stage.fallback.model] : [])]
    .flatMap((name) => (own(models, name) ? upstreamOf(models[name]!) : []));
  const referred = stageExpressions(stage).flatMap(({ text }) => references(text))
    .flatMap(({ root, path }) => (root === 'stages' && path[0] !== undefined ? [path[0]] : []));
  return [...new Set([...read, ...referred])];
}

/** An expression that does not parse refers to nothing: it is reported where expressions are checked. */
function references(text: string): readonly Reference[] {
  try {
    return compile(text).references;
  } catch {
    return [];
  }
}

const stageExpressions = (stage: StageSpec): { key: string[]; text: string }[] => [
  ...(stage.when === undefined ? [] : [{ key: ['when'], text: stage.when }]),
  ...Object.entries(stage.with).map(([column, text]) => ({ key: ['with', column], text })),
];

/** All that is wrong with how a project's models and chains fit together; nothing has to run for it. */
export function checkProject(project: ProjectSpec): GraphProblem[] {
  const problems: GraphProblem[] = [];
  for (const model of Object.values(project.models)) problems.push(...checkModel(model, project));
  problems.push(...checkModelCycles(project.models));
  for (const chain of Object.values(project.chains)) problems.push(...checkChain(chain, project));
  return problems;
}

function checkModel(model: ModelSpec, { models, sources }: ProjectSpec): GraphProblem[] {
  const at = ['models', model.name];
  const problems: GraphProblem[] = [];
  if (!own(sources, model.source)) problems.push({ path: [...at, 'source'], ...unknown('source', model.source, Object.keys(sources)) });

  const seen = new Set<string>();
  model.inputs.forEach((input, index) => {
    const path = [...at, 'inputs', index];
    if (seen.has(input.name)) problems.push({ path, message: `${input.name} is an input twice` });
    seen.add(input.name);
    if (input.kind === 'column') problems.push(...checkColumn(model, input.column).map((problem) => ({ path, ...problem })));
    else problems.push(...checkUpstream(model, input.model, input.output, models).map((problem) => ({ path, ...problem })));
  });
  return problems;
}

type Finding = Omit<GraphProblem, 'path'>;

function checkColumn(model: ModelSpec, column: string): Finding[] {
  if (model.task !== 'embedding' && column === model.target) {
    return [{ message: `${column} is what ${model.name} predicts, so it can't be an input` }];
  }
  if (model.task === 'embedding' && model.alike.includes(column)) {
    return [{ message: `${column} is what makes rows alike for ${model.name}, so it can't be an input`, remedy: 'Give it to the models that read the vector.' }];
  }
  if (model.task === 'forecast') {
    if (column === model.time || column === model.series) return [{ message: `${column} is read as the ${column === model.time ? 'time' : 'series'} already` }];
    if (FORECAST_INPUTS.includes(column)) return [{ message: `${column} is the name of an input every forecast has`, remedy: 'Rename the column in the source\'s sql.' }];
  }
  return [];
}

/** ONNX inputs of every forecast, besides its columns. */
const FORECAST_INPUTS = ['history', 'start'];

function checkUpstream(model: ModelSpec, upstreamName: string, output: string, models: Models): Finding[] {
  if (!own(models, upstreamName)) return [unknown('model', upstreamName, Object.keys(models))];
  const upstream = models[upstreamName]!;
  if (model.task === 'forecast') return [{ message: `${model.name} is a forecast: it reads columns known ahead of time, and no outputs of models` }];
  const outputs = Object.keys(OUTPUTS[upstream.task]);
  if (!outputs.includes(output)) return [unknown('output', output, outputs, ` of the ${upstream.task} ${upstreamName}`)];
  if (upstream.task !== 'forecast' && upstream.source !== model.source) {
    return [{
      message: `${upstreamName} learns from ${upstream.source} and ${model.name} from ${model.source}, so their rows can't be joined`,
      remedy: 'Give both the same source; only a forecast can come from another one.',
    }];
  }
  return [];
}

function checkModelCycles(models: Models): GraphProblem[] {
  return cyclesOf(Object.keys(models), (name) => upstreamOf(models[name]!)).map((cycle) => {
    const [first, second] = [cycle[0]!, cycle[1]!];
    const index = models[first]!.inputs.findIndex((input) => input.kind === 'model' && input.model === second);
    const path = ['models', first, 'inputs', index];
    if (first === second) return { path, message: `${first} can't be its own input`, remedy: `If the column ${first} is meant, write { column: ${first} }.` };
    return { path, message: `models need each other: ${cycle.join(' <- ')}` };
  });
}

/** Cycles, each found once the first link of those before it is cut. */
function cyclesOf(names: readonly string[], needs: (name: string) => readonly string[]): string[][] {
  const cut = new Set<string>();
  const link = (name: string, need: string): string => JSON.stringify([name, need]);
  const cycles: string[][] = [];
  for (;;) {
    const { cycle } = topologicalOrder(names, (name) => needs(name).filter((need) => !cut.has(link(name, need))));
    if (!cycle) return cycles;
    cycles.push(cycle);
    cut.add(link(cycle[0]!, cycle[1]!));
  }
}

function checkChain(chain: ChainSpec, { models }: ProjectSpec): GraphProblem[] {
  const at = ['chains', chain.name];
  const problems: GraphProblem[] = [];
  const add = (path: (string | number)[], ...findings: Finding[]): void => {
    for (const finding of findings) problems.push({ path: [...at, ...path], ...finding });
  };
  const names = chain.stages.map((stage) => stage.model);

  for (const stage of chain.stages) {
    const place = ['stages', stage.model];
    const model = own(models, stage.model) ? models[stage.model]! : undefined;
    if (!model) {
      problems.push({ path: [...at, ...place], at: 'key', ...unknown('model', stage.model, Object.keys(models)) });
      continue;
    }
    for (const upstream of upstreamOf(model)) {
      if (own(models, upstream) && !names.includes(upstream)) add(place, { message: `${stage.model} needs the stage ${upstream}`, remedy: `Add \`${upstream}: {}\` to the chain's stages.` });
    }
    for (const column of Object.keys(stage.with)) {
      const columns = columnsOf(model);
      if (!columns.includes(column)) problems.push({ path: [...at, ...place, 'with', column], at: 'key', ...unknown('column', column, columns, ` read by ${stage.model}`) });
    }
    for (const { key, text } of stageExpressions(stage)) add([...place, ...key], ...checkExpression(text, { names, models, stage: stage.model }));
    for (const { key, ...finding } of checkFallback(stage, model, { models, names })) add([...place, 'fallback', ...key], finding);
  }

  // Models that need each other are reported as such, and not once more for every chain.
  if (cyclesOf(names, (name) => (own(models, name) ? upstreamOf(models[name]!) : [])).length === 0) {
    const needs = new Map(chain.stages.map((stage) => [stage.model, needsOf(stage, models)]));
    for (const cycle of cyclesOf(names, (name) => (needs.get(name) ?? []).filter((need) => need !== name))) {
      add(['stages', cycle[0]!], { message: `stages wait for each other: ${cycle.join(' <- ')}` });
    }
  }
  problems.push(...checkOutput(chain, models));
  return problems;
}

/** The columns of a request that a model reads. */
const columnsOf = (model: ModelSpec): string[] => [
  ...model.inputs.flatMap((input) => (input.kind === 'column' ? [input.column] : [])),
  ...(model.task === 'forecast' ? [model.at, ...(model.series === undefined ? [] : [model.series])] : []),
];

function checkExpression(text: string, { names, models, stage }: { names: readonly string[]; models: Models; stage?: string }): Finding[] {
  let found: readonly Reference[];
  try {
    found = compile(text).references;
  } catch (error) {
    if (!(error instanceof ShoalError)) throw error;
    const { reason, offset, suggestion } = error.details as { reason: string; offset: number; suggestion?: string };
    return [{ message: `not an expression: ${reason}`, offset, suggestion }];
  }
  return found.filter(({ root }) => root === 'stages').flatMap(({ path: [name, output], offset }): Finding[] => {
    if (name === undefined) return [{ message: '`stages` must be followed by the name of a stage', remedy: 'Write stages.name.output, or stages["a-name"].output.', offset }];
    if (!names.includes(name)) return [{ ...unknown('stage', name, names.length > 0 ? names : Object.keys(models)), offset }];
    if (name === stage) return [{ message: `${stage} can't refer to its own outputs`, offset }];
    const model = own(models, name) ? models[name] : undefined;
    if (!model) return [];
    const outputs = Object.keys(OUTPUTS[model.task]);
    if (output === undefined) return [{ message: `\`stages.${name}\` must be followed by one of its outputs`, expected: oneOf(outputs), offset }];
    return outputs.includes(output) ? [] : [{ ...unknown('output', output, outputs, ` of the ${model.task} ${name}`), offset }];
  });
}

function checkFallback(
  stage: StageSpec, model: ModelSpec, chain: { models: Models; names: readonly string[] },
): (Finding & { key: string[] })[] {
  const { fallback } = stage;
  if (fallback?.kind === 'model') return checkFallbackModel(stage.model, fallback.model, chain).map((finding) => ({ key: ['model'], ...finding }));
  if (fallback?.kind !== 'value') return [];
  const outputs: Record<string, string> = OUTPUTS[model.task];
  const wrong = Object.entries(fallback.value).flatMap(([output, value]) => {
    const key = ['value', output];
    const type = own(outputs, output) ? outputs[output]! : undefined;
    if (!type) return [{ key, at: 'key' as const, ...unknown('output', output, Object.keys(outputs), ` of the ${model.task} ${stage.model}`) }];
    return value === null || VALUE_TYPES[type]?.(value) ? [] : [{ key, message: `the output ${output} of ${stage.model} is a ${type}` }];
  });
  const main = MAIN_OUTPUT[model.task];
  return own(fallback.value, main) ? wrong : [...wrong, { key: ['value'], message: `the fallback of ${stage.model} lacks its main output`, expected: `\`${main}\`` }];
}

function checkFallbackModel(stage: string, name: string, { models, names }: { models: Models; names: readonly string[] }): Finding[] {
  if (name === stage) return [{ message: `${stage} can't be its own fallback` }];
  if (!own(models, name)) return [unknown('model', name, Object.keys(models))];
  const [other, model] = [models[name]!, models[stage]!];
  if (other.task !== model.task) return [{ message: `${name} is a ${other.task}, and ${stage} a ${model.task}: a fallback has the same task` }];
  if (other.task === 'embedding' && model.task === 'embedding' && other.dimensions !== model.dimensions) {
    return [{ message: `${name} has ${other.dimensions} dimensions, and ${stage} ${model.dimensions}: a fallback has the same outputs` }];
  }
  if (other.task !== 'embedding' && model.task !== 'embedding' && other.target !== model.target) {
    return [{ message: `${name} predicts ${other.target}, and ${stage} ${model.target}: a fallback predicts the same` }];
  }
  if (upstreamClosure(models, [name]).includes(stage)) return [{ message: `${name} reads ${stage}, so it can't stand in for it` }];
  return upstreamOf(other).filter((upstream) => own(models, upstream) && !names.includes(upstream))
    .map((upstream) => ({ message: `the fallback ${name} needs the stage ${upstream}`, remedy: `Add \`${upstream}: {}\` to the chain's stages.` }));
}

const VALUE_TYPES: Record<string, (value: unknown) => boolean> = {
  number: (value) => typeof value === 'number' && Number.isFinite(value),
  category: (value) => typeof value === 'string',
  vector: (value) => Array.isArray(value) && value.every((entry) => typeof entry === 'number'),
};

/** What the answer of a chain must hold to be judged, by the task of its output stage. */
const JUDGED: Record<Task, string> = { regression: 'value', forecast: 'value', classification: 'label', embedding: 'vector' };

function checkOutput(chain: ChainSpec, models: Models): GraphProblem[] {
  const at = ['chains', chain.name];
  const names = chain.stages.map((stage) => stage.model);
  const problems: GraphProblem[] = Object.entries(chain.output).flatMap(([name, text]) =>
    checkExpression(text, { names, models }).map((problem) => ({ path: [...at, 'output', name], ...problem })));
  if (!names.includes(chain.outputStage)) {
    const finding = own(models, chain.outputStage)
      ? { message: `${chain.outputStage} is not a stage of the chain`, remedy: `Add \`${chain.outputStage}: {}\` to the chain's stages.` }
      : unknown('model', chain.outputStage, Object.keys(models));
    return [...problems, { path: [...at, 'output'], ...finding }];
  }
  const model = own(models, chain.outputStage) ? models[chain.outputStage]! : undefined;
  if (!model) return problems;

  if (!own(chain.output, JUDGED[model.task])) {
    problems.push({ path: [...at, 'output'], message: `the output of a chain that predicts a ${model.task} needs \`${JUDGED[model.task]}\`` });
  }
  const metrics = Object.keys(METRICS[model.task]);
  chain.gates.forEach((gate, index) => {
    if (!metrics.includes(gate.metric)) problems.push({ path: [...at, 'gates', index, 'metric'], ...unknown('metric', gate.metric, metrics, ` of a ${model.task}`) });
  });
  chain.compareWith.forEach((name, index) => {
    const path = [...at, 'compareWith', index];
    const other = own(models, name) ? models[name]! : undefined;
    if (!other) problems.push({ path, ...unknown('model', name, Object.keys(models)) });
    else if (names.includes(name)) problems.push({ path, message: `${name} is a stage of the chain already` });
    else if (!sameTarget(model, other)) problems.push({ path, message: `${name} can't be compared: it has not the task, target, scale and source of ${chain.outputStage}` });
  });
  return problems;
}

function sameTarget(a: ModelSpec, b: ModelSpec): boolean {
  if (a.task !== b.task || a.source !== b.source) return false;
  if (a.task === 'embedding' || b.task === 'embedding') return true;
  return a.target === b.target && ('scale' in a ? a.scale : '') === ('scale' in b ? b.scale : '');
}

function unknown(kind: string, name: string, known: readonly string[], where = ''): Finding {
  const suggestion = nearest(name, known);
  return {
    message: `there is no ${kind} \`${name}\`${where}`,
    expected: known.length > 0 && known.length <= 12 ? oneOf(known) : undefined,
    suggestion,
  };
}

const own = (record: object, key: string): boolean => Object.hasOwn(record, key);
