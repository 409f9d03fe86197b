import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { ModelProtoSchema, OperatorSetIdProtoSchema, type ModelProto } from 'onnx-buf';
import { completeOnnx } from '../../src/learn/onnx/complete';
import { Graph } from '../../src/learn/onnx/graph';
import { loadOnnxRuntime } from '../../src/native';
import { open } from './onnx/run';

const ort = loadOnnxRuntime();

/** value = 2 x */
function doubling(): Uint8Array {
  const graph = new Graph();
  const x = graph.input('x', 'float32', ['N', 1]);
  graph.output('value', 'float32', ['N', 1], graph.node('Mul', [x, graph.float32([2], [])]));
  return graph.serialise('test', { who: 'somebody' });
}

function changed(change: (model: ModelProto) => void): Uint8Array {
  const model = fromBinary(ModelProtoSchema, doubling());
  change(model);
  return toBinary(ModelProtoSchema, model);
}

const affine = [{ output: 'low', of: 'value', factor: [0.5], add: [-1] }, { output: 'high', of: 'value', factor: [1], add: [1], least: 0 }];

test('a file says, beside what it said, what was added, and takes an input by its new name', async () => {
  const file = completeOnnx(doubling(), { renamed: [{ from: 'x', to: 'flat.size' }], affine });
  const session = await open(file);
  expect([session.inputNames, session.outputNames]).toEqual([['flat.size'], ['value', 'low', 'high']]);
  const { value, low, high } = await session.run({ 'flat.size': new ort.Tensor('float32', Float32Array.of(1, -3), [2, 1]) });
  expect([value, low, high].map((tensor) => [tensor!.dims, Array.from(tensor!.data as Float32Array)])).toEqual([[[2, 1], [2, -6]], [[2, 1], [0, -4]], [[2, 1], [3, 0]]]);
  await session.release();
  expect(fromBinary(ModelProtoSchema, file).metadataProps).toMatchObject([{ key: 'who', value: 'somebody' }]);
});

test('equal files, completed alike, are equal bytes', () => {
  expect(Buffer.compare(completeOnnx(doubling(), { affine }), completeOnnx(doubling(), { affine }))).toBe(0);
});

test('a file without the standard operators gets their set', async () => {
  const bare = changed((model) => { model.opsetImport = model.opsetImport.filter(({ domain }) => domain !== ''); });
  expect(fromBinary(ModelProtoSchema, completeOnnx(bare, { affine })).opsetImport).toContainEqual(expect.objectContaining({ domain: '', version: 13n }));
});

test.each([
  { what: 'no ONNX file', file: () => Buffer.from('{"json": true}'), message: /no ONNX file/ },
  { what: 'an old operator set', file: () => changed((model) => { model.opsetImport = [create(OperatorSetIdProtoSchema, { domain: '', version: 9n })]; }), message: /operator set 9; 11 or later/ },
  { what: 'a name taken inside', file: () => changed((model) => {
    const [node] = model.graph!.node;
    model.graph!.node.push({ ...node!, name: 'low', output: ['low'] });
  }), message: /the name low is taken inside the graph/ },
])('$what is refused', ({ file, message }) => {
  expect(() => completeOnnx(file(), { affine })).toThrow(message);
});
