import { ShoalError } from '../domain/errors';
import type { ClassificationSpec, EmbeddingSpec, ForecastSpec, ModelSpec, RegressionSpec } from '../domain/spec';
import { isNumeric, isString } from '../domain/table';
import type { Column } from '../domain/table';
import type { Manifest } from '../domain/version';
import { unscale, windowOf } from './answer';
import type { Raw } from './answer';
import { crossFittedErrors, fitTemperature, intervalOffsets } from './calibrate';
import { attributeCodes } from './codes';
import { columnOf, readWindow, scaleHistory, vector, widthOf } from './encode';
import type { Examples } from './fit';
import { HISTORY } from './network';
import type { Encoder, Head } from './network';
import { crossEntropy, huber, prototypes } from './objectives';
import type { Objective } from './objectives';

/** A task, made ready for the trainer: what to learn from which rows, and what to make of it. */
export interface Lesson {
  objective: Objective;
  /** Training rows that have a target. */
  rows: Int32Array;
  /** See `Training`. */
  prior?: Float32Array;
  /** Before calibration. */
  head: Head;
  calibrated(raw: Raw): Head;
  baseline: Manifest['baseline'];
}

interface Given { spec: ModelSpec; examples: Examples; encoders: Encoder[]; /** Rows that may be learnt from. */ trainable: Int32Array }

export function lessonOf(given: Given): Lesson {
  const { spec } = given;
  switch (spec.task) {
    case 'regression': return regression(spec, given);
    case 'classification': return classification(spec, given);
    case 'embedding': return embedding(spec, given);
    case 'forecast': return forecast(spec, given);
  }
}

/** Where squares end in Huber's loss: in standard deviations of the target, and in spreads of the history. */
const HUBER = { regression: 2, forecast: 0.5 };
/** Seasons that a forecast's starting point is the mean of. */
const SEASONS = 3;
/** Of the softmax over codes: with the priors apart, cosines need not be sharpened much. */
const TEMPERATURE = 0.6;

function regression(spec: RegressionSpec, { examples, trainable }: Given): Lesson {
  const target = targetOf(spec, examples);
  if (!isNumeric(target)) throw wrongTarget(spec, 'a number', target.type);
  const { folds } = examples.split;
  const rows = labelled(spec, trainable, folds, (row) => !Number.isNaN(target.values[row]!));
  const scaled = target.values.map((y) => (spec.scale === 'log10' ? Math.log10(y) : y));
  const bad = rows.find((row) => !Number.isFinite(scaled[row]!));
  if (bad !== undefined) {
    throw new ShoalError('NOT_FINITE', `The target ${spec.target} of ${spec.name} is ${target.values[bad]} in row ${bad}.`, {
      remedy: `${spec.scale === 'log10' ? 'On the scale log10 it must be positive. ' : ''}Leave such rows out in the source's SQL.`,
      details: { model: spec.name, column: spec.target, row: bad, found: String(target.values[bad]) },
    });
  }
  const known = Array.from(rows, (row) => scaled[row]!);
  const mean = average(known);
  const deviation = Math.sqrt(average(known.map((y) => (y - mean) ** 2)));
  if (!(deviation > 1e-12 * Math.abs(mean))) throw constantTarget(spec, spec.target, `the value ${target.values[rows[0]!]}`);
  const truth = Float32Array.from(scaled, (y) => (y - mean) / deviation);
  const offsets = (errors: number[], unit: number): { lowOffset: number; highOffset: number } => {
    const { low, high } = intervalOffsets(errors, spec.interval);
    return { lowOffset: low * unit, highOffset: high * unit };
  };
  const plain = offsets(known.map((y) => y - mean), 1);
  const say = (z: number): number => unscale('regression', spec.scale, z);
  const head = { kind: 'regression', scale: spec.scale, mean, deviation, lowOffset: 0, highOffset: 0 } as const;
  return {
    objective: huber(truth, 1, HUBER.regression),
    rows,
    head,
    calibrated: (raw) => ({ ...head, ...offsets(crossFittedErrors({ raw, rows, folds, truth, unit: 0 }), deviation) }),
    baseline: { value: say(mean), low: say(mean + plain.lowOffset), high: say(mean + plain.highOffset) },
  };
}

function classification(spec: ClassificationSpec, { examples, trainable }: Given): Lesson {
  const target = targetOf(spec, examples);
  const named = namesIn(target);
  if (!named) throw wrongTarget(spec, 'a category', target.type);
  const { folds } = examples.split;
  const rows = labelled(spec, trainable, folds, (row) => named[row] !== null);
  const classes = [...new Set(Array.from(rows, (row) => named[row]!))].sort();
  if (classes.length < 2) throw constantTarget(spec, spec.target, `the class ${classes[0]}`);
  const position = new Map(classes.map((name, k) => [name, k]));
  const classOf = Int32Array.from(named, (name) => position.get(name ?? '') ?? -1);
  const shares = classes.map((_, k) => rows.reduce((n, row) => n + (classOf[row] === k ? 1 : 0), 0) / rows.length);
  const likeliest = shares.indexOf(Math.max(...shares));
  return {
    objective: crossEntropy(classOf, classes.length),
    rows,
    head: { kind: 'classification', classes, temperature: 1 },
    calibrated: (raw) => ({ kind: 'classification', classes, temperature: fitTemperature({ raw, rows, folds, classOf, weights: examples.weights }) }),
    baseline: { label: classes[likeliest]!, probability: shares[likeliest]!, probabilities: shares },
  };
}

function namesIn(target: Column): (string | null)[] | undefined {
  if (isString(target)) return target.values;
  return isNumeric(target) ? Array.from(target.values, (y) => (Number.isNaN(y) ? null : String(y))) : undefined;
}

function embedding(spec: EmbeddingSpec, { examples, trainable }: Given): Lesson {
  const { alike = {}, split: { folds } } = examples;
  const attributes = attributeCodes({ attributes: alike, rows: trainable, dimensions: spec.dimensions, seed: spec.seed });
  if (attributes.length === 0) throw constantTarget(spec, spec.alike.join(' and '), 'one value');
  const rows = labelled(spec, trainable, folds, (row) => attributes.some((a) => a.target[row]! >= 0));
  // What a row with the commonest attributes would be.
  const mean = new Float64Array(spec.dimensions);
  for (const row of rows) {
    for (const { codes, target } of attributes) {
      const value = target[row]!;
      if (value >= 0) for (let d = 0; d < spec.dimensions; d++) mean[d]! += codes[value * spec.dimensions + d]! / rows.length;
    }
  }
  const norm = Math.max(1e-6, Math.hypot(...mean));
  const head: Head = { kind: 'embedding', dimensions: spec.dimensions };
  return {
    objective: prototypes(attributes, spec.dimensions, TEMPERATURE),
    rows,
    head,
    calibrated: () => head,
    baseline: { vector: Array.from(mean, (x) => x / norm) },
  };
}

function forecast(spec: ForecastSpec, { examples, encoders, trainable }: Given): Lesson {
  const target = vector(targetOf(spec, examples), spec.target, spec.horizon);
  const { folds } = examples.split;
  const encoder = windowOf({ encoders }, HISTORY);
  const history = vector(columnOf(examples.table, HISTORY), HISTORY, spec.context);
  const scratch = new Float64Array(spec.context);
  const truth = new Float32Array(target.values.length);
  for (let row = 0; row < examples.table.rows; row++) {
    const { level, spread } = readWindow(encoder, history, row, scratch);
    for (let i = row * spec.horizon; i < (row + 1) * spec.horizon; i++) {
      truth[i] = (scaleHistory(spec.scale, target.values[i]!) - level) / spread;
    }
  }
  const known = (row: number): Float32Array => truth.subarray(row * spec.horizon, (row + 1) * spec.horizon);
  const rows = labelled(spec, trainable, folds, (row) => known(row).some((y) => !Number.isNaN(y)));
  const first = known(rows[0]!).find((y) => !Number.isNaN(y))!;
  const same = (y: number): boolean => Number.isNaN(y) || Math.abs(y - first) < 1e-9;
  if (rows.every((row) => known(row).every(same))) throw constantTarget(spec, spec.target, 'one value');
  const zeros = new Array<number>(spec.horizon).fill(0);
  const head = {
    kind: 'forecast', window: HISTORY, scale: spec.scale, horizon: spec.horizon, lowOffset: zeros, highOffset: zeros,
  } as const;
  return {
    objective: huber(truth, spec.horizon, HUBER.forecast),
    rows,
    prior: seasonalMean(spec, encoders),
    head,
    calibrated: (raw) => {
      const offsets = zeros.map((_, unit) => intervalOffsets(crossFittedErrors({ raw, rows, folds, truth, unit }), spec.interval));
      return { ...head, lowOffset: offsets.map((o) => o.low), highOffset: offsets.map((o) => o.high) };
    },
    baseline: {},
  };
}

/**
 * A skip kernel [inputs, horizon] that forecasts the mean of the same period in the seasons looked back on: what there is to improve on.
 */
function seasonalMean({ context, horizon, season }: ForecastSpec, encoders: Encoder[]): Float32Array {
  const before = encoders.slice(0, encoders.findIndex((e) => e.kind === 'window')).reduce((sum, e) => sum + widthOf(e), 0);
  const inputs = encoders.reduce((sum, e) => sum + widthOf(e), 0);
  const kernel = new Float32Array(inputs * horizon);
  const seasons = Math.min(SEASONS, Math.floor(context / season));
  for (let h = 0; h < horizon; h++) {
    for (let q = 1; q <= seasons; q++) kernel[(before + context - q * season + (h % season)) * horizon + h] = 1 / seasons;
  }
  return kernel;
}

function targetOf(spec: Exclude<ModelSpec, EmbeddingSpec>, { target }: Examples) {
  if (target) return target;
  throw new ShoalError('COLUMN_MISSING', `The target ${spec.target} of ${spec.name} is missing.`, {
    details: { model: spec.name, column: spec.target },
  });
}

/** Rows that have a target. Each member needs rows of its own to stop by and others to learn from. */
function labelled(spec: ModelSpec, trainable: Int32Array, folds: Int8Array, has: (row: number) => boolean): Int32Array {
  const rows = trainable.filter(has);
  const needed = 2 * spec.training.folds;
  const used = new Set(Array.from(rows, (row) => folds[row]!)).size;
  if (rows.length >= needed && used >= 2) return rows;
  throw new ShoalError('TOO_FEW_ROWS', `${spec.name} has ${rows.length} rows to learn from, in ${used} of ${spec.training.folds} folds; ` +
    `it needs at least ${needed}, in two or more.`, {
    remedy: 'Bring more rows, or lower `training.folds` or `holdout`.',
    details: { model: spec.name, rows: rows.length, trainable: trainable.length, needed, folds: used },
  });
}

const average = (numbers: readonly number[]): number => numbers.reduce((sum, x) => sum + x, 0) / numbers.length;

const wrongTarget = (spec: RegressionSpec | ClassificationSpec, expected: string, found: string): ShoalError =>
  new ShoalError('COLUMN_TYPE', `The target ${spec.target} of ${spec.name} is to be ${expected}, and is of type ${found}.`, {
    details: { model: spec.name, column: spec.target, expected, found },
  });

const constantTarget = (spec: ModelSpec, column: string, what: string): ShoalError =>
  new ShoalError('TARGET_CONSTANT', `${column} of ${spec.name} has only ${what} in the rows to learn from: there is nothing to learn.`, {
    remedy: 'Choose another target, or bring rows in which it varies.', details: { model: spec.name, column },
  });
