import { compile } from './expression';
import type { Reference } from './expression';
import { upstreamOf } from './spec';
import type { ChainSpec, ModelSpec, StageSpec } from './spec';

export type Models = Readonly<Record<string, ModelSpec>>;

/**
 * Names in an order in which each comes after those it needs; the given order is kept where it can be. Names that are needed but
 * not given are left out. When there is a cycle, `cycle` is one, its first name repeated at its end.
 */
export function topologicalOrder(names: readonly string[], needs: (name: string) => readonly string[]): { order: string[]; cycle?: string[] } {
  const given = new Set(names);
  const order: string[] = [];
  const done = new Set<string>();
  const open: string[] = [];
  let cycle: string[] | undefined;
  const visit = (name: string): void => {
    if (done.has(name) || !given.has(name)) return;
    const start = open.indexOf(name);
    if (start >= 0) {
      cycle ??= [...open.slice(start), name];
      return;
    }
    open.push(name);
    for (const need of needs(name)) visit(need);
    open.pop();
    done.add(name);
    order.push(name);
  };
  for (const name of names) visit(name);
  return cycle ? { order, cycle } : { order };
}

/** All models whose outputs reach the given ones, upstream first, without the given ones unless they feed each other. */
export function upstreamClosure(models: Models, names: readonly string[]): string[] {
  const reached = new Set<string>();
  const visit = (name: string): void => {
    for (const upstream of own(models, name) ? upstreamOf(models[name]!) : []) {
      if (!own(models, upstream) || reached.has(upstream)) continue;
      reached.add(upstream);
      visit(upstream);
    }
  };
  for (const name of names) visit(name);
  return modelOrder(models, Object.keys(models).filter((name) => reached.has(name)));
}

/** The given models, upstream first. */
export const modelOrder = (models: Models, names: readonly string[] = Object.keys(models)): string[] =>
  topologicalOrder(names, (name) => upstreamOf(models[name]!)).order;

/** All cycles, each found once the first link of those before it is cut. */
export function cyclesOf(names: readonly string[], needs: (name: string) => readonly string[]): string[][] {
  const cut = new Set<string>();
  const link = (name: string, need: string): string => JSON.stringify([name, need]);
  const cycles: string[][] = [];
  for (;;) {
    const { cycle } = topologicalOrder(names, (name) => needs(name).filter((need) => !cut.has(link(name, need))));
    if (!cycle) return cycles;
    cycles.push(cycle);
    cut.add(link(cycle[0]!, cycle[1]!));
  }
}

/**
 * The stages that each stage waits for: those its model and its fallback model read, and those its expressions refer to.
 * The chain must have passed `checkProject`.
 */
export function stageDependencies(chain: ChainSpec, models: Models): Record<string, string[]> {
  const stages = new Set(chain.stages.map((stage) => stage.model));
  return Object.fromEntries(chain.stages.map((stage) => [stage.model, needsOf(stage, models).filter((name) => stages.has(name))]));
}

/** The chain with its stages in an order in which each comes after those it needs. */
export function orderStages(chain: ChainSpec, models: Models): ChainSpec {
  const needs = stageDependencies(chain, models);
  const byName = new Map(chain.stages.map((stage) => [stage.model, stage]));
  const { order } = topologicalOrder([...byName.keys()], (name) => needs[name] ?? []);
  return { ...chain, stages: order.map((name) => byName.get(name)!) };
}

/** What `stageDependencies` says of one stage. */
export function needsOf(stage: StageSpec, models: Models): string[] {
  const read = [stage.model, ...(stage.fallback?.kind === 'model' ? [stage.fallback.model] : [])]
    .flatMap((name) => (own(models, name) ? upstreamOf(models[name]!) : []));
  const referred = stageExpressions(stage).flatMap(({ text }) => references(text))
    .flatMap(({ root, path }) => (root === 'stages' && path[0] !== undefined ? [path[0]] : []));
  return [...new Set([...read, ...referred])];
}

/** An expression that does not parse refers to nothing: it is reported where expressions are checked. */
function references(text: string): readonly Reference[] {
  try {
    return compile(text).references;
  } catch {
    return [];
  }
}

/** The expressions of a stage, and where in it they stand. */
export const stageExpressions = (stage: StageSpec): { key: string[]; text: string }[] => [
  ...(stage.when === undefined ? [] : [{ key: ['when'], text: stage.when }]),
  ...Object.entries(stage.with).map(([column, text]) => ({ key: ['with', column], text })),
];

export const own = (record: object, key: string): boolean => Object.hasOwn(record, key);
