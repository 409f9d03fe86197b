import type { Release, VersionRef } from '../domain/version';
import type { ChainDefinition, Settled } from './messages';

/**
 * Which set of versions a chain should try next. Pure.
 *
 * A set fits when each model was trained on the upstream versions that are in the set with it. What a batch of runs made moves as one. A
 * single new version is first tried with all else pinned; where the chain gets worse by that, the models downstream of it are retrained
 * against it (a cascade) and the set is tried together.
 */
export type NextSet =
  | { kind: 'none' }
  /** Models whose runs are under way. */
  | { kind: 'waiting'; for: string[] }
  /** Models that have no version, and no run under way. */
  | { kind: 'missing'; models: string[] }
  | { kind: 'versions' | 'pinned'; versions: Record<string, VersionRef> }
  /** `upstream`: the versions that the models are to be trained on, of all that stay as they are; the roots among them. */
  | { kind: 'cascade'; roots: Record<string, VersionRef>; models: string[]; upstream: Record<string, VersionRef> };

export interface Known {
  definition: ChainDefinition;
  /** Of the chain, upstream first. */
  models: string[];
  settled: Record<string, Settled>;
  current?: Release;
  /** By `versionKey`: the upstream versions that a version was trained on. */
  trainedOn: Record<string, Record<string, string>>;
  /** Whether a set has had its verdict. */
  isJudged(versions: Record<string, VersionRef>): boolean;
  /** By `versionKey`: new versions for which downstream models were asked already. */
  cascaded: readonly string[];
}

export const versionKey = ({ model, id }: VersionRef): string => `${model}@${id}`;

export function nextSet(known: Known): NextSet {
  const outstanding = outstandingModels(known);
  if (outstanding.length > 0) return { kind: 'waiting', for: outstanding };
  const newest = newestVersions(known);
  const missing = known.models.filter((model) => !newest[model]);
  if (missing.length > 0) return cascadeOver(known, newest) ?? { kind: 'missing', models: missing };
  const all = newest as Record<string, VersionRef>;
  if (newMisfits(known, all).length === 0) {
    if (known.isJudged(all)) return { kind: 'none' };
    return { kind: misfits(known, all).length === 0 ? 'versions' : 'pinned', versions: all };
  }
  const pinned = known.current && pinnedSet(known, all, known.current);
  if (pinned && !known.isJudged(pinned)) return { kind: 'pinned', versions: pinned };
  return cascadeOver(known, all) ?? { kind: 'none' };
}

/** Models that were asked in a batch of which another one's run has ended, and whose own has not. */
function outstandingModels({ models, settled }: Known): string[] {
  return models.filter((model) => Object.values(settled).some(({ batches: [newest], alongside }) =>
    newest !== undefined && alongside.includes(model) && !settled[model]?.batches.includes(newest)));
}

function newestVersions({ models, settled, current }: Known): Record<string, VersionRef | undefined> {
  return Object.fromEntries(models.map((model) => [model, settled[model]?.version ?? current?.versions[model]]));
}

/** Models that were trained on another version than the one beside them, with the upstream models in question. */
function misfits({ models, trainedOn }: Pick<Known, 'models' | 'trainedOn'>, versions: Record<string, VersionRef | undefined>): { model: string; upstream: string }[] {
  return models.flatMap((model) => {
    const version = versions[model];
    if (!version) return [];
    return Object.entries(trainedOn[versionKey(version)] ?? {}).flatMap(([upstream, id]) => (versions[upstream] && versions[upstream].id !== id ? [{ model, upstream }] : []));
  });
}

/** Those that are not in place already: a chain that was as good with a pinned set asks for nothing more. */
export function newMisfits(known: Pick<Known, 'models' | 'trainedOn' | 'current'>, versions: Record<string, VersionRef | undefined>): { model: string; upstream: string }[] {
  const isInPlace = (model: string) => known.current?.versions[model]?.id === versions[model]?.id;
  return misfits(known, versions).filter(({ model, upstream }) => !(isInPlace(model) && isInPlace(upstream)));
}

/** The current release with every new version in it that fits those it was trained on; downstream models stay as they are. None when a model is new to the chain. */
function pinnedSet({ models, trainedOn }: Known, newest: Record<string, VersionRef>, current: Release): Record<string, VersionRef> | undefined {
  const set = { ...current.versions };
  for (const model of models) {
    const version = newest[model]!;
    const fits = Object.entries(trainedOn[versionKey(version)] ?? {}).every(([upstream, id]) => !set[upstream] || set[upstream].id === id);
    if (fits) set[model] = version;
  }
  return models.every((model) => set[model]) ? Object.fromEntries(models.map((model) => [model, set[model]!])) : undefined;
}

function cascadeOver(known: Known, newest: Record<string, VersionRef | undefined>): NextSet | undefined {
  const { models, definition, settled, cascaded } = known;
  const behind = [
    ...newMisfits(known, newest),
    // Models that ran for nothing, want of an upstream version; those that nobody asked for are not started.
    ...models.filter((model) => !newest[model] && settled[model]).flatMap((model) => (definition.upstream[model] ?? []).map((upstream) => ({ model, upstream }))),
  ];
  const all = [...new Set(behind.map(({ upstream }) => upstream))].filter((root) => newest[root] && !cascaded.includes(versionKey(newest[root])));
  // One that is itself downstream of another is retrained with the rest.
  const roots = all.filter((root) => !downstreamOf(known, all.filter((other) => other !== root)).includes(root));
  if (roots.length === 0) return undefined;
  const downstream = downstreamOf(known, roots).filter((model) => !roots.includes(model));
  const upstream = Object.fromEntries(models.filter((model) => newest[model] && !downstream.includes(model)).map((model) => [model, newest[model]!]));
  return { kind: 'cascade', roots: Object.fromEntries(roots.map((root) => [root, newest[root]!])), models: downstream, upstream };
}

/** Models of the chain that take from the given ones, directly or not, upstream first. */
export function downstreamOf({ models, definition }: Pick<Known, 'models' | 'definition'>, roots: readonly string[]): string[] {
  const reached = new Set(roots);
  for (const model of models) if ((definition.upstream[model] ?? []).some((upstream) => reached.has(upstream))) reached.add(model);
  return models.filter((model) => reached.has(model));
}
