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
