import { loadTable } from '../data/loadTable';
import type { Predictions, Truth } from '../domain/evaluate';
import { takeRows, type Table } from '../domain/table';
import type { Manifest, Release, VersionRef } from '../domain/version';
import { timeRows, type Latency } from '../serve/latency';
import type { StageOutcome } from '../serve/outcome';
import { chainColumns, runStagesOnTable, tableOutputs } from '../serve/stages';
import { modelRows, upstreamOutputs, type Data, type Wanted } from './inputs';
import { holdoutRows, truthColumns } from './judged';

/** The rows a chain is judged on: those of its output model's snapshot that none of its models was trained on. */
export interface ChainHoldout {
  /** Of the chain's output stage. */
  manifest: Manifest;
  keys: string[];
  /** Row numbers in the snapshot. */
  rows: number[];
  truth: Truth;
}

export async function chainHoldout(release: Release, data: Data): Promise<ChainHoldout> {
  const manifests = await Promise.all(Object.values(release.versions).map((ref) => data.models.manifest(ref)));
  const manifest = await data.models.manifest(release.versions[release.spec.outputStage]!);
  const { spec, snapshot } = manifest;
  const wanted = truthColumns(manifest);
  const { keys, table } = await loadTable(data.store, snapshot, wanted);
  // A row is in every model's holdout when it is in the smallest: they are nested.
  const holdout = Math.min(...manifests.map((m) => (m.spec.task === 'forecast' ? 1 : m.spec.holdout)));
  const rows = holdoutRows(keys, holdout, table, spec.task === 'embedding' ? [] : wanted.map((w) => w.name));
  const known = takeRows(table, rows);
  const truth: Truth = spec.task === 'embedding'
    ? { task: 'embedding', alike: known }
    : { task: spec.task as 'regression' | 'classification', target: known.columns[wanted[0]!.name]! };
  return { manifest, keys, rows, truth };
}

/** A release and the rows it is to answer. */
export interface ChainRun {
  release: Release;
  input: Table;
  /** By stage: what stands for running its model on these rows. */
  given: Record<string, Table>;
}

/**
 * A chain's holdout as its stages read it. Only forecasts are given: for a period that a version was trained on, the forecast of the
 * members that were not.
 */
export async function chainRun(release: Release, holdout: ChainHoldout, data: Data): Promise<ChainRun> {
  return { release, input: await chainInput(release, holdout, data), given: await forecasts(release, holdout, data) };
}

/** A release's answers to these rows, through the very stages that serve. */
export async function releaseAnswers(release: Release, holdout: ChainHoldout, data: Data): Promise<Predictions> {
  const run = await chainRun(release, holdout, data);
  return chainPredictions(run, await runStagesOnTable(run, { models: data.models }), data);
}

/** What the chain says, and what its output stage says besides. */
export async function chainPredictions({ release, input }: ChainRun, outcomes: Record<string, StageOutcome>, data: Data): Promise<Predictions> {
  const outputs = tableOutputs(release, input, outcomes);
  const { outputStage } = release.spec;
  const { classes } = await data.models.manifest(release.versions[outputStage]!);
  const last = outcomes[outputStage]!;
  return { outputs: { rows: outputs.rows, columns: { ...last.outputs.columns, ...outputs.columns } }, classes };
}

/** Every stage is run, as for a request. */
export async function releaseLatency(release: Release, holdout: ChainHoldout, data: Data): Promise<Latency> {
  const input = await chainInput(release, holdout, data);
  return timeRows(input.rows, async (row) => {
    const one = takeRows(input, [row]);
    tableOutputs(release, one, await runStagesOnTable({ release, input: one }, { models: data.models }));
  });
}

/** What a model that is no part of the chain says of the chain's holdout. */
export async function modelAnswers(ref: VersionRef, { manifest, rows }: ChainHoldout, data: Data): Promise<Predictions> {
  const its = await data.models.manifest(ref);
  const { inputs } = await modelRows({ spec: its.spec, features: its.features, snapshot: manifest.snapshot, upstream: its.upstream }, data);
  return { outputs: await data.models.run(ref, takeRows(inputs, rows)), classes: its.classes };
}

async function chainInput(release: Release, { manifest: { snapshot }, rows }: ChainHoldout, data: Data): Promise<Table> {
  const { columns, mentioned } = await chainColumns(release, data.models);
  const typed = new Map(snapshot.columns.map((c) => [c.name, c.type]));
  const wanted: Wanted = [
    ...columns.map(({ column, type }) => ({ name: column, type })),
    ...mentioned.flatMap((name) => (typed.has(name) && !columns.some((c) => c.column === name) ? [{ name, type: typed.get(name)! }] : [])),
  ];
  return takeRows((await loadTable(data.store, snapshot, wanted)).table, rows);
}

async function forecasts(release: Release, { manifest, keys, rows }: ChainHoldout, data: Data): Promise<Record<string, Table>> {
  const given: Record<string, Table> = {};
  for (const { model } of release.spec.stages) {
    const ref = release.versions[model]!;
    if ((await data.models.manifest(ref)).spec.task !== 'forecast') continue;
    given[model] = takeRows(await upstreamOutputs({ ref, snapshot: manifest.snapshot, keys }, data), rows);
  }
  return given;
}
