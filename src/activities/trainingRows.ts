import { resolveFeatures } from '../data/features';
import { loadTable } from '../data/loadTable';
import { exampleSplit, forecastsByPeriod, trainingExamples } from '../domain/examples';
import { seriesKey } from '../domain/series';
import { HOLDOUT, splitByKey } from '../domain/split';
import { isString, type StringColumn, type Table } from '../domain/table';
import type { ArtifactRef, Feature } from '../domain/version';
import type { Examples } from '../learn/fit';
import { loadHistory } from '../serve/forecast';
import { modelRows, type Data } from './inputs';
import { truthColumns } from './judged';
import type { TrainingJob } from './train';

/** What a model is trained on: all rows, those of the holdout too. */
export interface TrainingRows {
  /** Of the rows: of a forecast, of its examples. */
  keys: string[];
  features: Feature[];
  examples: Examples;
  /** Files the cross-fitted outputs under the keys that downstream models look them up by. */
  keyed(outputs: Table): { keys: string[]; table: Table };
}

/** Those that may be learnt from: outside the holdout, with a target, and with a weight. */
export function learnable({ examples: { table, target, alike, split, weights } }: TrainingRows): number[] {
  const labels = alike ? Object.values(alike) : [target!];
  const labelled = (row: number): boolean => labels.some((column) => {
    if (isString(column)) return column.values[row] !== null;
    const width = column.type === 'vector' ? column.width : 1;
    return column.values.subarray(row * width, (row + 1) * width).some((y) => !Number.isNaN(y));
  });
  return Array.from({ length: table.rows }, (_, row) => row).filter((row) => split.folds[row] !== HOLDOUT && labelled(row) && weights?.[row] !== 0);
}

export async function trainingRows({ model, snapshot, upstream, weights }: Omit<TrainingJob, 'fingerprint'>, data: Data): Promise<TrainingRows> {
  const manifests = Object.fromEntries(await Promise.all(Object.entries(upstream).map(async ([name, ref]) => [name, await data.models.manifest(ref)] as const)));
  const features = resolveFeatures(model, snapshot, manifests);
  if (model.task === 'forecast') {
    const examples = trainingExamples(await loadHistory(data.store, snapshot, model), model);
    const { split, target } = exampleSplit(examples, model);
    return {
      keys: examples.series.map((series, row) => seriesKey(series, examples.origins[row]!)),
      features, examples: { table: examples.table, target, split }, keyed: (outputs) => forecastsByPeriod(examples, outputs),
    };
  }
  const wanted = truthColumns({ spec: model });
  const { keys, inputs, extra } = await modelRows({ spec: model, features, snapshot, upstream, wanted }, data);
  const split = splitByKey(keys, { holdout: model.holdout, foldCount: model.training.folds });
  const columns = extra.columns as Record<string, StringColumn>;
  return {
    keys,
    features,
    examples: {
      table: inputs, target: extra.columns[wanted[0]!.name]!, split, alike: model.task === 'embedding' ? columns : undefined,
      weights: weights && (await rowWeights(weights, keys, data)),
    },
    keyed: (table) => ({ keys, table }),
  };
}

async function rowWeights(ref: ArtifactRef, keys: string[], { store }: Data): Promise<Float32Array> {
  const known = await loadTable(store, ref, [{ name: 'weight', type: 'number' }]);
  const weightOf = new Map(known.keys.map((key, i) => [key, known.table.columns.weight!.values[i] as number]));
  return Float32Array.from(keys, (key) => weightOf.get(key) ?? 1);
}
