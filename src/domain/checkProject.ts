import { checkChain } from './checkChain';
import { cyclesOf, own } from './graph';
import type { Models } from './graph';
import { unknown } from './graphProblem';
import type { Finding, GraphProblem } from './graphProblem';
import { OUTPUTS, upstreamOf } from './spec';
import type { ModelSpec, ProjectSpec } from './spec';

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
    if (input.kind === 'column') {
      const later = own(sources, model.source) ? sources[model.source]!.knownLater ?? [] : [];
      problems.push(...[...checkColumn(model, input.column), ...checkKnown(model, input.column, later)].map((problem) => ({ path, ...problem })));
    } else {
      problems.push(...checkUpstream(model, input.model, input.output, models).map((problem) => ({ path, ...problem })));
    }
  });
  return problems;
}

function checkKnown(model: ModelSpec, column: string, later: readonly string[]): Finding[] {
  if (!later.includes(column)) return [];
  return [{ message: `${column} is known later (sources.${model.source}.knownLater): ${model.name} would not have it when it is asked`, remedy: 'Leave it out of the inputs.' }];
}

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
