import { ShoalError } from '../domain/errors';
import { nearest } from '../domain/nearest';
import { OUTPUTS, type InputSpec, type ModelSpec } from '../domain/spec';
import type { ColumnType } from '../domain/table';
import type { Feature, Manifest, Snapshot, SnapshotColumn } from '../domain/version';

/**
 * The inputs of a model's ONNX file, in the order of its spec: columns in the type declared, or the one the snapshot has them in;
 * outputs of upstream models in the types of their tasks, vectors with the width that training gave them.
 */
export function resolveFeatures(spec: ModelSpec, snapshot: Snapshot, upstream: Record<string, Manifest>): Feature[] {
  return spec.inputs.map((input) => (input.kind === 'column' ? columnFeature(spec, input, snapshot) : modelFeature(input, upstream)));
}

function columnFeature(spec: ModelSpec, input: Extract<InputSpec, { kind: 'column' }>, snapshot: Snapshot): Feature {
  const column = snapshotColumn(spec, snapshot, input.column, 'input');
  const type = input.type ?? column.type;
  return { name: input.name, type, ...(type === 'vector' && { width: column.width }) };
}

function modelFeature(input: Extract<InputSpec, { kind: 'model' }>, upstream: Record<string, Manifest>): Feature {
  const manifest = upstream[input.model];
  if (manifest === undefined) throw new ShoalError('UNKNOWN_MODEL', `Input '${input.name}' comes from model ${input.model}, which has no version.`);
  const outputs: Record<string, ColumnType> = OUTPUTS[manifest.spec.task];
  const type = outputs[input.output];
  if (type === undefined) {
    throw new ShoalError('CONFIG', `Model ${input.model} has no output '${input.output}'.`, { remedy: `Its outputs are ${Object.keys(outputs).join(', ')}.` });
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
