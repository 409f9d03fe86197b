import { compile, type Expression } from '../domain/expression';
import { ShoalError } from '../domain/errors';
import type { RowColumn } from '../domain/rows';
import { OUTPUTS, upstreamOf, type StageSpec } from '../domain/spec';
import type { ColumnType } from '../domain/table';
import type { Manifest, Release, VersionRef } from '../domain/version';
import type { Runner } from './runner';

/** A version, and where each column of its table comes from. */
export interface PlannedVersion { ref: VersionRef; manifest: Manifest; inputs: PlannedInput[] }

export interface PlannedInput {
  /** In the table given to the version. */
  name: string;
  type: ColumnType;
  width?: number;
  from: { column: string } | { stage: string; output: string };
}

export interface PlannedStage extends PlannedVersion {
  spec: StageSpec;
  /** Stages of the chain that must be done before. */
  needs: string[];
  when?: Expression;
  with: ReadonlyMap<string, Expression>;
  /** Of a fallback on another model. */
  substitute?: PlannedVersion;
}

export type Plan = ReadonlyMap<string, PlannedStage>;

/** All stages of a release, in their order, with what their manifests say. */
export async function planStages(release: Release, models: Pick<Runner, 'manifest'>): Promise<Plan> {
  const stages = await Promise.all(release.spec.stages.map((stage) => planStage(stage, release, models)));
  return new Map(stages.map((stage) => [stage.spec.model, stage]));
}

async function planStage(spec: StageSpec, release: Release, models: Pick<Runner, 'manifest'>): Promise<PlannedStage> {
  const own = await planVersion(spec.model, release, models);
  const substitute = spec.fallback?.kind === 'model' ? await planVersion(spec.fallback.model, release, models) : undefined;
  const expressions = new Map(Object.entries(spec.with).map(([column, text]) => [column, compile(text)]));
  const when = spec.when === undefined ? undefined : compile(spec.when);
  const mentioned = [...expressions.values(), ...(when ? [when] : [])].flatMap(({ references }) =>
    references.flatMap(({ root, path: [stage] }) => (root === 'stages' && stage !== undefined ? [stage] : [])));
  const inChain = new Set(release.spec.stages.map((stage) => stage.model));
  const needs = new Set([
    ...(release.dependencies[spec.model] ?? []),
    ...upstreamOf(own.manifest.spec),
    ...(substitute ? upstreamOf(substitute.manifest.spec) : []),
    ...mentioned,
  ].filter((stage) => inChain.has(stage) && stage !== spec.model));
  return { ...own, spec, needs: [...needs], when, with: expressions, substitute };
}

async function planVersion(model: string, release: Release, models: Pick<Runner, 'manifest'>): Promise<PlannedVersion> {
  const ref = release.versions[model];
  if (!ref) {
    throw new ShoalError('UNKNOWN_MODEL', `Release ${release.number} of chain ${release.chain} has no version of ${model}.`, {
      remedy: 'Train it, so that a new release can be made.', details: { chain: release.chain, release: release.number, model },
    });
  }
  const manifest = await models.manifest(ref);
  return { ref, manifest, inputs: inputsOf(manifest) };
}

function inputsOf({ spec, features, snapshot }: Manifest): PlannedInput[] {
  if (spec.task === 'forecast') {
    const flags = new Set(snapshot.columns.flatMap(({ name, type }) => (type === 'boolean' ? [name] : [])));
    const known = spec.inputs.flatMap((input) => (input.kind === 'column' ? [input] : []));
    return [
      { name: spec.at, type: 'date', from: { column: spec.at } },
      ...(spec.series === undefined ? [] : [{ name: spec.series, type: 'category' as const, from: { column: spec.series } }]),
      ...known.map(({ name, column }) => ({ name, type: flags.has(column) ? 'boolean' as const : 'number' as const, from: { column } })),
    ];
  }
  return spec.inputs.map((input) => {
    const { name, type, width } = features.find((feature) => feature.name === input.name)!;
    return { name, type, width, from: input.kind === 'column' ? { column: input.column } : { stage: input.model, output: input.output } };
  });
}

/** The columns that a chain reads from its rows: those of its models, and those that only expressions mention. */
export function columnsOf(plan: Plan, release: Release): { columns: RowColumn[]; mentioned: string[] } {
  const columns = new Map<string, RowColumn>();
  const expressions: Expression[] = Object.values(release.spec.output).map(compile);
  for (const stage of plan.values()) {
    expressions.push(...stage.with.values(), ...(stage.when ? [stage.when] : []));
    for (const input of [...stage.inputs, ...(stage.substitute?.inputs ?? [])]) {
      if (!('column' in input.from) || stage.with.has(input.from.column)) continue;
      const { column } = input.from;
      const name = columnName(column, input.type);
      columns.set(name, { name, column, type: input.type, width: input.width });
    }
  }
  const mentioned = new Set(expressions.flatMap(({ references }) =>
    references.flatMap(({ root, path: [column] }) => (root === 'input' && column !== undefined ? [column] : []))));
  return { columns: [...columns.values()], mentioned: [...mentioned] };
}

/** Two models may read one column as different types: the table of a request holds it once for each. */
export const columnName = (column: string, type: ColumnType): string => `${column}:${type}`;

/** The width of a version's vector outputs. */
export const widthOf = ({ width, classes }: Manifest): number | undefined => width ?? classes?.length;

export const outputNames = ({ manifest }: PlannedVersion): string[] => Object.keys(OUTPUTS[manifest.spec.task]);

export const outputTypes = ({ spec }: Manifest): [name: string, type: ColumnType][] => Object.entries(OUTPUTS[spec.task]);
