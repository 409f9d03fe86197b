import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { ModelProtoSchema, NodeProtoSchema, OperatorSetIdProtoSchema, TensorProto_DataType as DataType, TensorProtoSchema, ValueInfoProtoSchema, type ModelProto } from 'onnx-buf';
import { attribute, valueInfo, type ElementType, type Shape } from './graph';

/** What is added to a file that somebody else made, so that it says all that its task demands. */
export interface Completion {
  /** An input gets the name of the feature it is. */
  renamed?: readonly { from: string; to: string }[];
  /** `output` = max(`factor` * `of` + `add`, `least`), each a number, or one for each step. */
  affine?: readonly { output: string; of: string; factor: number[]; add: number[]; least?: number }[];
  /** The likeliest class of `probabilities` [rows, classes], and its probability. */
  likeliest?: { classes: readonly string[]; label: boolean; probability: boolean };
}

/** The operators added are, as they are used, in ONNX's own set from this version on. */
const LEAST_OPSET = 11n;
/** Of files that have none of it. */
const OPSET = 13n;
const utf8 = new TextEncoder();

/**
 * The file with what it lacks: nodes of ONNX's own set, beside those it has. Nothing in it is changed.
 *
 * @throws RangeError when it is no ONNX file, when its operator set is too old, or when a name is taken
 */
export function completeOnnx(file: Uint8Array, { renamed = [], affine = [], likeliest }: Completion): Uint8Array {
  const model = read(file);
  const graph = model.graph!;
  const taken = new Set([...graph.input, ...graph.initializer].map(({ name }) => name).concat(graph.node.flatMap(({ output }) => output)));
  const claim = (name: string): string => {
    if (taken.has(name)) throw new RangeError(`the name ${name} is taken inside the graph`);
    taken.add(name);
    return name;
  };
  const node = (opType: string, input: string[], output: string, attributes: Record<string, number> = {}) =>
    create(NodeProtoSchema, { name: output, opType, input, output: [output], attribute: Object.entries(attributes).map(([name, value]) => attribute(name, value)) });
  const add = (operator: string, inputs: string[], output: string, attributes?: Record<string, number>): string => {
    graph.node.push(node(operator, inputs, claim(output), attributes));
    return output;
  };
  const floats = (name: string, values: readonly number[]): string => {
    const floatData = Array.from(Float32Array.from(values));
    graph.initializer.push(create(TensorProtoSchema, { name: claim(name), dims: [BigInt(values.length)], dataType: DataType.FLOAT, floatData }));
    return name;
  };
  const declare = (name: string, type: ElementType, shape: Shape): void => void graph.output.push(create(ValueInfoProtoSchema, valueInfo(name, type, shape)));

  for (const { from, to } of renamed) {
    graph.input.find(({ name }) => name === from)!.name = claim(to);
    graph.node.unshift(node('Identity', [to], from));
  }
  for (const { output, of, factor, add: offset, least } of affine) {
    const scaled = add('Mul', [of, floats(`shoal.${output}.factor`, factor)], `shoal.${output}.scaled`);
    const offsets = floats(`shoal.${output}.add`, offset);
    if (least === undefined) add('Add', [scaled, offsets], output);
    else add('Max', [add('Add', [scaled, offsets], `shoal.${output}.moved`), floats(`shoal.${output}.least`, [least])], output);
    const declared = graph.output.find(({ name }) => name === of)!;
    graph.output.push(create(ValueInfoProtoSchema, { ...declared, name: output }));
  }
  if (likeliest) {
    const best = add('ArgMax', ['probabilities'], 'shoal.likeliest', { axis: 1, keepdims: 1 });
    if (likeliest.label) {
      const classes = { name: claim('shoal.classes'), dims: [BigInt(likeliest.classes.length)], dataType: DataType.STRING, stringData: likeliest.classes.map((c) => utf8.encode(c)) };
      graph.initializer.push(create(TensorProtoSchema, classes));
      add('Gather', [classes.name, best], 'label', { axis: 0 });
      declare('label', 'string', ['N', 1]);
    }
    if (likeliest.probability) {
      add('GatherElements', ['probabilities', best], 'probability', { axis: 1 });
      declare('probability', 'float32', ['N', 1]);
    }
  }
  return toBinary(ModelProtoSchema, model);
}

function read(file: Uint8Array): ModelProto {
  let model: ModelProto;
  try {
    model = fromBinary(ModelProtoSchema, file);
  } catch (cause) {
    throw new RangeError(`it is no ONNX file: ${(cause as Error).message}`, { cause });
  }
  if (!model.graph) throw new RangeError('it is no ONNX file: it has no graph');
  const version = model.opsetImport.find(({ domain }) => domain === '' || domain === 'ai.onnx')?.version;
  if (version !== undefined && version < LEAST_OPSET) throw new RangeError(`it is written in operator set ${version}; ${LEAST_OPSET} or later is needed`);
  if (version === undefined) model.opsetImport.push(create(OperatorSetIdProtoSchema, { domain: '', version: OPSET }));
  return model;
}
