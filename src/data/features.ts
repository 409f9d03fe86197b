import { ShoalError } from '../domain/errors';
import { FORECAST_COLUMNS } from '../domain/examples';
import { nearest } from '../domain/nearest';
import { OUTPUTS, type ForecastSpec, type InputSpec, type ModelSpec } from '../domain/spec';
import type { ColumnType } from '../domain/table';
import type { Feature, Manifest, Snapshot, SnapshotColumn } from '../domain/version';

/**
 * The inputs of a model's ONNX file, in the order of its spec: columns in the type declared, or the one the snapshot has them in;
 * outputs of upstream models in the types of their tasks, vectors with the width that training gave them.
 */
export function resolveFeatures(spec: ModelSpec, snapshot: Snapshot, upstream: Record<string, Manifest>): Feature[] {
  if (spec.task === 'forecast') return forecastFeatures(spec, snapshot);
  return spec.inputs.map((input) => (input.kind === 'column' ? columnFeature(spec, input, snapshot) : modelFeature(input, upstream)));
}

/** A forecast reads windows cut from its series, not rows. */
function forecastFeatures(spec: ForecastSpec, snapshot: Snapshot): Feature[] {
  const known = spec.inputs.flatMap((input) => (input.kind === 'column' ? [columnFeature(spec, input, snapshot)] : []));
  return [
    { name: FORECAST_COLUMNS.history, type: 'vector', width: spec.context },
    { name: FORECAST_COLUMNS.start, type: 'date' },
    ...(spec.series === undefined ? [] : [{ name: FORECAST_COLUMNS.series, type: 'category' as const }]),
    ...known.map(({ name }) => ({ name, type: 'vector' as const, width: spec.horizon })),
  ];
}

function columnFeature(spec: ModelSpec, input: Extract<InputSpec, { kind: 'column' }>, snapshot: Snapshot): Feature {
  const column = snapshotColumn(spec, snapshot, input.column, 'input');
  const type = input.type ?? column.type;
  return { name: input.name, type, ...(type === 'vector' && { width: column.width }) };
}

function modelFeature(input: Extract<InputSpec, { kind: 'model' }>, upstream: Record<string, Manifest>): Feature {
  const manifest = upstream[input.model];
  if (manifest === undefined) {
    throw new ShoalError('UNKNOWN_MODEL', `Input '${input.name}' comes from model ${input.model}, which has no version.`, {
      remedy: 'Train that model first.', details: { input: input.name, model: input.model } });
  }
  const outputs: Record<string, ColumnType> = OUTPUTS[manifest.spec.task];
  const type = outputs[input.output];
  if (type === undefined) {
    throw new ShoalError('CONFIG', `Model ${input.model} has no output '${input.output}'.`, {
      remedy: `Its outputs are ${Object.keys(outputs).join(', ')}.`, details: { model: input.model, output: input.output } });
  }
  if (type !== 'vector') return { name: input.name, type };
  return { name: input.name, type, width: manifest.spec.task === 'classification' ? manifest.classes?.length : manifest.width };
}

/** A column that a model needs, by its role in messages; COLUMN_MISSING with the nearest name when the snapshot lacks it. */
export function snapshotColumn(spec: ModelSpec, snapshot: Snapshot, name: string, role: string): SnapshotColumn {
  const found = snapshot.columns.find((column) => column.name === name);
  if (found) return found;
  const names = snapshot.columns.map((column) => column.name);
  const near = nearest(name, names);
  throw new ShoalError('COLUMN_MISSING', `Model ${spec.name}: the ${role} column '${name}' is not in source ${snapshot.source}.`, {
    remedy: near === undefined ? `Its columns are ${names.join(', ')}.` : `Did you mean '${near}'?`,
    details: { model: spec.name, source: snapshot.source, column: name, nearest: near, columns: names },
  });
}
