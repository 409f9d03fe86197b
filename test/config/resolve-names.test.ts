import { parseProject } from '../../src/config';

describe('a column called as an output of its model', () => {
  it('gets another name in the ONNX file, and is still read from that column', () => {
    const project = parseProject(`
name: p
sources: { s: { path: s.csv, key: id } }
models:
  price: { task: regression, source: s, target: y, inputs: [value, low, area] }
`, { file: '/p/temporal.yaml' });
    expect(project.models.price!.inputs).toEqual([
      { kind: 'column', name: 'input.value', column: 'value' },
      { kind: 'column', name: 'input.low', column: 'low' },
      { kind: 'column', name: 'area', column: 'area' },
    ]);
  });
});

describe('the stages of a chain', () => {
  it('are the output\'s model and all upstream of it, whichever of them are given settings', () => {
    const project = parseProject(`
name: p
sources: { s: { path: s.csv, key: id } }
models:
  kind: { task: classification, source: s, target: k, inputs: [area] }
  price: { task: regression, source: s, target: y, inputs: [area, kind] }
chains:
  p: { stages: { kind: { timeout: 2s } }, output: price }
`, { file: '/p/temporal.yaml' });
    expect(project.chains.p!.stages.map((s) => [s.model, s.timeoutMs])).toEqual([['kind', 2_000], ['price', 10_000]]);
  });
});
