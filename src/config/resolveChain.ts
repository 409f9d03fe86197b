import { compile } from '../domain/expression';
import { upstreamClosure } from '../domain/graph';
import { chainModels, MAIN_OUTPUT, OUTPUTS } from '../domain/spec';
import type { ChainSpec, FallbackSpec, ModelSpec, StageSpec } from '../domain/spec';
import { DEFAULT_SERVABLE, DEFAULT_STAGE_TIMEOUT, DEFAULT_WORTH, defaultGates } from './defaults';
import { mapValues } from './mapValues';
import type { Problem } from './problems';
import { DEFAULT_MONITOR, resolveMonitor } from './schemaMonitor';
import { DEFAULT_ROLLOUT, milliseconds, resolveRollout } from './schemaRollout';
import type { ChainDocument } from './schema';

type Models = Record<string, ModelSpec>;

export function resolveChain(name: string, chain: ChainDocument, models: Models, problems: Problem[]): ChainSpec {
  const { output: written, compareWith, worth, servable } = chain;
  const expressions = typeof written === 'string' ? undefined : mapValues(written, String);
  const referred = expressions ? Object.values(expressions).flatMap(stagesIn) : [];
  const outputStage = chain.predicts ?? (typeof written === 'string' ? written : onlyStage(expressions?.value ?? expressions?.label ?? expressions?.vector));
  if (outputStage === undefined) {
    problems.push({ path: ['chains', name, 'output'], message: 'it is not clear which stage\'s target the chain predicts', remedy: 'Name that stage with `predicts`.' });
  }
  const given = chain.stages ?? {};
  const roots = [...referred, ...(outputStage === undefined ? [] : [outputStage]), ...Object.keys(given)].filter((model) => Object.hasOwn(models, model));
  const names = new Set([...Object.keys(given), ...upstreamClosure(models, roots), ...roots]);
  const stages = [...names].map((model) => resolveStage(model, given[model] ?? {}, models));
  return makeChain({ name, stages, compareWith, outputStage: outputStage ?? stages.at(-1)?.model ?? '', output: expressions, gates: chain.gates, approval: chain.approval, rollout: resolveRollout(chain.rollout), monitor: resolveMonitor(chain.monitor), worth, servable }, models);
}

/** A model that no chain uses has a chain of its own name, of one stage and those upstream of it. */
export function ownChains(models: Models, declared: Record<string, ChainSpec>, problems: Problem[]): Record<string, ChainSpec> {
  const chains = Object.values(declared);
  const used = new Set(chains.flatMap((chain) => [...chainModels(chain), ...chain.compareWith]));
  for (const upstream of upstreamClosure(models, Object.keys(models))) used.add(upstream);
  const alone = Object.keys(models).filter((model) => !used.has(model));
  return Object.fromEntries(alone.flatMap((model) => {
    if (Object.hasOwn(declared, model)) {
      problems.push({ path: ['chains', model], message: `the model ${model} is in no chain, so it has a chain of its own name, which is taken`, remedy: 'Rename the chain, or make the model one of its stages.' });
      return [];
    }
    const stages = [...upstreamClosure(models, [model]), model].map((stage) => resolveStage(stage, {}, models));
    return [[model, makeChain({ name: model, stages, compareWith: [], outputStage: model }, models)]];
  }));
}

/** What is not said follows from the task of the output's stage: all its outputs, the standard gates. */
function makeChain(chain: Omit<ChainSpec, 'output' | 'gates' | 'approval' | 'rollout'> & Partial<ChainSpec>, models: Models): ChainSpec {
  const task = Object.hasOwn(models, chain.outputStage) ? models[chain.outputStage]!.task : undefined;
  return {
    ...chain,
    output: chain.output ?? (task ? outputsOf(chain.outputStage, task) : {}),
    gates: chain.gates ?? (task ? defaultGates(task) : []),
    approval: chain.approval ?? 'auto',
    rollout: chain.rollout ?? DEFAULT_ROLLOUT,
    monitor: 'monitor' in chain ? chain.monitor : DEFAULT_MONITOR,
    worth: chain.worth ?? DEFAULT_WORTH,
    servable: chain.servable ?? DEFAULT_SERVABLE,
  };
}

/** All outputs of a stage, as expressions. */
function outputsOf(stage: string, task: ModelSpec['task']): Record<string, string> {
  return mapValues(OUTPUTS[task] as Record<string, string>, (_, output) => outputAccess(stage, output));
}

/** An output of a stage as an expression; names with dashes, or that CEL has a meaning for, stand in brackets. */
export const outputAccess = (stage: string, output: string): string =>
  (/^[a-z][a-z0-9]*$/.test(stage) && !RESERVED.has(stage) ? `stages.${stage}.${output}` : `stages[${JSON.stringify(stage)}].${output}`);

/** Of the CEL specification. */
const RESERVED = new Set(['true', 'false', 'null', 'in', 'as', 'break', 'const', 'continue', 'else', 'for', 'function', 'if', 'import', 'let', 'loop',
  'package', 'namespace', 'return', 'var', 'void', 'while']);

function stagesIn(text: string): string[] {
  try {
    return compile(text).references.flatMap(({ root, path }) => (root === 'stages' && path[0] !== undefined ? [path[0]] : []));
  } catch {
    return []; // reported by checkProject
  }
}

function onlyStage(text: string | undefined): string | undefined {
  const stages = new Set(text === undefined ? [] : stagesIn(text));
  return stages.size === 1 ? [...stages][0] : undefined;
}

type StageDocument = Partial<NonNullable<NonNullable<ChainDocument['stages']>[string]>>;

function resolveStage(model: string, stage: StageDocument, models: Models): StageSpec {
  const fallback = stage.fallback === undefined ? undefined : resolveFallback(stage.fallback, Object.hasOwn(models, model) ? models[model] : undefined);
  return {
    model,
    ...(stage.when === undefined ? {} : { when: String(stage.when) }),
    with: mapValues(stage.with ?? {}, String),
    timeoutMs: milliseconds(stage.timeout ?? DEFAULT_STAGE_TIMEOUT),
    ...(fallback ? { fallback } : {}),
  };
}

function resolveFallback(fallback: NonNullable<StageDocument['fallback']>, model: ModelSpec | undefined): FallbackSpec {
  if (fallback === 'baseline') return { kind: 'baseline' };
  if ('model' in fallback) return { kind: 'model', model: fallback.model };
  const { value } = fallback;
  if (typeof value === 'object' && !Array.isArray(value)) return { kind: 'value', value };
  return { kind: 'value', value: { [model ? (typeof value === 'string' ? 'label' : MAIN_OUTPUT[model.task]) : 'value']: value } };
}
