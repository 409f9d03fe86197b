import { create, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import {
  AttributeProto_AttributeType as AttributeType, type AttributeProtoSchema, type GraphProtoSchema, ModelProtoSchema, type NodeProtoSchema,
  TensorProto_DataType as DataType, type TensorProtoSchema, type ValueInfoProtoSchema,
} from 'onnx-buf';
import { ShoalError } from '../../domain/errors';

/** The name of a value in the graph. */
export type Value = string;
export type ElementType = 'float32' | 'float64' | 'int64' | 'bool' | 'string';
/** A named size is known only when the graph runs: `N`, the number of rows. */
export type Shape = (number | string)[];
type Subgraph = MessageInitShape<typeof GraphProtoSchema>;
type Attribute = number | string | number[] | string[] | { graph: Subgraph };

/** ONNX 1.15's intermediate representation and operator sets: ONNX Runtime 1.17 and later read them. */
const IR_VERSION = 9n;
const OPSETS = [{ domain: '', version: 20n }, { domain: 'ai.onnx.ml', version: 3n }];
const ML_OPERATORS = new Set(['LabelEncoder']);

const ELEMENT_TYPE = {
  float32: DataType.FLOAT, float64: DataType.DOUBLE, int64: DataType.INT64, bool: DataType.BOOL, string: DataType.STRING,
} as const;
const utf8 = new TextEncoder();

/** An ONNX graph in the making. Values are named in the order in which they are made, so equal graphs are equal bytes. */
export class Graph {
  private readonly inputs: MessageInitShape<typeof ValueInfoProtoSchema>[] = [];
  private readonly outputs: MessageInitShape<typeof ValueInfoProtoSchema>[] = [];
  private nodes: MessageInitShape<typeof NodeProtoSchema>[] = [];
  private readonly constants = new Map<string, MessageInitShape<typeof TensorProtoSchema> & { name: string }>();
  private readonly names = new Set<string>();
  private readonly renamed = new Map<Value, string>();

  input(name: string, type: ElementType, shape: Shape): Value {
    this.inputs.push(valueInfo(name, type, shape));
    return this.claim(name);
  }

  /** Declares a value made by a node, outside loops, as an output of the graph, under a name of its own. */
  output(name: string, type: ElementType, shape: Shape, value: Value): void {
    this.outputs.push(valueInfo(name, type, shape));
    this.renamed.set(value, this.claim(name));
  }

  float32(values: ArrayLike<number>, shape: number[] = [values.length]): Value {
    return this.constant('float32', shape, bytesOf(Float32Array.from(values)));
  }

  float64(values: ArrayLike<number>, shape: number[] = [values.length]): Value {
    return this.constant('float64', shape, bytesOf(Float64Array.from(values)));
  }

  int64(values: number[], shape: number[] = [values.length]): Value {
    return this.constant('int64', shape, bytesOf(BigInt64Array.from(values, BigInt)));
  }

  strings(values: string[], shape: number[] = [values.length]): Value {
    const name = this.fresh('strings');
    this.constants.set(name, { name, dims: shape.map(BigInt), dataType: DataType.STRING, stringData: values.map((v) => utf8.encode(v)) });
    return name;
  }

  /** An operator with one output. */
  node(operator: string, inputs: Value[], attributes: Record<string, Attribute> = {}): Value {
    return this.nodeOf(operator, inputs, 1, attributes)[0]!;
  }

  nodeOf(operator: string, inputs: Value[], outputCount: number, attributes: Record<string, Attribute> = {}): Value[] {
    const outputs = Array.from({ length: outputCount }, () => this.fresh(operator));
    this.nodes.push({
      name: outputs[0]!,
      opType: operator,
      domain: ML_OPERATORS.has(operator) ? 'ai.onnx.ml' : '',
      input: inputs,
      output: outputs,
      attribute: Object.entries(attributes).map(([key, value]) => attribute(key, value)),
    });
    return outputs;
  }

  /** A loop that carries one float32 value: `step` makes the next one from the iteration's number and the value so far. */
  loop(trips: Value, initial: Value, shape: Shape, step: (iteration: Value, state: Value) => Value): Value {
    const iteration = this.fresh('iteration');
    const goOn = this.fresh('goOn');
    const state = this.fresh('state');
    const outer = this.nodes;
    this.nodes = [];
    const still = this.node('Identity', [goOn]);
    const next = step(iteration, state);
    const body: Subgraph = {
      name: 'body',
      input: [valueInfo(iteration, 'int64', []), valueInfo(goOn, 'bool', []), valueInfo(state, 'float32', shape)],
      output: [valueInfo(still, 'bool', []), valueInfo(next, 'float32', shape)],
      node: this.nodes,
    };
    this.nodes = outer;
    return this.node('Loop', [trips, '', initial], { body: { graph: body } });
  }

  cast(value: Value, to: ElementType): Value {
    return this.node('Cast', [value], { to: ELEMENT_TYPE[to] });
  }

  /** One value is its own concatenation. */
  concat(values: Value[], axis: number): Value {
    return values.length === 1 ? values[0]! : this.node('Concat', values, { axis });
  }

  /** The ONNX file. */
  serialise(name: string, metadata: Record<string, string>): Uint8Array {
    const final = (value: Value): string => this.renamed.get(value) ?? value;
    const graph: MessageInitShape<typeof GraphProtoSchema> = {
      name,
      input: this.inputs,
      output: this.outputs,
      initializer: [...this.constants.values()],
      node: this.nodes.map((node) => ({ ...node, input: node.input!.map(final), output: node.output!.map(final) })),
    };
    const model = create(ModelProtoSchema, {
      irVersion: IR_VERSION,
      opsetImport: OPSETS,
      producerName: 'shoal',
      graph,
      metadataProps: Object.keys(metadata).sort().map((key) => ({ key, value: metadata[key]! })),
    });
    return toBinary(ModelProtoSchema, model);
  }

  /** Equal constants are one. */
  private constant(type: 'float32' | 'float64' | 'int64', shape: number[], rawData: Uint8Array<ArrayBuffer>): Value {
    const content = `${type} ${shape.join(',')} ${Buffer.from(rawData.buffer).toString('latin1')}`;
    const known = this.constants.get(content);
    if (known) return known.name;
    const name = this.fresh(type);
    this.constants.set(content, { name, dims: shape.map(BigInt), dataType: ELEMENT_TYPE[type], rawData });
    return name;
  }

  private fresh(stem: string): string {
    let number = this.names.size;
    while (this.names.has(`/${stem}.${number}`)) number++;
    return this.claim(`/${stem}.${number}`);
  }

  private claim(name: string): string {
    if (this.names.has(name)) {
      throw new ShoalError('CONFIG', `The name "${name}" stands for two inputs, or for an input and an output, of one model.`, {
        remedy: 'Give the input another name.', details: { name },
      });
    }
    this.names.add(name);
    return name;
  }
}

/** ONNX's raw data is little-endian, as are all machines that Node runs on. */
function bytesOf(values: Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer> | BigInt64Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

export function valueInfo(name: string, type: ElementType, shape: Shape): MessageInitShape<typeof ValueInfoProtoSchema> {
  const dim = shape.map((size) => (typeof size === 'string'
    ? { value: { case: 'dimParam' as const, value: size } }
    : { value: { case: 'dimValue' as const, value: BigInt(size) } }));
  return { name, type: { value: { case: 'tensorType', value: { elemType: ELEMENT_TYPE[type], shape: { dim } } } } };
}

export function attribute(name: string, value: Attribute): MessageInitShape<typeof AttributeProtoSchema> {
  if (typeof value === 'number') return { name, type: AttributeType.INT, i: BigInt(value) };
  if (typeof value === 'string') return { name, type: AttributeType.STRING, s: utf8.encode(value) };
  if ('graph' in value) return { name, type: AttributeType.GRAPH, g: value.graph };
  return value.every((v) => typeof v === 'number')
    ? { name, type: AttributeType.INTS, ints: value.map(BigInt) }
    : { name, type: AttributeType.STRINGS, strings: (value as string[]).map((v) => utf8.encode(v)) };
}
