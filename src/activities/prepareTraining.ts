import { writeTable } from '../data/writeTable';
import { MAIN_OUTPUT, type TrainerSpec } from '../domain/spec';
import { isString, takeRows, type Column, type Table } from '../domain/table';
import { CONTRACT, ELEMENT, ROW, trainerModel, type TrainerInput } from '../domain/trainer';
import type { TrainedVersion } from '../domain/version';
import { beating } from './beating';
import type { Data } from './inputs';
import { remembered } from './memory';
import { noteVersion } from './publish';
import { trainingIdentity, versionArtifacts, type TrainingJob } from './train';
import { learnable, trainingRows, type TrainingRows } from './trainingRows';

export interface ForeignTraining { job: Omit<TrainingJob, 'fingerprint'>; /** Other models take its outputs. */ isRead: boolean }

/** What decides the outcome. A version whose outputs nobody took may lack what others would learn from. */
export const foreignIdentity = ({ job, isRead }: ForeignTraining) => ({ ...trainingIdentity(job), isRead });

export type PreparedTraining = { made: TrainedVersion } | { input: TrainerInput };

export const createPrepareTraining = (data: Data) => ({
  /**
   * The rows that a model's own trainer may learn from, as its ONNX file will be given them, with cross-fitted upstream outputs, target
   * and fold, as one Parquet file; or the version that was made of the same before.
   */
  prepareTraining: ({ job, isRead }: ForeignTraining): Promise<PreparedTraining> =>
    beating(async () => {
      const { store } = data;
      const made = await remembered<TrainedVersion>(store, 'trainings', foreignIdentity({ job, isRead }), ({ version }) => versionArtifacts(version, store));
      if (made) await noteVersion(store, made.version);
      if (made) return { made: { ...made, summary: { ...made.summary, reused: true } } };
      const { model } = job;
      const rows = await trainingRows(job, data);
      const chosen = learnable(rows);
      const ref = await writeTable(store, { keys: chosen.map((row) => rows.keys[row]!), table: takeRows(tableFor(rows), chosen) });
      return {
        input: {
          contract: CONTRACT,
          model: trainerModel(model),
          params: (model.trainer as TrainerSpec).params,
          features: rows.features.map((feature) => ({ ...feature, element: ELEMENT[feature.type] })),
          output: MAIN_OUTPUT[model.task],
          data: { path: await store.localFile(ref), ...ref, rows: chosen.length },
          folder: await store.scratch(),
        },
      };
    }),
});

function tableFor({ examples }: TrainingRows): Table {
  const { table, target, alike, split, weights } = examples;
  return {
    rows: table.rows,
    columns: {
      ...Object.fromEntries(Object.entries(table.columns).map(([name, column]) => [name, asFed(column)])),
      [ROW.fold]: { type: 'number', values: Float64Array.from(split.folds) },
      ...(weights && { [ROW.weight]: { type: 'number' as const, values: Float64Array.from(weights) } }),
      ...(alike ? Object.fromEntries(Object.entries(alike).map(([name, column]) => [`${ROW.alike}${name}`, column])) : { [ROW.target]: target! }),
    },
  };
}

/** As ONNX Runtime gets it: flags and dates as numbers, a missing text as an empty one. */
function asFed(column: Column): Column {
  if (isString(column)) return { ...column, values: column.values.map((value) => value ?? '') };
  return column.type === 'vector' ? column : { type: 'number', values: column.values };
}
