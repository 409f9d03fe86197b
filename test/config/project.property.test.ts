import fc from 'fast-check';
import { stringify } from 'yaml';
import { parseProject } from '../../src/config';
import { stageDependencies } from '../../src/domain/graph';
import { MAIN_OUTPUT, OUTPUTS, upstreamOf } from '../../src/domain/spec';
import type { ProjectSpec, Task } from '../../src/domain/spec';
import { ShoalError } from '../../src/domain/errors';

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
type Mapping = { [key: string]: Json };

const file = '/project/temporal.yaml';

/** Drops the undefined. */
const compact = (record: Record<string, Json | undefined>): Mapping => JSON.parse(JSON.stringify(record)) as Mapping;
const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(arbitrary, { nil: undefined });

interface Drawn { task: Task; upstream: number[]; output: number; form: number; columns: number; interval: number | undefined; training: Json | undefined; gates: boolean }

const drawn: fc.Arbitrary<Drawn> = fc.record({
  task: fc.constantFrom<Task>('regression', 'classification', 'forecast', 'embedding'),
  upstream: fc.array(fc.nat(20), { maxLength: 3 }),
  output: fc.nat(10),
  form: fc.nat(2),
  columns: fc.integer({ min: 1, max: 4 }),
  interval: maybe(fc.double({ min: 0.1, max: 0.9, noNaN: true })),
  training: maybe(fc.record({ maxEpochs: fc.integer({ min: 1, max: 500 }), hidden: fc.array(fc.integer({ min: 1, max: 64 }), { maxLength: 3 }) })),
  gates: fc.boolean(),
});

/** Model i may read models before it in `order`; names come in any order in the document. */
function modelOf(index: number, models: readonly Drawn[]): Mapping {
  const { task, upstream, output, form, columns, interval, training, gates } = models[index]!;
  const names = Array.from({ length: columns }, (_, i) => `column ${i}`);
  const readable = task === 'forecast' || index === 0 ? [] : [...new Set(upstream.map((i) => i % index))];
  const inputs = readable.map((i): Json => {
    const outputs = Object.keys(OUTPUTS[models[i]!.task]);
    const name = form === 0 ? MAIN_OUTPUT[models[i]!.task] : outputs[output % outputs.length]!;
    return form === 0 ? `model-${i}` : form === 1 ? `model-${i}.${name}` : { model: `model-${i}`, output: name };
  });
  const gate = { regression: 'r2', classification: 'log_loss', forecast: 'smape', embedding: 'recall@1' }[task];
  return compact({
    task, source: 'rows', training, gates: gates ? [{ metric: gate, max: 1 }] : undefined,
    inputs: task === 'forecast' && columns < 2 ? undefined : [...names, ...inputs],
    ...(task === 'embedding' ? { alike: ['kind'] } : { target: 'target' }),
    ...(task === 'forecast' ? { time: 'time', frequency: 'week', horizon: 3, interval } : {}),
    ...(task === 'regression' ? { scale: 'log10', interval } : {}),
  });
}

/** A document that is right. */
const documents: fc.Arbitrary<Mapping> = fc.record({
  models: fc.array(drawn, { minLength: 1, maxLength: 8 }),
  seed: fc.nat(1_000),
  output: fc.nat(20),
  explicit: fc.boolean(),
  stage: fc.record({ when: fc.boolean(), timeout: maybe(fc.constantFrom('500ms', '2s', '1.5m')), fallback: maybe(fc.constant('baseline')) }),
}).map(({ models, seed, output, explicit, stage }) => {
  const written = models.map((_, i): [string, Mapping] => [`model-${i}`, modelOf(i, models)]);
  const shuffled = [...written].sort(([a], [b]) => hash(a, seed) - hash(b, seed));
  const last = output % models.length;
  const stages = Object.fromEntries(shuffled.map(([name]) => [name, compact({ ...stage, when: stage.when ? 'input.x > 0 || has(input.y)' : undefined })]));
  const chain: Mapping = explicit ? { stages, output: `model-${last}` } : { output: `model-${last}` };
  return compact({ name: 'p', sources: { rows: { path: ['a.csv', 'b.csv'], key: 'id' } }, models: Object.fromEntries(shuffled), chains: { main: chain } });
});
const hash = (text: string, seed: number): number => [...text].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0) * (seed + 7)) % 1_009, 7);

const parse = (document: Json): ProjectSpec => parseProject(stringify(document, { aliasDuplicateObjects: false }), { file });

test('any right document is accepted, its chains are in order and whole, and it is plain JSON', () => {
  fc.assert(fc.property(documents, (document) => {
    const project = parse(document);
    expect(JSON.parse(JSON.stringify(project))).toEqual(project);
    for (const chain of Object.values(project.chains)) {
      const order = chain.stages.map((stage) => stage.model);
      const needs = stageDependencies(chain, project.models);
      for (const name of order) {
        for (const upstream of upstreamOf(project.models[name]!)) expect(needs[name]).toContain(upstream);
        for (const need of needs[name]!) expect(order.indexOf(need)).toBeLessThan(order.indexOf(name));
      }
      expect(order).toContain(chain.outputStage);
    }
    const used = new Set(Object.values(project.chains).flatMap((chain) => chain.stages.map((stage) => stage.model)));
    expect([...used].sort()).toEqual(Object.keys(project.models).sort());
  }), { numRuns: 150 });
});

type Mutation = { at: number; kind: 'delete' | 'replace' | 'rename' | 'cycle' | 'duplicate'; value: Json };

const junk: fc.Arbitrary<Json> = fc.oneof(
  fc.constantFrom<Json>(null, true, 0, -1, 1e9, '', 'x', 'model-0', 'model-1.value', 'constructor', '__proto__', 'stages.x.y', '${A}', '${', [], {}, ['model-0'], { a: 1 }, { model: 'model-0' }),
  fc.string(), fc.jsonValue().map((value) => value as Json),
);
const mutations: fc.Arbitrary<Mutation[]> = fc.array(fc.record({
  at: fc.nat(10_000), kind: fc.constantFrom('delete', 'replace', 'rename', 'cycle', 'duplicate'), value: junk,
}), { minLength: 1, maxLength: 4 });

/** Every place that holds something, as the holder and its key. */
function places(node: Json): { holder: Mapping | Json[]; key: string | number }[] {
  if (typeof node !== 'object' || node === null) return [];
  const keys = Array.isArray(node) ? node.map((_, i) => i) : Object.keys(node);
  return keys.flatMap((key) => [{ holder: node, key }, ...places((node as Mapping)[key]!)]);
}

function mutate(document: Mapping, { at, kind, value }: Mutation): void {
  const all = places(document);
  if (all.length === 0) return;
  const { holder, key } = all[at % all.length]!;
  const values = holder as Mapping;
  switch (kind) {
    case 'delete':
      if (Array.isArray(holder)) holder.splice(Number(key), 1);
      else delete holder[key];
      return;
    case 'replace':
      values[key] = value;
      return;
    case 'rename':
      if (Array.isArray(holder)) return;
      Object.defineProperty(holder, `${key}x`, { value: holder[key], enumerable: true, configurable: true, writable: true });
      delete holder[key];
      return;
    case 'cycle':
      for (const model of Object.values((document.models ?? {}) as Mapping)) {
        if (typeof model === 'object' && model !== null && 'inputs' in model && Array.isArray(model.inputs)) model.inputs.push(`model-${at % 8}`);
      }
      return;
    case 'duplicate':
      if (Array.isArray(holder)) holder.push(holder[Number(key)]!);
  }
}

test('any damage to a document is told as CONFIG, or does none: never another error', () => {
  fc.assert(fc.property(documents, mutations, (document, damages) => {
    for (const damage of damages) mutate(document, damage);
    const text = stringify(document, { aliasDuplicateObjects: false });
    try {
      parseProject(text, { file });
    } catch (error) {
      if (!(error instanceof ShoalError)) throw error;
      expect(error.code).toBe('CONFIG');
      const problems = error.details.problems as { line: number; column: number; message: string }[];
      expect(problems.length).toBeGreaterThan(0);
      const lines = text.split('\n');
      for (const { line, column, message } of problems) {
        expect(message).not.toBe('');
        expect(line).toBeGreaterThanOrEqual(1);
        expect(line).toBeLessThanOrEqual(lines.length);
        expect(column).toBeGreaterThanOrEqual(1);
        expect(column).toBeLessThanOrEqual(lines[line - 1]!.length + 1);
      }
    }
  }), { numRuns: 400 });
});

test('any damage to the text is told as CONFIG, or does none', () => {
  fc.assert(fc.property(documents, fc.nat(5_000), fc.nat(40), fc.string(), (document, at, length, insert) => {
    const text = stringify(document);
    const start = at % text.length;
    try {
      parseProject(text.slice(0, start) + insert + text.slice(start + length), { file });
    } catch (error) {
      if (!(error instanceof ShoalError)) throw error;
      expect(error.code).toBe('CONFIG');
    }
  }), { numRuns: 400 });
});
