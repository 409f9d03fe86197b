import { existsSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { unitHash } from '../../src/domain/hash';
import type { TrainerInput } from '../../src/domain/trainer';
import type { Manifest, Snapshot } from '../../src/domain/version';
import { loadTable } from '../../src/data/loadTable';
import type { Graph } from '../../src/learn/onnx/graph';
import { errorOf, usePlace } from '../data/support';
import { classification, regression } from '../domain/specs';
import { flats } from '../support/smallProject';
import { bench, column, deliver, onnx, TRAINER, type Port, type Row } from './support';

const place = usePlace();
let snapshot: Snapshot;
beforeAll(async () => { snapshot = await place.ingest({ name: 'flats', paths: [await place.write('flats.csv', flats(300))], key: ['id'] }); });

const RENT = regression({ name: 'rent', target: 'rent', source: 'flats', inputs: [column('size'), column('city'), column('built')] });
const INPUTS: Port[] = [['size', 'float32', ['N', 1]], ['city', 'string', ['N', 1]], ['built', 'float64', ['N', 1]]];
const CONDITION = classification({ name: 'condition', target: 'condition', source: 'flats', inputs: [column('size')] });
const CLASSES = ['good', 'bad'];

/** 900 + 18 size */
const rent = (graph: Graph): string => graph.node('Add', [graph.node('Mul', ['size', graph.float32([18], [])]), graph.float32([900], [])]);
const good = (inputs = INPUTS): Uint8Array => onnx(inputs, (graph) => graph.output('value', 'float32', ['N', 1], rent(graph)));
const said = (row: Row): number => 900 + 18 * (row.size as number) + row.__fold;
const outputsOf = (rows: Row[]): Record<string, unknown>[] => rows.map((row) => ({ __key: row.__key, value: said(row) }));

describe('what a trainer is given', () => {
  it('are the rows it may learn from, as its file will be given them, and nothing of the holdout', async () => {
    const { input, rows } = await bench(place.store, RENT, snapshot).input();
    expect(input).toMatchObject({
      contract: 1, output: 'value', params: { trees: 3 },
      model: { name: 'rent', task: 'regression', target: 'rent', scale: 'linear', interval: 0.8, seed: 1, folds: 3 },
      features: [
        { name: 'size', type: 'number', element: 'float32' }, { name: 'city', type: 'category', element: 'string' }, { name: 'built', type: 'date', element: 'float64' },
      ],
      data: { rows: rows.length },
    });
    expect(existsSync(input.folder)).toBe(true);
    expect(Object.keys(rows[0]!).sort()).toEqual(['__fold', '__key', '__target', 'built', 'city', 'size']);
    expect(rows.every((row) => unitHash(row.__key, 1) >= 0.25)).toBe(true);
    expect(rows.length).toBe(Array.from({ length: 300 }, (_, i) => String(i)).filter((key) => unitHash(key, 1) >= 0.25).length);
    expect(new Set(rows.map((row) => row.__fold))).toEqual(new Set([0, 1, 2]));
    expect(typeof rows[0]!.built).toBe('number');
  });

  it('is the same file when it is prepared twice', async () => {
    const { input } = bench(place.store, RENT, snapshot);
    const [first, second] = [(await input()).input, (await input()).input];
    expect(second).toEqual({ ...first, folder: second.folder });
    expect(second.folder).not.toBe(first.folder);
  });
});

describe('a version of what a trainer answered', () => {
  it('is made once: again, by a retry or another run, it is the same, without the files and without the trainer', async () => {
    const model = bench(place.store, { ...RENT, seed: 2 }, snapshot);
    const { input, rows } = await model.input();
    const answer = await deliver(input, { onnx: good(), outputs: outputsOf(rows), more: { metrics: { r2: 0.9 }, packages: { 'scikit-learn': '1.9' }, classes: null } });
    const made = await model.accept(input, answer);
    expect(made.summary).toMatchObject({ rows: rows.length, holdoutRows: 300 - rows.length, reused: false, maker: { kind: 'trainer', name: TRAINER.activity, metrics: { r2: 0.9 } } });
    expect(existsSync(input.folder)).toBe(false);

    expect(await model.accept(input, answer)).toEqual({ ...made, summary: { ...made.summary, reused: true } });
    expect(await model.prepare()).toEqual({ made: { ...made, summary: { ...made.summary, reused: true } } });
    const manifest = await place.store.readJson<Manifest>(made.version.manifest);
    expect(manifest.packages).toMatchObject({ 'scikit-learn': '1.9' });
  });

  it('gets an interval from the cross-fitted errors, the same in its file and in what downstream models learn from', async () => {
    for (const [scale, seed] of [['linear', 3], ['log10', 4]] as const) {
      const spec = { ...RENT, scale, seed };
      const model = bench(place.store, spec, snapshot);
      const { input, rows } = await model.input();
      const { version } = await model.accept(input, await deliver(input, { onnx: good(), outputs: outputsOf(rows) }), true);
      const manifest = await place.store.readJson<Manifest>(version.manifest);
      const learnt = new Map(rows.map((row) => [row.__key, row]));
      const { keys, table } = await loadTable(place.store, manifest.outputs, ['value', 'low', 'high'].map((name) => ({ name, type: 'number' })));
      const [value, low, high] = ['value', 'low', 'high'].map((name) => table.columns[name]!.values as Float64Array) as [Float64Array, Float64Array, Float64Array];
      const source = (await loadTable(place.store, snapshot, [{ name: 'size', type: 'number' }])).table.columns.size!.values as Float64Array;
      const served = await model.models.run(version, {
        rows: 300,
        columns: { size: { type: 'number', values: source }, city: { type: 'category', values: keys.map(() => 'Bern') }, built: { type: 'date', values: new Float64Array(300) } },
      });
      let within = 0;
      keys.forEach((key, row) => {
        const mine = learnt.get(key);
        expect(value[row]).toBeCloseTo(mine ? said(mine) : 900 + 18 * source[row]!, 3);
        const distance = (v: number, end: number): number => (scale === 'linear' ? end - v : Math.log10(end / v));
        for (const [name, end] of [['low', low], ['high', high]] as const) {
          const servedEnd = served.columns[name]!.values[row] as number;
          expect(distance(served.columns.value!.values[row] as number, servedEnd)).toBeCloseTo(distance(value[row]!, end[row]!), 3);
        }
        if (mine && (mine.__target as number) >= low[row]! && (mine.__target as number) <= high[row]!) within++;
      });
      expect(within / rows.length).toBeGreaterThanOrEqual(0.8);
      expect(within / rows.length).toBeLessThan(0.85);
    }
  });

  it('may call its inputs as its exporter does, and may lack what follows from the main output', async () => {
    const model = bench(place.store, { ...CONDITION, inputs: [{ kind: 'column', name: 'flat.size', column: 'size' }] }, snapshot);
    const { input, rows } = await model.input();
    const file = onnx([['flat_size', 'float32', ['N', 1]]], (graph) => {
      graph.output('probabilities', 'float32', ['N', 2], graph.node('Softmax', [graph.node('Mul', ['flat_size', graph.float32([-0.01, 0.01], [1, 2])])], { axis: 1 }));
    });
    const outputs = rows.map((row) => ({ __key: row.__key, probabilities: row.__fold === 0 ? [0.25, 0.75] : [0.5, 0.5] }));
    const { version } = await model.accept(input, await deliver(input, { onnx: file, outputs, more: { classes: CLASSES } }), true);
    const answers = await model.models.run(version, { rows: 2, columns: { 'flat.size': { type: 'number', values: Float64Array.of(100, -100) } } });
    expect(answers.columns.label!.values).toEqual(['bad', 'good']);
    const sharesOf = (row: number): Float32Array => (answers.columns.probabilities!.values as Float32Array).subarray(2 * row, 2 * row + 2);
    expect(Array.from(answers.columns.probability!.values as Float64Array)).toEqual([Math.max(...sharesOf(0)), Math.max(...sharesOf(1))]);
    const manifest = await place.store.readJson<Manifest>(version.manifest);
    const known = await loadTable(place.store, manifest.outputs, [{ name: 'label', type: 'category' }, { name: 'probability', type: 'number' }]);
    const first = rows.find((row) => row.__fold === 0)!;
    const at = known.keys.indexOf(first.__key);
    expect([known.table.columns.label!.values[at], known.table.columns.probability!.values[at]]).toEqual(['bad', 0.75]);
    expect(manifest.classes).toEqual(CLASSES);
  });

  it('need not come with cross-fitted outputs when it says its interval itself and nobody learns from it', async () => {
    const model = bench(place.store, { ...RENT, seed: 5 }, snapshot);
    const { input } = await model.input();
    const file = onnx(INPUTS, (graph) => {
      const value = rent(graph);
      graph.output('low', 'float32', ['N', 1], graph.node('Sub', [value, graph.float32([200], [])]));
      graph.output('high', 'float32', ['N', 1], graph.node('Add', [value, graph.float32([300], [])]));
      graph.output('value', 'float32', ['N', 1], value);
    });
    const answer = await deliver(input, { onnx: file });
    await expect(model.accept(input, answer, true)).rejects.toMatchObject({ code: 'TRAINER_CONTRACT', message: expect.stringContaining('other models learn from its outputs') as string });
    const { version } = await model.accept(input, answer);
    const { outputs } = await place.store.readJson<Manifest>(version.manifest);
    const { table } = await loadTable(place.store, outputs, [{ name: 'value', type: 'number' }, { name: 'high', type: 'number' }]);
    expect((table.columns.high!.values as Float64Array)[7]! - (table.columns.value!.values as Float64Array)[7]!).toBeCloseTo(300, 2);
  });
});

interface Case { what: string; message: RegExp; answer(of: { input: TrainerInput; rows: Row[] }): unknown }

const withFile = (file: Uint8Array): Case['answer'] => ({ input, rows }) => deliver(input, { onnx: file, outputs: outputsOf(rows) });
const withOutputs = (change: (outputs: Record<string, unknown>[], rows: Row[]) => Record<string, unknown>[] | undefined): Case['answer'] =>
  ({ input, rows }) => deliver(input, { onnx: good(), outputs: change(outputsOf(rows), rows) });
const value = (type: 'float32' | 'float64', shape: (string | number)[], make: (graph: Graph) => string): Uint8Array => onnx(INPUTS, (graph) => graph.output('value', type, shape, make(graph)));

const BROKEN: Case[] = [
  // The answer
  { what: 'no answer', message: /its answer is not as agreed: the answer: .*object/, answer: () => null },
  { what: 'another contract', message: /contract: /, answer: async (of) => ({ ...(await deliver(of.input, {})), contract: 2 }) },
  { what: 'no file', message: /onnx: .*string/, answer: () => ({ contract: 1 }) },
  { what: 'words for metrics', message: /metrics\.r2: /, answer: async (of) => deliver(of.input, { onnx: good(), more: { metrics: { r2: 'high' } } }) },
  // Files
  { what: 'a file that is not there', message: /the file "model.onnx" that it names as `onnx` is not there/, answer: () => ({ contract: 1, onnx: 'model.onnx' }) },
  { what: 'a file elsewhere', message: /`onnx`, ".*", is not in its folder/, answer: () => ({ contract: 1, onnx: __filename }) },
  { what: 'a way out of the folder', message: /is not (there|in its folder)/, answer: () => ({ contract: 1, onnx: '../../notes' }) },
  { what: 'a link to elsewhere', message: /is not in its folder/, answer: ({ input }) => { symlinkSync(__filename, path.join(input.folder, 'link')); return { contract: 1, onnx: 'link' }; } },
  { what: 'an empty file', message: /is empty, or no file/, answer: ({ input }) => { writeFileSync(path.join(input.folder, 'empty'), ''); return { contract: 1, onnx: 'empty' }; } },
  { what: 'a folder', message: /is empty, or no file/, answer: async ({ input }) => ({ contract: 1, onnx: path.dirname(String((await deliver(input, { onnx: good() })).onnx)) }) },
  { what: 'no ONNX file', message: /ONNX Runtime can't load its file/, answer: withFile(Buffer.from('not one')) },
  // Inputs
  { what: 'an input too few', message: /has no input built/, answer: withFile(good(INPUTS.slice(0, 2))) },
  { what: 'an input too many', message: /an input that is none of the model's: rooms/, answer: withFile(good([...INPUTS, ['rooms', 'float32', ['N', 1]]])) },
  { what: 'an input of another type', message: /input built is float32, not float64/, answer: withFile(good([INPUTS[0]!, INPUTS[1]!, ['built', 'float32', ['N', 1]]])) },
  { what: 'an input of another width', message: /input city has the shape \[\?, 2\]/, answer: withFile(good([INPUTS[0]!, ['city', 'string', ['N', 2]], INPUTS[2]!])) },
  { what: 'an input that is no column', message: /input city has the shape \[\?\]/, answer: withFile(good([INPUTS[0]!, ['city', 'string', ['N']], INPUTS[2]!])) },
  { what: 'a fixed number of rows', message: /input city is for 300 rows/, answer: withFile(good([INPUTS[0]!, ['city', 'string', [300, 1]], INPUTS[2]!])) },
  // Outputs
  { what: 'an output of another name', message: /has no output value.*the file's outputs are variable/s, answer: withFile(onnx(INPUTS, (graph) => graph.output('variable', 'float32', ['N', 1], rent(graph)))) },
  { what: 'an output of another type', message: /output value is float64, not float32/, answer: withFile(value('float64', ['N', 1], (graph) => graph.cast(rent(graph), 'float64'))) },
  { what: 'two numbers for one', message: /output value has the shape \[\?, 2\]/, answer: withFile(value('float32', ['N', 2], (graph) => graph.node('Concat', [rent(graph), rent(graph)], { axis: 1 }))) },
  { what: 'half an interval', message: /lacks high/, answer: withFile(onnx(INPUTS, (graph) => {
    const made = rent(graph);
    graph.output('value', 'float32', ['N', 1], made);
    graph.output('low', 'float32', ['N', 1], graph.node('Neg', [made]));
  })) },
  { what: 'a number that is none', message: /gives no finite value for row "\d+"/, answer: withFile(value('float32', ['N', 1], (graph) => graph.node('Log', [graph.node('Sub', ['size', graph.float32([60], [])])]))) },
  { what: 'answers that depend on other rows', message: /says [\d.]+ of the first row alone, and [\d.]+ of the same row among 300/, answer: withFile(value('float32', ['N', 1], (graph) =>
    graph.node('Add', [rent(graph), graph.node('ReduceMean', ['size', graph.int64([0])], { keepdims: 1 })]))) },
  { what: 'one answer to all rows', message: /output value is for 1 rows, \[1, 1\]/, answer: withFile(value('float32', ['N', 1], (graph) => graph.node('ReduceMean', [rent(graph), graph.int64([0])], { keepdims: 1 }))) },
  // Cross-fitted outputs
  { what: 'no cross-fitted outputs', message: /no cross-fitted outputs, and its ONNX file gives no low and high/, answer: withOutputs(() => undefined) },
  { what: 'outputs that are no Parquet', message: /cross-fitted outputs can't be read/, answer: async ({ input }) => {
    writeFileSync(path.join(input.folder, 'bad.parquet'), 'key,value');
    return deliver(input, { onnx: good(), more: { outputs: 'bad.parquet' } });
  } },
  { what: 'outputs without a key', message: /no column '__key'/, answer: withOutputs((outputs) => outputs.map(({ value: v }) => ({ value: v }))) },
  { what: 'outputs without the output', message: /no column 'value'/, answer: withOutputs((outputs) => outputs.map(({ __key }) => ({ __key, prediction: 1 }))) },
  { what: 'outputs that are words', message: /column 'value' is wanted as number, but holds text/, answer: withOutputs((outputs) => outputs.map(({ __key }) => ({ __key, value: 'much' }))) },
  { what: 'a row left out', message: /lack 1 of \d+ rows, first "\d+"/, answer: withOutputs((outputs) => outputs.slice(1)) },
  { what: 'a row that was not given', message: /have a row "somebody", which it was not given/, answer: withOutputs((outputs) => [...outputs, { __key: 'somebody', value: 1 }]) },
  { what: 'a row twice', message: /have the row "\d+" twice/, answer: withOutputs((outputs) => [...outputs, outputs[3]!]) },
  { what: 'a missing output', message: /have no finite value for row "\d+"/, answer: withOutputs((outputs) => outputs.map((row, i) => (i === 5 ? { ...row, value: null } : row))) },
  { what: 'outputs of the model itself', message: /what its ONNX file says of the rows it was trained on/, answer: withOutputs((outputs, rows) => rows.map((row) => ({ __key: row.__key, value: said(row) - row.__fold }))) },
];

describe('a broken contract is refused, for good, in words', () => {
  it.each(BROKEN)('$what', async ({ answer, message }) => {
    const model = bench(place.store, RENT, snapshot);
    const of = await model.input();
    const error = await errorOf(model.accept(of.input, await answer(of)));
    expect(error).toMatchObject({ code: 'TRAINER_CONTRACT', retryable: false });
    expect(error.message).toMatch(/^The trainer train_it of rent broke the contract: /);
    expect(error.message).toMatch(message);
    expect(error.remedy!.length).toBeGreaterThan(3);
  });
});
