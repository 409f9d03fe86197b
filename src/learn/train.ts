import type { Tensor1D, Tensor3D } from '@tensorflow/tfjs-node';
import { ShoalError } from '../domain/errors';
import { fingerprintOf, readCheckpoint, writeCheckpoint } from './checkpoint';
import type { Checkpoints, TrainingState } from './checkpoint';
import type { Encoded } from './encode';
import { backward, forward, gather } from './ensemble';
import type { Inputs, Plan, TF } from './ensemble';
import type { Weights } from './network';
import type { Objective } from './objectives';
import { Optimiser } from './optimiser';
import { initialWeights, join, layoutOf, skipOnly, split, toWeights } from './parameters';
import type { Layout } from './parameters';
import { random, shuffle } from './random';

export interface TrainingOptions {
  seed: number;
  maxEpochs: number;
  patience: number;
  batchSize: number;
  learningRate: number;
  weightDecay: number;
  /** Share of each hidden layer's numbers left out of a step (Srivastava et al., 2014). */
  dropout: number;
  /** Share of each text's words left out of a step (Iyyer et al., 2015, "Deep unordered composition rivals syntactic methods"). */
  wordDropout: number;
}

export interface Progress { epoch: number; maxEpochs: number; trainLoss: number; validationLoss: number; bestEpoch: number }

export interface Training {
  model: string;
  plan: Plan;
  encoded: Encoded;
  objective: Objective;
  /** Where the skip layer's kernel [inputs, units] starts, and what weight decay draws it to (L2-SP; Li et al., 2018); 0 when absent. */
  prior?: Float32Array;
  /** The rows to learn from, and which member (fold) each is kept from: indices into `encoded`, -1 elsewhere unused. */
  rows: Int32Array;
  folds: Int8Array;
  /** How much each row counts, above 0: multiplies its loss, and so its gradient. 1 for all when absent. */
  weights?: Float32Array;
  options: TrainingOptions;
  checkpoints: Checkpoints;
  onProgress(progress: Progress): void;
  signal: AbortSignal;
}

export interface Trained {
  weights: Weights; epochs: number; bestEpoch: number; steps: number; curve: { train: number[]; validation: number[] }
}

/** Share of the running average of the weights that a step keeps; the average is what is validated and kept. */
const AVERAGING = 0.98;
const MIN_BATCH = 16;
const STEPS_AN_EPOCH = 8;
const CHECKPOINT_EVERY_MS = 2_000;
const YIELD_EVERY_MS = 100;
const VALIDATION_ROWS = 1_024;
const MAX_RESTARTS = 3;

/**
 * Trains all members at once: each batch goes to every member, and counts for those that are not to be kept from it. After each epoch
 * each member is scored on its own left-out rows; training stops when their mean has not improved for `patience` epochs, and the weights of
 * the best epoch, one for all members, are kept.
 *
 * Everything random follows from the seed and the place in training, so that training continued from a checkpoint gives the weights
 * of an undisturbed one. Told to stop, it saves its place first, and throws the signal's reason.
 *
 * @throws ShoalError TRAINING_DIVERGED when the loss stays non-finite however small the steps
 */
export async function train(tf: TF, training: Training): Promise<Trained> {
  const { plan, options, objective, encoded, rows, signal } = training;
  const layout = layoutOf(plan);
  const fingerprint = fingerprintOf({ plan, options, model: training.model },
    [
      encoded.block,
      ...encoded.bags.flatMap((b) => [b.offsets, b.ids, b.weights]),
      rows,
      training.folds,
      ...(training.prior ? [training.prior] : []),
      ...(training.weights ? [training.weights] : []),
      ...objective.targets,
    ]);
  const saved = await training.checkpoints.load();
  const state = (saved && readCheckpoint(fingerprint, saved)) ?? begin(training, layout);
  const batches = batchesOf(rows.length, options.batchSize);
  const run = new Run(tf, training, layout, state);
  let savedAt = Date.now();
  let yieldedAt = savedAt;
  try {
    while (state.epoch < options.maxEpochs && state.epoch - state.bestEpoch < options.patience) {
      const order = shuffle(rows.slice(), random(options.seed, 'order', state.epoch));
      while (state.batch < batches) {
        const edge = (batch: number): number => Math.floor((batch * order.length) / batches);
        run.step(order.subarray(edge(state.batch), edge(state.batch + 1)));
        state.batch++;
        const now = Date.now();
        if (signal.aborted || now - savedAt >= CHECKPOINT_EVERY_MS) {
          run.keep();
          await training.checkpoints.save(writeCheckpoint(fingerprint, state));
          signal.throwIfAborted();
          savedAt = Date.now();
        }
        if (now - yieldedAt >= YIELD_EVERY_MS) {
          await new Promise(setImmediate);
          yieldedAt = Date.now();
        }
      }
      run.endEpoch();
      training.onProgress({
        epoch: state.epoch, maxEpochs: options.maxEpochs, trainLoss: state.curve.train.at(-1) ?? NaN,
        validationLoss: state.curve.validation.at(-1) ?? NaN, bestEpoch: state.bestEpoch,
      });
    }
  } finally {
    run.dispose();
  }
  const { epoch: epochs, bestEpoch, steps, curve } = state;
  return { weights: toWeights(layout, state.best), epochs, bestEpoch, steps, curve };
}

/** Small data gets smaller batches, so that an epoch has several steps. */
const batchesOf = (rows: number, batchSize: number): number =>
  Math.max(1, Math.ceil(rows / Math.min(batchSize, Math.max(MIN_BATCH, Math.ceil(rows / STEPS_AN_EPOCH)))));

function begin({ plan, encoded, rows, options, prior }: Training, layout: Layout): TrainingState {
  const weights = initialWeights({ plan, layout, encoded, rows, seed: options.seed });
  if (prior) skipOnly(plan, layout, prior).forEach((w, i) => { weights[i]! += w; });
  return {
    epoch: 0, batch: 0, adamStep: 0, steps: 0, learningRate: options.learningRate, restarts: 0,
    bestEpoch: 0, bestLoss: Number.MAX_VALUE, curve: { train: [], validation: [] },
    weights, firstMoment: new Float32Array(layout.size), secondMoment: new Float32Array(layout.size),
    average: weights.slice(), best: weights.slice(), lossSum: new Float32Array(plan.members), weightSum: new Float32Array(plan.members),
  };
}

/** Training in progress: the tensors, and what a step and an epoch's end do to them and to the state. */
class Run {
  private readonly optimiser: Optimiser;
  private lossSum: Tensor1D;
  private weightSum: Tensor1D;
  private readonly noise: Tensor1D;
  private readonly memberOf = new Map<number, number>();

  constructor(
    private readonly tf: TF, private readonly training: Training, private readonly layout: Layout, private readonly state: TrainingState,
  ) {
    const { plan, options, rows, folds, prior } = training;
    this.optimiser = new Optimiser(tf, state, layout.decay, prior && skipOnly(plan, layout, prior));
    this.lossSum = tf.tensor1d(state.lossSum);
    this.weightSum = tf.tensor1d(state.weightSum);
    rows.forEach((row) => this.memberOf.set(row, folds[row]!));
    const perRow = Math.max(...plan.bags.map((b) => b.tokens), ...plan.layers.map((l) => l.units * plan.members));
    const length = 2 * perRow * Math.min(rows.length, options.batchSize);
    this.noise = tf.tensor1d(Float32Array.from({ length }, random(options.seed, 'noise')));
  }

  step(rows: Int32Array): void {
    const { tf, training, layout, state, optimiser } = this;
    const { plan, objective, encoded, options } = training;
    state.adamStep++;
    state.steps++;
    const { g, lossSum, weightSum } = tf.tidy(() => {
      const parameters = split(tf, layout, optimiser.read('weights'));
      const inputs = this.withoutWords(gather(tf, encoded, rows, 1));
      const pass = forward(tf, plan, parameters, inputs, this.noiseFor('units', options.dropout));
      const { loss, weight, gradient } = objective.evaluate(tf, { output: pass.output, rows, groups: 1, mask: this.maskOf(rows) });
      const mean = tf.div<Tensor3D>(gradient, tf.reshape(tf.maximum(weight, 1), [plan.members, 1, 1]));
      return {
        g: join(tf, layout, backward(tf, plan, parameters, inputs, pass, mean, 1 / (1 - options.dropout))),
        lossSum: tf.add<Tensor1D>(this.lossSum, loss), weightSum: tf.add<Tensor1D>(this.weightSum, weight),
      };
    });
    optimiser.step(g, {
      count: state.adamStep, learningRate: state.learningRate, weightDecay: options.weightDecay,
      averaging: Math.min(AVERAGING, (1 + state.adamStep) / (10 + state.adamStep)),
    });
    g.dispose();
    this.replaceSums(lossSum, weightSum);
  }

  endEpoch(): void {
    const { state, tf, training } = this;
    const train = meanOf(this.lossSum.dataSync(), this.weightSum.dataSync());
    this.replaceSums(tf.zeros([training.plan.members]), tf.zeros([training.plan.members]));
    const validation = this.validate();
    state.epoch++;
    state.batch = 0;
    if (!Number.isFinite(train) || !Number.isFinite(validation)) return this.restart();
    state.curve.train.push(train);
    state.curve.validation.push(validation);
    if (validation < state.bestLoss) {
      state.bestLoss = validation;
      state.bestEpoch = state.epoch;
      state.best = this.optimiser.copy('average');
    }
  }

  /** From the best weights so far, with half the step. */
  private restart(): void {
    const { state, training } = this;
    if (++state.restarts > MAX_RESTARTS) {
      throw new ShoalError('TRAINING_DIVERGED', `Training of ${training.model} diverges: its loss is not finite, even at a learning rate ` +
        `of ${state.learningRate}.`, {
        remedy: 'Try a smaller learningRate, or `scale: log10` for a target that spans orders of magnitude; look for extreme values.',
        details: { model: training.model, learningRate: state.learningRate, epoch: state.epoch },
      });
    }
    state.learningRate /= 2;
    state.adamStep = 0;
    const zeros = new Float32Array(this.layout.size);
    this.optimiser.load({ weights: state.best, average: state.best, firstMoment: zeros, secondMoment: zeros });
  }

  /** Mean loss over members, each on its own left-out rows. */
  private validate(): number {
    const { tf, training, layout } = this;
    const { plan, objective, encoded, rows, folds } = training;
    const own = Array.from({ length: plan.members }, (_, m) => rows.filter((row) => folds[row] === m));
    const longest = Math.max(...own.map((o) => o.length));
    const chunk = Math.max(1, Math.floor(VALIDATION_ROWS / plan.members));
    const loss = new Float64Array(plan.members);
    const weight = new Float64Array(plan.members);
    for (let from = 0; from < longest; from += chunk) {
      const length = Math.min(chunk, longest - from);
      const list = Int32Array.from({ length: plan.members * length }, (_, i) => own[Math.floor(i / length)]![from + (i % length)] ?? -1);
      const sums = tf.tidy(() => {
        const parameters = split(tf, layout, this.optimiser.read('average'));
        const { output } = forward(tf, plan, parameters, gather(tf, encoded, list, plan.members));
        const mask = tf.tensor3d(Float32Array.from(list, (row) => (row < 0 ? 0 : this.weightOf(row))), [plan.members, length, 1]);
        const scored = objective.evaluate(tf, { output, rows: list, groups: plan.members, mask });
        return { loss: scored.loss, weight: scored.weight };
      });
      sums.loss.dataSync().forEach((x, m) => { loss[m]! += x; });
      sums.weight.dataSync().forEach((x, m) => { weight[m]! += x; });
      tf.dispose(sums);
    }
    return meanOf(loss, weight);
  }

  /** Copies the tensors into the state, for a checkpoint. */
  keep(): void {
    for (const name of ['weights', 'firstMoment', 'secondMoment', 'average'] as const) this.state[name] = this.optimiser.copy(name);
    for (const name of ['lossSum', 'weightSum'] as const) this.state[name] = this[name].dataSync().slice() as Float32Array;
  }

  dispose(): void {
    this.optimiser.dispose();
    this.tf.dispose([this.lossSum, this.weightSum, this.noise]);
  }

  private replaceSums(lossSum: Tensor1D, weightSum: Tensor1D): void {
    this.tf.dispose([this.lossSum, this.weightSum]);
    this.lossSum = lossSum;
    this.weightSum = weightSum;
  }

  private weightOf(row: number): number {
    return this.training.weights ? this.training.weights[row]! : 1;
  }

  /** [members, rows, 1]: how much each row counts; 0 where the member is to be kept from it. */
  private maskOf(rows: Int32Array): Tensor3D {
    const { members } = this.training.plan;
    const mask = new Float32Array(members * rows.length);
    for (let m = 0; m < members; m++) for (let i = 0; i < rows.length; i++) mask[m * rows.length + i] = this.weightOf(rows[i]!);
    for (let i = 0; i < rows.length; i++) mask[this.memberOf.get(rows[i]!)! * rows.length + i] = 0;
    return this.tf.tensor3d(mask, [members, rows.length, 1]);
  }

  private withoutWords(inputs: Inputs): Inputs {
    const keep = this.noiseFor('words', this.training.options.wordDropout);
    return keep ? { fixed: inputs.fixed, bags: inputs.bags.map((bag) => this.tf.mul<Tensor3D>(bag, keep(bag.shape))) } : inputs;
  }

  /** Tensors of 0 and 1 / (share kept): slices of one pool of noise, begun at places that follow from the step. */
  private noiseFor(what: string, dropped: number): ((shape: [number, number, number]) => Tensor3D) | undefined {
    const { noise, tf } = this;
    if (dropped === 0) return undefined;
    const place = random(this.training.options.seed, what, this.state.steps);
    return (shape) => {
      const size = shape[0] * shape[1] * shape[2];
      const uniform = tf.slice1d(noise, Math.floor(place() * (noise.size - size)), size);
      return tf.reshape(tf.mul(tf.cast(tf.greaterEqual(uniform, dropped), 'float32'), 1 / (1 - dropped)), shape);
    };
  }
}

/** Mean over the members that have any weight. */
function meanOf(loss: ArrayLike<number>, weight: ArrayLike<number>): number {
  const means = Array.from(loss, (sum, m) => sum / weight[m]!).filter((_, m) => weight[m]! > 0);
  return means.reduce((sum, x) => sum + x, 0) / means.length;
}
