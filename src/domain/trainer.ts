import { z } from 'zod';
import { ShoalError } from './errors';
import { MAIN_OUTPUT, OUTPUTS, type ModelSpec, type Task } from './spec';
import type { ColumnType } from './table';
import type { Feature } from './version';

/**
 * The contract between Shoal and a trainer, an activity in any language: plain JSON in, plain JSON out, files beside. docs/trainers.md
 * says it in full.
 */
export const CONTRACT = 1;

/** In the table of rows to learn from, beside the features. Missing is NULL. */
export const ROW = {
  key: '__key',
  /** The row's cross-fitting fold, 0 to folds - 1. */
  fold: '__fold',
  /** How much the row counts; absent when all count alike. */
  weight: '__weight',
  /** Of a forecast a list, one number for each period; of an embedding there is none ... */
  target: '__target',
  /** ... but `__alike.<column>`, for each column that makes rows alike. */
  alike: '__alike.',
} as const;

export type Element = 'float32' | 'float64' | 'string';

/** The element type of an input of an ONNX file. */
export const ELEMENT: Record<ColumnType, Element> = {
  number: 'float32', boolean: 'float32', vector: 'float32', date: 'float64', category: 'string', text: 'string',
};

/** An input of the ONNX file, [rows, width or 1], and a column of the table. */
export interface TrainerFeature extends Feature { element: Element }

export interface TrainerInput {
  contract: typeof CONTRACT;
  /** What is to be predicted, and for what: of the model's settings those that a trainer may need. */
  model: { name: string; task: Task; seed: number; folds: number } & Record<string, unknown>;
  params: Record<string, unknown>;
  features: TrainerFeature[];
  /** The output that the ONNX file must give. */
  output: string;
  /** Parquet; `uri` is relative to Shoal's store, `path` where the trainer finds it when it sees the store's disk. */
  data: { path: string; uri: string; sha256: string; bytes: number; rows: number };
  /** Where the trainer leaves its files. */
  folder: string;
}

export interface TrainerOutput {
  /** The ONNX file, relative to `folder`. */
  onnx: string;
  /** Parquet: `__key`, and what was said of the row by a model that was not trained on its fold. */
  outputs?: string;
  /** Classification: in the order of `probabilities`. */
  classes?: string[];
  /** For the card. */
  metrics?: Record<string, number>;
  packages?: Record<string, string>;
}

const absent = <T extends z.ZodType>(type: T) => type.nullish().transform((value) => value ?? undefined);
const file = z.string().min(1);

const outputSchema = z.object({
  contract: z.literal(CONTRACT),
  onnx: file,
  outputs: absent(file),
  classes: absent(z.array(z.string())),
  metrics: absent(z.record(z.string(), z.number())),
  packages: absent(z.record(z.string(), z.string())),
});

/** What a trainer answered. @throws ShoalError TRAINER_CONTRACT with all that is wrong with its form */
export function readTrainerOutput(value: unknown, maker: string): TrainerOutput {
  const parsed = outputSchema.safeParse(value);
  if (parsed.success) {
    const { contract: _contract, ...output } = parsed.data;
    return output;
  }
  const wrong = parsed.error.issues.map((issue) => `${issue.path.length > 0 ? issue.path.map(String).join('.') : 'the answer'}: ${issue.message}`);
  throw broken(maker, `its answer is not as agreed: ${wrong.join('; ')}`, `Return {contract: ${CONTRACT}, onnx, outputs, ...}.`);
}

/** A broken contract: who broke it, how, and what to do. */
export const broken = (maker: string, how: string, remedy: string, details: Record<string, unknown> = {}): ShoalError =>
  new ShoalError('TRAINER_CONTRACT', `${maker}: ${how}.`, { remedy, details: { maker, ...details } });

const SETTINGS = ['target', 'scale', 'interval', 'horizon', 'context', 'season', 'frequency', 'series', 'alike', 'dimensions'] as const;

/** The part of a model's definition that a trainer is told. */
export function trainerModel(spec: ModelSpec): TrainerInput['model'] {
  const settings = spec as unknown as Record<string, unknown>;
  return {
    name: spec.name, task: spec.task, seed: spec.seed, folds: spec.training.folds,
    ...Object.fromEntries(SETTINGS.flatMap((name) => (settings[name] === undefined ? [] : [[name, settings[name]]]))),
  };
}

/** An input or output of an ONNX file; a size that is known only when it runs is undefined. */
export interface Port { name: string; element: string; shape: (number | undefined)[] }

/** Which of a file's inputs is which feature, and which outputs are still to be added to those that it gives. */
export interface Fit { renamed: { from: string; to: string }[]; missing: string[] }

/**
 * Whether a file's inputs and outputs are those the task demands. Many exporters replace all but letters, digits and _ in an input's
 * name; that is put right. The main output must be there; what follows from it may be missing.
 *
 * @throws ShoalError TRAINER_CONTRACT
 */
export function fitPorts(of: { maker: string; task: Task; features: readonly Feature[]; inputs: Port[]; outputs: Port[] }): Fit {
  const { maker, task, features, inputs, outputs } = of;
  const renamed: Fit['renamed'] = [];
  const taken = new Set<string>();
  for (const feature of features) {
    const plain = feature.name.replace(/\W/g, '_');
    const port = inputs.find(({ name }) => name === feature.name) ?? inputs.find(({ name }) => name === plain && !taken.has(name));
    if (!port) {
      throw broken(maker, `the ONNX file has no input ${feature.name}`, `Its inputs must be ${names(features)}; they are ${names(inputs)}.`, { feature: feature.name });
    }
    taken.add(port.name);
    if (port.name !== feature.name) renamed.push({ from: port.name, to: feature.name });
    requirePort(maker, `input ${port.name}`, port, { element: ELEMENT[feature.type], width: feature.type === 'vector' ? feature.width : 1 });
  }
  const unknown = inputs.filter(({ name }) => !taken.has(name));
  if (unknown.length > 0) {
    throw broken(maker, `the ONNX file has an input that is none of the model's: ${names(unknown)}`, `Its inputs must be ${names(features)}.`, { inputs: unknown.map((p) => p.name) });
  }

  const main = MAIN_OUTPUT[task];
  const wanted = Object.entries(OUTPUTS[task] as Record<string, ColumnType>);
  const missing = wanted.flatMap(([name]) => (outputs.some((port) => port.name === name) ? [] : [name]));
  if (missing.includes(main)) {
    throw broken(maker, `the ONNX file has no output ${main}`, `A ${task} gives ${main}; the file's outputs are ${names(outputs)}.`, { output: main });
  }
  if (missing.length === 1 && (missing[0] === 'low' || missing[0] === 'high')) {
    throw broken(maker, `the ONNX file has one end of the interval and lacks ${missing[0]}`, 'Give both, low and high, or neither: then Shoal adds them.');
  }
  for (const [name, type] of wanted) {
    const port = outputs.find((output) => output.name === name);
    if (!port) continue;
    const vector = type === 'vector' || task === 'forecast';
    requirePort(maker, `output ${name}`, port, { element: type === 'category' ? 'string' : 'float32', width: vector ? undefined : 1, flat: !vector });
  }
  return { renamed, missing };
}

function requirePort(maker: string, what: string, { element, shape }: Port, wanted: { element: Element; width: number | undefined; flat?: boolean }): void {
  const said = `[${['rows', ...(wanted.flat ? [] : [wanted.width ?? 'width'])].join(', ')}]`;
  const remedy = `It must be ${wanted.element} ${said}, for any number of rows.`;
  if (element !== wanted.element) throw broken(maker, `the ONNX file's ${what} is ${element}, not ${wanted.element}`, remedy, { expected: wanted.element, found: element });
  const [rows, width, ...more] = shape;
  const found = `[${shape.map((size) => size ?? '?').join(', ')}]`;
  if (shape.length === 0) return; // not declared: running it will show
  if (rows !== undefined) throw broken(maker, `the ONNX file's ${what} is for ${rows} rows, ${found}`, `${remedy} Export it with a dynamic batch.`, { found });
  const ranks = wanted.flat ? shape.length <= 2 : shape.length === 2;
  if (!ranks || more.length > 0 || (width !== undefined && wanted.width !== undefined && width !== wanted.width)) {
    throw broken(maker, `the ONNX file's ${what} has the shape ${found}`, remedy, { found });
  }
}

const names = (of: readonly { name: string }[]): string => of.map(({ name }) => name).join(', ') || 'none';
