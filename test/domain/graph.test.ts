import fc from 'fast-check';
import { DEFAULT_ROLLOUT } from '../../src/config/schemaRollout';
import { checkProject } from '../../src/domain/checkProject';
import { cyclesOf, modelOrder, orderStages, stageDependencies, topologicalOrder, upstreamClosure } from '../../src/domain/graph';
import { DEFAULT_RETENTION } from '../../src/domain/retention';
import { chainModels } from '../../src/domain/spec';
import type { ChainSpec, ModelSpec, ProjectSpec, StageSpec } from '../../src/domain/spec';

const model = (name: string, upstream: string[] = []): ModelSpec => ({
  name, task: 'regression', source: 's', target: `${name}-target`, scale: 'linear', interval: 0.8, holdout: 0.25, seed: 7, gates: [],
  inputs: [{ kind: 'column', name: 'x', column: 'x' }, ...upstream.map((other) => ({ kind: 'model' as const, name: `${other}.value`, model: other, output: 'value' }))],
  training: { folds: 5, hidden: [8], maxEpochs: 10, patience: 2, batchSize: 32, learningRate: 0.01, weightDecay: 0 },
});
const models = (graph: Record<string, string[]>): Record<string, ModelSpec> => Object.fromEntries(Object.entries(graph).map(([name, upstream]) => [name, model(name, upstream)]));
const stage = (name: string, more: Partial<StageSpec> = {}): StageSpec => ({ model: name, with: {}, timeoutMs: 1_000, ...more });
const chain = (stages: StageSpec[], outputStage: string): ChainSpec =>
  ({ name: 'k', stages, outputStage, output: { value: `stages.${outputStage}.value` }, compareWith: [], gates: [], approval: 'auto', rollout: DEFAULT_ROLLOUT });
const project = (graph: Record<string, string[]>, ...chains: ChainSpec[]): ProjectSpec => ({
  name: 'p', temporal: { namespace: 'default', taskQueue: 'shoal' }, store: { path: '/store' }, retention: DEFAULT_RETENTION, retrain: { models: {}, chains: {} }, workers: [],
  sources: { s: { name: 's', paths: ['/s.csv'], format: 'csv', key: [] } },
  models: models(graph), chains: Object.fromEntries(chains.map((each) => [each.name, each])),
});

const DIAMOND = { top: [], left: ['top'], right: ['top'], bottom: ['left', 'right'] };

describe('the order of a graph', () => {
  test('puts each after those it needs', () => expect(modelOrder(models({ c: ['b'], b: ['a'], a: [] }))).toEqual(['a', 'b', 'c']));
  test('is the given one where that will do', () => {
    expect(modelOrder(models({ a: [], z: [], b: ['a'], y: ['z'] }))).toEqual(['a', 'z', 'b', 'y']);
  });
  test('leaves out what is needed and not given', () => expect(topologicalOrder(['b'], () => ['a'])).toEqual({ order: ['b'] }));
  test('names a cycle, from a name back to it', () => {
    const needs: Record<string, string[]> = { a: ['b'], b: ['c'], c: ['b'] };
    expect(topologicalOrder(['a', 'b', 'c'], (name) => needs[name]!).cycle).toEqual(['b', 'c', 'b']);
    expect(topologicalOrder(['a'], () => ['a']).cycle).toEqual(['a', 'a']);
  });
  test('has every cycle told once', () => {
    const needs: Record<string, string[]> = { a: ['b', 'a'], b: ['a'], c: ['d'], d: ['c'], e: [] };
    expect(cyclesOf(Object.keys(needs), (name) => needs[name]!)).toHaveLength(3);
  });

  /** Edges between numbered nodes, as names. */
  const graphs = fc.integer({ min: 1, max: 12 }).chain((size) => fc.record({
    names: fc.shuffledSubarray(Array.from({ length: size }, (_, i) => `n${i}`), { minLength: size }),
    edges: fc.array(fc.tuple(fc.nat(size - 1), fc.nat(size - 1)), { maxLength: 30 }),
  }));

  test('is right for any graph without cycles, and there is one only when there is none', () => {
    fc.assert(fc.property(graphs, fc.boolean(), ({ names, edges }, acyclic) => {
      const kept = edges.filter(([from, to]) => !acyclic || from > to);
      const needs = (name: string): string[] => kept.filter(([from]) => `n${from}` === name).map(([, to]) => `n${to}`);
      const { order, cycle } = topologicalOrder(names, needs);
      expect([...order].sort()).toEqual([...names].sort());
      if (acyclic) expect(cycle).toBeUndefined();
      if (cycle) {
        for (let i = 0; i + 1 < cycle.length; i++) expect(needs(cycle[i]!)).toContain(cycle[i + 1]);
        expect(cycle.at(-1)).toBe(cycle[0]);
      } else for (const name of order) for (const need of needs(name)) expect(order.indexOf(need)).toBeLessThan(order.indexOf(name));
      // An order that will do is left as it is.
      if (!cycle) expect(topologicalOrder(order, needs).order).toEqual(order);
    }));
  });
});

describe('what is upstream', () => {
  test('is everything that reaches a model, once, upstream first', () => {
    expect(upstreamClosure(models(DIAMOND), ['bottom'])).toEqual(['top', 'left', 'right']);
    expect(upstreamClosure(models(DIAMOND), ['top'])).toEqual([]);
    expect(upstreamClosure(models(DIAMOND), ['left', 'right'])).toEqual(['top']);
  });
  test('can be asked of graphs with unknown names and cycles', () => {
    expect(upstreamClosure(models({ a: ['gone', 'b'], b: ['a'] }), ['a', 'other']).sort()).toEqual(['a', 'b']);
  });
});

describe('what a stage waits for', () => {
  const stages = [stage('top'), stage('left'), stage('right'), stage('bottom')];
  test('is what its model reads', () => {
    expect(stageDependencies(chain(stages, 'bottom'), models(DIAMOND))).toEqual({ top: [], left: ['top'], right: ['top'], bottom: ['left', 'right'] });
  });
  test('is also what its expressions refer to, and its fallback reads', () => {
    const graph = models({ a: [], b: [], c: [], d: ['b'] });
    const given = chain([stage('a'), stage('b'), stage('c', { when: 'stages.a.value > 1', with: { x: 'stages.a.value + 1' }, fallback: { kind: 'model', model: 'd' } })], 'c');
    expect(stageDependencies(given, graph)).toEqual({ a: [], b: [], c: ['b', 'a'] });
    expect(chainModels(given)).toEqual(['a', 'b', 'c', 'd']);
  });
  test('comes before it', () => {
    const given = chain([stage('c', { when: 'stages["a"].value > 1' }), stage('b'), stage('a')], 'c');
    expect(orderStages(given, models({ a: [], b: [], c: [] })).stages.map((each) => each.model)).toEqual(['a', 'c', 'b']);
  });
});

describe('the check of a project', () => {
  const paths = (checked: ProjectSpec): string[] => checkProject(checked).map((problem) => problem.path.join('.'));

  test('finds nothing in one that is right', () => {
    expect(checkProject(project(DIAMOND, chain(['bottom', 'top', 'right', 'left'].map((name) => stage(name)), 'bottom')))).toEqual([]);
  });
  test('finds every mistake', () => {
    const broken = project({ a: ['b'], b: ['a'], c: ['gone'] }, chain([stage('c', { when: 'stages.x.value' }), stage('unknown')], 'a'));
    broken.models.c!.source = 'nothing';
    expect(paths(broken)).toEqual([
      'models.c.source', 'models.c.inputs.1', 'models.a.inputs.1',
      'chains.k.stages.c.when', 'chains.k.stages.unknown', 'chains.k.output.value', 'chains.k.output',
    ]);
  });
  test('does not take what every object has for a model, source or stage', () => {
    const broken = project({ a: ['constructor'] }, chain([stage('a', { fallback: { kind: 'model', model: 'constructor' } })], 'a'));
    broken.models.a!.source = 'constructor';
    expect(paths(broken)).toEqual(['models.a.source', 'models.a.inputs.1', 'chains.k.stages.a.fallback.model']);
  });
  test('wants a fallback that can run without the stage it stands in for', () => {
    const graph = { a: [], b: ['a'], c: ['other'], other: [] };
    const fallback = (name: string) => ({ fallback: { kind: 'model' as const, model: name } });
    const found = (name: string) => {
      const given = project(graph, chain([stage('a', fallback(name))], 'a'));
      for (const each of Object.values(given.models)) if (each.task === 'regression') each.target = 'y';
      return checkProject(given).map((problem) => problem.message);
    };
    expect(found('b')).toEqual(["b reads a, so it can't stand in for it"]);
    expect(found('c')).toEqual(['the fallback c needs the stage other']);
    expect(found('other')).toEqual([]);
  });
});
