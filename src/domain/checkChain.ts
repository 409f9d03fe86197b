import { ShoalError } from './errors';
import { compile } from './expression';
import type { Reference } from './expression';
import { cyclesOf, needsOf, own, stageExpressions, upstreamClosure } from './graph';
import type { Models } from './graph';
import { unknown } from './graphProblem';
import type { Finding, GraphProblem } from './graphProblem';
import { oneOf } from './nearest';
import { COSTS, MAIN_OUTPUT, METRICS, OUTPUTS, upstreamOf } from './spec';
import type { ChainSpec, ModelSpec, ProjectSpec, StageSpec, Task } from './spec';

/** All that is wrong with how a chain's stages, expressions, fallbacks and gates fit together. */
export function checkChain(chain: ChainSpec, { models }: ProjectSpec): GraphProblem[] {
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
  const wanted = [...new Set([MAIN_OUTPUT[model.task], JUDGED[model.task]])];
  if (wrong.length > 0 || wanted.some((output) => own(fallback.value, output))) return wrong;
  return [{ key: ['value'], message: `the fallback of ${stage.model} lacks its main output`, expected: oneOf(wanted.map((output) => `\`${output}\``)) }];
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
  const metrics = [...Object.keys(METRICS[model.task]), ...Object.keys(COSTS)];
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
