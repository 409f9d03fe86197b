import { loadTable } from '../../src/data/loadTable';
import { seriesKey } from '../../src/domain/series';
import type { ModelSpec } from '../../src/domain/spec';
import type { Manifest, Snapshot } from '../../src/domain/version';
import type { Graph } from '../../src/learn/onnx/graph';
import { errorOf, usePlace } from '../data/support';
import { classification, embedding, forecast } from '../domain/specs';
import { flats } from '../support/smallProject';
import { bench, column, deliver, onnx, type Row } from './support';

const place = usePlace();
let flat: Snapshot;
let months: Snapshot;
beforeAll(async () => {
  flat = await place.ingest({ name: 'flats', paths: [await place.write('flats.csv', flats(300))], key: ['id'] });
  const lines = ['month,demand', ...Array.from({ length: 60 }, (_, i) => `${2015 + Math.floor(i / 12)}-${String((i % 12) + 1).padStart(2, '0')}-01,${100 + 10 * (i % 12) + i}`)];
  months = await place.ingest({ name: 'months', paths: [await place.write('months.csv', lines.join('\n'))], key: ['month'] });
});

describe('a classification', () => {
  const CONDITION = classification({ name: 'condition', target: 'condition', source: 'flats', inputs: [column('size')] });
  const CLASSES = ['good', 'bad'];
  const softmax = (graph: Graph): string => graph.node('Softmax', [graph.node('Mul', [graph.node('Sub', ['size', graph.float32([90], [])]), graph.float32([-0.05, 0.05], [1, 2])])], { axis: 1 });
  const file = (more: (graph: Graph, probabilities: string) => void = () => undefined, make = softmax) => onnx([['size', 'float32', ['N', 1]]], (graph) => {
    const probabilities = make(graph);
    more(graph, probabilities);
    graph.output('probabilities', 'float32', ['N', 2], probabilities);
  });
  /** As exporters write it: one label a row, of the likelier class. */
  const labelled = (classes: string[], shape: (string | number)[]) => file((graph, probabilities) => {
    const best = graph.node('ArgMax', [probabilities], { axis: 1, keepdims: shape.length - 1 });
    graph.output('label', 'string', shape, graph.node('Gather', [graph.strings(classes), best], { axis: 0 }));
  });
  const offer = async (onnxFile: Uint8Array, more: Record<string, unknown>, outputsOf = (row: Row): unknown => ({ __key: row.__key, probabilities: [0.2 + row.__fold / 10, 0.8 - row.__fold / 10] })) => {
    const model = bench(place.store, CONDITION, flat);
    const { input, rows } = await model.input();
    return model.accept(input, await deliver(input, { onnx: onnxFile, outputs: rows.map(outputsOf) as Record<string, unknown>[], more }), true);
  };

  it.each([
    { what: 'no classes', file: file(), more: {}, message: /which classes its probabilities are of/ },
    { what: 'one class', file: file(), more: { classes: ['good'] }, message: /two or more different ones/ },
    { what: 'a class twice', file: file(), more: { classes: ['good', 'good'] }, message: /two or more different ones/ },
    { what: 'classes that the target does not have', file: file(), more: { classes: ['0', '1'] }, message: /fewer than two of its classes are values of condition: 0, 1/ },
    { what: 'more classes than probabilities', file: file(), more: { classes: ['good', 'bad', 'ugly'] }, message: /2 probabilities a row, and names 3 classes/ },
    { what: 'classes in another order than its labels', file: labelled(['bad', 'good'], ['N']), more: { classes: CLASSES }, message: /row "\d+" has the label "(bad|good)", and by its probabilities is "(good|bad)"/ },
    { what: 'a label of no class', file: labelled(['x', 'y'], ['N', 1]), more: { classes: CLASSES }, message: /has the label "[xy]"/ },
    { what: 'scores', file: file(undefined, (graph) => graph.node('Mul', ['size', graph.float32([1, 2], [1, 2])])), more: { classes: CLASSES }, message: /are not shares of 1: their sum is/ },
    { what: 'numbers for labels', file: file((graph, p) => graph.output('label', 'int64', ['N'], graph.node('ArgMax', [p], { axis: 1, keepdims: 0 }))), more: { classes: CLASSES }, message: /output label is int64, not string/ },
  ])('with $what is refused', async ({ file: offered, more, message }) => {
    const error = await errorOf(offer(offered, more));
    expect(error.code).toBe('TRAINER_CONTRACT');
    expect(error.message).toMatch(message);
  });

  it('whose cross-fitted outputs have another width is refused', async () => {
    const error = await errorOf(offer(file(), { classes: CLASSES }, (row) => ({ __key: row.__key, probabilities: [0.2, 0.3, 0.5] })));
    expect(error.message).toMatch(/cross-fitted outputs have 3 numbers a row, and its ONNX file gives 2/);
  });

  it.each([[['N']], [['N', 1]]])('keeps the labels that its file gives, shaped %j', async (shape) => {
    const model = bench(place.store, { ...CONDITION, seed: shape.length + 10 }, flat);
    const { input, rows } = await model.input();
    const outputs = rows.map((row) => ({ __key: row.__key, probabilities: [0.4 + row.__fold / 10, 0.6 - row.__fold / 10] }));
    const { version } = await model.accept(input, await deliver(input, { onnx: labelled(CLASSES, shape), outputs, more: { classes: CLASSES } }));
    const { columns } = await model.models.run(version, { rows: 2, columns: { size: { type: 'number', values: Float64Array.of(20, 150) } } });
    expect(columns.label!.values).toEqual(['good', 'bad']);
    expect(columns.probability!.values[0]).toBeGreaterThan(0.9);
  });
});

describe('an embedding', () => {
  const NEAR = embedding({ name: 'near', source: 'flats', alike: ['condition', 'city'], dimensions: 2, inputs: [column('size'), column('note', 'text')] });
  const file = (width: number) => onnx([['size', 'float32', ['N', 1]], ['note', 'string', ['N', 1]]], (graph) => {
    graph.output('vector', 'float32', ['N', width], graph.node('Mul', ['size', graph.float32(Array.from({ length: width }, (_, i) => i + 1), [1, width])]));
  });

  it('is given what makes rows alike, and becomes a version', async () => {
    const model = bench(place.store, NEAR, flat);
    const { input, rows } = await model.input();
    expect(Object.keys(rows[0]!).sort()).toEqual(['__alike.city', '__alike.condition', '__fold', '__key', 'note', 'size']);
    const outputs = rows.map((row) => ({ __key: row.__key, vector: [row.size as number, row.__fold] }));
    const { version } = await model.accept(input, await deliver(input, { onnx: file(2), outputs }), true);
    const manifest = await place.store.readJson<Manifest>(version.manifest);
    expect(manifest.width).toBe(2);
    expect(Math.hypot(...manifest.baseline.vector as number[])).toBeCloseTo(1, 5);
  });

  it('of another size is refused', async () => {
    const model = bench(place.store, { ...NEAR, seed: 2 }, flat);
    const { input, rows } = await model.input();
    const outputs = rows.map((row) => ({ __key: row.__key, vector: [1, 2, row.__fold] }));
    expect((await errorOf(model.accept(input, await deliver(input, { onnx: file(3), outputs })))).message).toMatch(/gives 3 numbers a row, not 2/);
  });
});

describe('a forecast', () => {
  const DEMAND = forecast({ source: 'months', time: 'month', at: 'month', horizon: 3, context: 12 });
  const inputs: Parameters<typeof onnx>[0] = [['history', 'float32', ['N', 12]], ['start', 'float64', ['N', 1]]];
  /** The same periods a year before, and a year's growth. */
  const seasonal = (width: number) => onnx(inputs, (graph) => {
    const last = graph.node('Slice', ['history', graph.int64([0]), graph.int64([width]), graph.int64([1])]);
    graph.output('value', 'float32', ['N', width], graph.node('Add', [last, graph.float32([12], [])]));
  });

  it.each(['linear', 'log10'] as const)('on the %s scale is trained on windows, gets an interval by step, and answers by date', async (scale) => {
    const spec: ModelSpec = { ...DEMAND, scale };
    const model = bench(place.store, spec, months);
    const { input, rows } = await model.input();
    expect(input.features).toEqual([
      { name: 'history', type: 'vector', width: 12, element: 'float32' }, { name: 'start', type: 'date', element: 'float64' },
    ]);
    const known = rows.filter((row) => (row.history as unknown[] | null)?.every((v) => v !== null));
    expect(known.length).toBeGreaterThan(20);
    expect(rows[0]!.__target).toHaveLength(3);
    // The file's own answers are exact; out of fold it erred by the step.
    const outputs = rows.map((row) => ({ __key: row.__key, value: [1, 2, 3].map((step) => Math.max(1, ((row.__target as (number | null)[])[step - 1] ?? 100) - (row.__fold - 1) * step)) }));
    const filled = onnx(inputs, (graph) => {
      const last = graph.node('Slice', ['history', graph.int64([0]), graph.int64([3]), graph.int64([1])]);
      const there = graph.node('Where', [graph.node('IsNaN', [last]), graph.float32([100], []), last]);
      graph.output('value', 'float32', ['N', 3], graph.node('Add', [there, graph.float32([12], [])]));
    });
    const { version } = await model.accept(input, await deliver(input, { onnx: filled, outputs }), true);
    const days = Date.UTC(2020, 0, 1) / 86_400_000;
    const asked = await model.models.run(version, { rows: 3, columns: { month: { type: 'date', values: Float64Array.of(days, days + 31, days + 60) } } });
    const [value, low, high] = ['value', 'low', 'high'].map((name) => Array.from(asked.columns[name]!.values as Float64Array));
    [160, 171, 182].forEach((v, i) => expect(value![i]).toBeCloseTo(v, 3));
    expect(high![1]! - value![1]!).toBeGreaterThan(high![0]! - value![0]!);
    expect(value![2]! - low![2]!).toBeGreaterThan(value![0]! - low![0]!);

    const manifest = await place.store.readJson<Manifest>(version.manifest);
    const { keys } = await loadTable(place.store, manifest.outputs, [{ name: 'value', type: 'number' }, { name: 'low', type: 'number' }]);
    expect(keys).toContain(seriesKey('', (2018 - 1970) * 12));
  });

  it('of other periods, and one that can\'t bear a gap, are refused', async () => {
    const model = bench(place.store, { ...DEMAND, seed: 2 }, months);
    const { input, rows } = await model.input();
    const outputs = rows.map((row) => ({ __key: row.__key, value: [1, 2, row.__fold] }));
    const gap = await errorOf(model.accept(input, await deliver(input, { onnx: seasonal(3), outputs })));
    expect(gap.message).toMatch(/gives no finite value for row/);
    const few = onnx(inputs, (graph) => graph.output('value', 'float32', ['N', 2], graph.node('Concat', [graph.node('Mul', [graph.cast('start', 'float32'), graph.float32([0], [])]), graph.node('Mul', [graph.cast('start', 'float32'), graph.float32([0], [])])], { axis: 1 })));
    expect((await errorOf(model.accept(input, await deliver(input, { onnx: few, outputs })))).message).toMatch(/gives 2 numbers a row, not 3/);
  });
});
