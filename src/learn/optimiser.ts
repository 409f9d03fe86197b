import type { Tensor, Tensor1D } from '@tensorflow/tfjs-node';
import type { TF } from './ensemble';

const BETA1 = 0.9;
const BETA2 = 0.999;
const EPSILON = 1e-8;

export interface OptimiserState { weights: Float32Array; firstMoment: Float32Array; secondMoment: Float32Array; average: Float32Array }

const NAMES = ['weights', 'firstMoment', 'secondMoment', 'average'] as const;
type Variables = Record<(typeof NAMES)[number], Tensor>;
let made = 0;

export interface Step { count: number; learningRate: number; weightDecay: number; averaging: number }

/** What tfjs-node's backend can do beyond its public interface: run any TensorFlow op. */
interface Backend {
  binding: Record<'TF_ATTR_TYPE' | 'TF_ATTR_SHAPE' | 'TF_ATTR_STRING' | 'TF_ATTR_BOOL' | 'TF_FLOAT', number>;
  executeSingleOutput(name: string, attributes: object[], inputs: Tensor[]): Tensor;
  executeMultipleOutputs(name: string, attributes: object[], inputs: Tensor[], outputs: number): Tensor[];
}

/**
 * Adam (Kingma and Ba, 2015) with decoupled weight decay (Loshchilov and Hutter, 2019) and a running average of the weights (Polyak and
 * Juditsky, 1992), over one flat vector. It uses TensorFlow's own fused update on variables in place: composed of tfjs ops the same takes
 * four times as long, and is most of a training step.
 */
export class Optimiser {
  private readonly backend: Backend;
  private readonly variables: Variables;
  private readonly decay: Tensor1D;
  private readonly anchor: Tensor1D | undefined;

  /** Decay takes weights towards `anchor` (0 when absent) where `decay` is 1, not at all where it is 0. */
  constructor(private readonly tf: TF, state: OptimiserState, decay: Float32Array, anchor?: Float32Array) {
    this.backend = tf.backend() as unknown as Backend;
    this.decay = tf.tensor1d(decay);
    this.anchor = anchor && tf.tensor1d(anchor);
    this.variables = Object.fromEntries(NAMES.map((name) => [name, this.variable(name, state[name].length)])) as Variables;
    this.load(state);
  }

  load(state: OptimiserState): void {
    this.tf.tidy(() => {
      for (const name of NAMES) this.run('AssignVariableOp', [this.type('dtype')], [this.variables[name], this.tf.tensor1d(state[name])]);
    });
  }

  /** A snapshot: later steps do not change it. */
  read(name: (typeof NAMES)[number]): Tensor1D {
    return this.backend.executeSingleOutput('ReadVariableOp', [this.type('dtype')], [this.variables[name]]) as Tensor1D;
  }

  /** As plain numbers. */
  copy(name: (typeof NAMES)[number]): Float32Array {
    const tensor = this.read(name);
    const values = tensor.dataSync().slice() as Float32Array;
    tensor.dispose();
    return values;
  }

  /** Step `count` (from 1 since the moments were last 0) along a gradient; the average keeps the share `averaging` of what it was. */
  step(gradient: Tensor1D, { count, learningRate, weightDecay, averaging }: Step): void {
    const { tf } = this;
    const { weights, firstMoment, secondMoment, average } = this.variables;
    const numbers = [BETA1 ** count, BETA2 ** count, learningRate, BETA1, BETA2, EPSILON];
    tf.tidy(() => {
      this.descend(weights, learningRate * weightDecay, () => {
        const now = this.read('weights');
        return tf.mul(this.anchor ? tf.sub(now, this.anchor) : now, this.decay);
      });
      this.run('ResourceApplyAdam', [this.type('T'), this.flag('use_locking'), this.flag('use_nesterov')],
        [weights, firstMoment, secondMoment, ...numbers.map((x) => tf.scalar(x)), gradient]);
      this.descend(average, 1 - averaging, () => tf.sub(this.read('average'), this.read('weights')));
    });
  }

  dispose(): void {
    for (const variable of Object.values(this.variables)) {
      this.run('DestroyResourceOp', [{ name: 'ignore_lookup_error', type: this.backend.binding.TF_ATTR_BOOL, value: true }], [variable]);
      variable.dispose();
    }
    this.decay.dispose();
    this.anchor?.dispose();
  }

  /** variable -= rate * direction. What the direction was made of is let go first: a variable that is still read must be copied. */
  private descend(variable: Tensor, rate: number, direction: () => Tensor): void {
    const by = this.tf.tidy(direction);
    this.run('ResourceApplyGradientDescent', [this.type('T'), this.flag('use_locking')], [variable, this.tf.scalar(rate), by]);
  }

  private variable(name: string, size: number): Tensor {
    const { binding } = this.backend;
    return this.backend.executeSingleOutput('VarHandleOp', [
      this.type('dtype'),
      { name: 'shape', type: binding.TF_ATTR_SHAPE, value: [size] },
      { name: 'container', type: binding.TF_ATTR_STRING, value: '' },
      { name: 'shared_name', type: binding.TF_ATTR_STRING, value: `shoal/${made++}/${name}` },
    ], []);
  }

  private run(name: string, attributes: object[], inputs: Tensor[]): void {
    this.backend.executeMultipleOutputs(name, attributes, inputs, 0);
  }

  private type(name: string): object {
    return { name, type: this.backend.binding.TF_ATTR_TYPE, value: this.backend.binding.TF_FLOAT };
  }

  private flag(name: string): object {
    return { name, type: this.backend.binding.TF_ATTR_BOOL, value: false };
  }
}
