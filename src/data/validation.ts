import { ShoalError, type ErrorCode } from '../domain/errors';
import type { EmbeddingSpec, ModelSpec } from '../domain/spec';
import type { Snapshot } from '../domain/version';
import type { Store } from '../store/store';
import type { ColumnProfile } from './profile';

export interface ModelData<S extends ModelSpec = ModelSpec> {
  spec: S;
  snapshot: Snapshot;
  store: Store;
  profileOf: Map<string, ColumnProfile>;
}

export interface Validation {
  /** Rows that can be learnt from or judged on. */
  usableRows: number;
  /** Rows left out because the target is missing. */
  unlabelledRows: number;
  /** What is odd but can be lived with, as sentences. */
  notes: string[];
}

export function constant(data: Pick<ModelData<Exclude<ModelSpec, EmbeddingSpec>>, 'spec' | 'snapshot'>, why: string): ShoalError {
  return refusal(data, 'TARGET_CONSTANT', `there is nothing to learn in the target '${data.spec.target}': ${why}.`, {
    remedy: 'Choose another target, or look at how the source selects rows.' });
}

export function refusal(
  { spec, snapshot }: Pick<ModelData, 'spec' | 'snapshot'>,
  code: ErrorCode,
  message: string,
  { remedy, found = {} }: { remedy: string; found?: object },
): ShoalError {
  const details = { model: spec.name, source: snapshot.source, ...found };
  return new ShoalError(code, `Model ${spec.name}: ${message}`, { remedy, details });
}

export const count = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`;
