import type { z } from 'zod';
import { OUTPUTS } from '../domain/spec';
import type { ProjectSpec, Task } from '../domain/spec';
import { checkDocument } from './check';
import { mapValues } from './mapValues';
import { configError } from './problems';
import type { Problem } from './problems';
import { outputAccess } from './resolveChain';
import type { DocumentInput } from './schema';
import type { COLUMN_TYPES, modelSchemas } from './schemaModel';

/**
 * The same definitions as temporal.yaml's, in TypeScript: the compiler knows each model's outputs, and `defineProject` checks the
 * rest and makes the same ProjectSpec.
 *
 *   const films = defineSource('films', { path: 'films.parquet', key: 'title' });
 *   const genre = defineModel('genre', { task: 'classification', source: films, target: 'genre', inputs: ['studio'] });
 *   const gross = defineModel('gross', { task: 'regression', source: films, target: 'gross', inputs: ['budget', genre.probabilities] });
 *   export default defineProject({ name: 'box-office', chains: [defineChain('box-office', { output: gross })] });
 */

/** One output of a model. In an expression it stands for itself: `${gross.value} * 1.1`. */
export interface OutputHandle { readonly model: ModelHandle; readonly output: string; toString(): string }

type Outputs<T extends Task> = { readonly [O in keyof (typeof OUTPUTS)[T]]: OutputHandle };

interface ModelHandleBase<T extends Task> { readonly name: string; readonly task: T; readonly definition: ModelDefinition }
/** A model, and its outputs by name. Where an output is wanted, the model itself stands for its main one. */
export type ModelHandle<T extends Task = Task> = T extends Task ? ModelHandleBase<T> & Outputs<T> : never;

export interface SourceHandle { readonly name: string; readonly definition: SourceDefinition }
export interface ChainHandle { readonly name: string; readonly definition: ChainDefinition }

export type SourceDefinition = DocumentInput['sources'][string];

/** A column by its name, or with its type. */
export type ColumnDefinition = string | { column: string; type?: (typeof COLUMN_TYPES)[number] };
export type InputDefinition = ColumnDefinition | ModelHandle | OutputHandle;

type ModelInput<T extends Task> = z.input<(typeof modelSchemas)[T]>;
/** What temporal.yaml takes for a model of the task, with handles for names. */
export type ModelDefinitionOf<T extends Task> = T extends Task
  ? Omit<ModelInput<T>, 'source' | 'inputs'> & { source: SourceHandle }
    & (T extends 'forecast' ? { inputs?: readonly ColumnDefinition[] } : { inputs: readonly InputDefinition[] })
  : never;
export type ModelDefinition = ModelDefinitionOf<Task>;

interface OutputValues { number: number | null; category: string | null; vector: number[] | null }
type OutputValue<Type> = Type extends keyof OutputValues ? OutputValues[Type] : never;
type FallbackDefinition<T extends Task> =
  | 'baseline'
  | { model: ModelHandle<T> }
  | { value: { [O in keyof (typeof OUTPUTS)[T]]?: OutputValue<(typeof OUTPUTS)[T][O]> } };

type StageInput = NonNullable<NonNullable<DocumentInput['chains']>[string]['stages']>[string];
/** CEL, or an output as it is. */
type ExpressionDefinition = string | number | boolean | OutputHandle;
type StageDefinitionOf<T extends Task> = T extends Task
  ? Omit<NonNullable<StageInput>, 'with' | 'fallback'>
    & { model: ModelHandle<T>; with?: Record<string, ExpressionDefinition>; fallback?: FallbackDefinition<T> }
  : never;
export type StageDefinition = StageDefinitionOf<Task>;

type ChainInput = NonNullable<DocumentInput['chains']>[string];
export interface ChainDefinition extends Omit<ChainInput, 'stages' | 'output' | 'predicts' | 'compareWith'> {
  /** When absent, the output's model and everything upstream of it. */
  stages?: readonly (ModelHandle | StageDefinition)[];
  output: ModelHandle | Record<string, ExpressionDefinition>;
  predicts?: ModelHandle;
  compareWith?: readonly ModelHandle[];
}

export interface ProjectDefinition extends Omit<DocumentInput, '$schema' | 'sources' | 'models' | 'chains'> {
  chains?: readonly ChainHandle[];
  /** Models besides those of the chains. */
  models?: readonly ModelHandle[];
}

export const defineSource = (name: string, definition: SourceDefinition): SourceHandle => ({ name, definition });

export function defineModel<const T extends Task>(name: string, definition: ModelDefinition & { task: T }): ModelHandle<T> {
  const { task } = definition;
  const base: ModelHandleBase<T> = { name, task, definition };
  const outputs = mapValues(OUTPUTS[task] as Record<string, string>, (_, output): OutputHandle => ({
    get model() { return handle; },
    output,
    toString: () => outputAccess(name, output),
  }));
  const handle = Object.freeze({ ...base, ...outputs }) as unknown as ModelHandle<T> & ModelHandle;
  return handle;
}

export const defineChain = (name: string, definition: ChainDefinition): ChainHandle => ({ name, definition });

/** `folder` is what paths are relative to. Throws CONFIG with all mistakes, as `loadProject` does. */
export function defineProject(definition: ProjectDefinition, { folder = process.cwd() }: { folder?: string } = {}): ProjectSpec {
  const { document, problems } = documentOf(definition);
  const checked = checkDocument(document, { folder });
  const all = [...problems, ...checked.problems];
  if (all.length > 0 || !checked.project) throw configError(all, {});
  return checked.project;
}

/** The document that temporal.yaml would hold, with everything that the chains and models reach. */
function documentOf({ chains = [], models = [], ...rest }: ProjectDefinition): { document: unknown; problems: Problem[] } {
  const problems: Problem[] = [];
  const found = { sources: new Map<string, SourceHandle>(), models: new Map<string, ModelHandle>(), chains: new Map<string, ChainHandle>() };
  /** False when it was there already. */
  const note = <H extends { name: string }>(kind: keyof typeof found, handle: H): boolean => {
    const known = (found[kind] as unknown as Map<string, H>).get(handle.name);
    if (known && known !== handle) problems.push({ path: [kind, handle.name], message: `two different ${kind} are called ${handle.name}` });
    if (!known) (found[kind] as unknown as Map<string, H>).set(handle.name, handle);
    return !known;
  };
  const visit = (model: ModelHandle): void => {
    if (found.models.has(model.name)) return void note('models', model);
    for (const input of model.definition.inputs ?? []) {
      const upstream = upstreamHandle(input);
      if (upstream) visit(upstream);
    }
    note('sources', model.definition.source);
    note('models', model);
  };
  for (const chain of chains) {
    note('chains', chain);
    modelsOf(chain.definition).forEach(visit);
  }
  models.forEach(visit);

  const document = {
    ...rest,
    sources: Object.fromEntries([...found.sources].map(([name, source]) => [name, source.definition])),
    models: Object.fromEntries([...found.models].map(([name, model]) => [name, modelDocument(model)])),
    chains: Object.fromEntries([...found.chains].map(([name, chain]) => [name, chainDocument(chain.definition)])),
  };
  return { document, problems };
}

const isModel = (value: unknown): value is ModelHandle => typeof value === 'object' && value !== null && 'task' in value && 'definition' in value;
const isOutput = (value: unknown): value is OutputHandle => typeof value === 'object' && value !== null && 'output' in value && 'model' in value;

function upstreamHandle(input: InputDefinition): ModelHandle | undefined {
  if (isModel(input)) return input;
  return isOutput(input) ? input.model : undefined;
}

function modelsOf({ stages = [], output, predicts, compareWith = [] }: ChainDefinition): ModelHandle[] {
  const listed = stages.flatMap((stage): ModelHandle[] => {
    if (isModel(stage)) return [stage];
    const { model, fallback } = stage;
    return typeof fallback === 'object' && 'model' in fallback ? [model, fallback.model] : [model];
  });
  const answered = isModel(output) ? [output] : Object.values(output).flatMap((value) => (isOutput(value) ? [value.model] : []));
  return [...listed, ...answered, ...(predicts ? [predicts] : []), ...compareWith];
}

function modelDocument({ definition }: ModelHandle): unknown {
  const { source, inputs, ...rest } = definition;
  return defined({
    ...rest,
    source: source.name,
    inputs: inputs?.map((input) => {
      if (isModel(input)) return { model: input.name };
      if (isOutput(input)) return { model: input.model.name, output: input.output };
      // In TypeScript a text is always a column: models are named by their handles.
      return typeof input === 'string' ? { column: input } : input;
    }),
  });
}

function chainDocument({ stages, output, predicts, compareWith, ...rest }: ChainDefinition): unknown {
  return defined({
    ...rest,
    stages: stages && Object.fromEntries(stages.map((stage) => (isModel(stage) ? [stage.name, {}] : [stage.model.name, stageDocument(stage)]))),
    output: isModel(output) ? output.name : mapValues(output, expressionText),
    predicts: predicts?.name,
    compareWith: compareWith?.map((model) => model.name),
  });
}

function stageDocument({ model: _model, with: columns, fallback, ...rest }: StageDefinition): unknown {
  return defined({
    ...rest,
    with: columns && mapValues(columns, expressionText),
    fallback: typeof fallback === 'object' && 'model' in fallback ? { model: fallback.model.name } : fallback,
  });
}

const expressionText = (value: ExpressionDefinition): string => String(value);

/** Without the entries that are undefined: they are as good as absent, and JSON has none. */
const defined = (record: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
