import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { DEFAULT_TRAINING } from '../src/config/defaults';
import { judgeLabels } from '../src/domain/labelJudgement';
import { random } from '../src/domain/random';
import type { ClassificationSpec } from '../src/domain/spec';
import { HOLDOUT, splitByKey } from '../src/domain/split';
import type { Column, StringColumn, Table, VectorColumn } from '../src/domain/table';
import { fit, type Examples, type Fitted } from '../src/learn/fit';

/**
 * What the label check is worth: a tenth of the training labels of a clean data set are flipped at random; how many of them are found,
 * and how much of the accuracy and log loss on clean held-out rows comes back without the suspects. Beside it cleanlab on the same predictions.
 *
 *   node -r ./bench/register.cjs bench/labels.ts [python with cleanlab]
 */

const FLIPPED = 0.1;
const SEEDS = [1, 2, 3];
const [python] = process.argv.slice(2);

interface Data { name: string; table: Table; labels: string[]; split: Examples['split'] }

function read(name: string): Data {
  const text = gunzipSync(readFileSync(path.join(__dirname, `data/${name}.csv.gz`))).toString();
  const [header, ...rows] = text.trim().split('\n').map((line) => line.split(','));
  const column = (i: number): Column => ({ type: 'number', values: Float64Array.from(rows, (row) => Number(row[i])) });
  const last = header!.length - 1;
  return {
    name,
    table: { rows: rows.length, columns: Object.fromEntries(header!.slice(1, last).map((of, i) => [of, column(i + 1)])) },
    labels: rows.map((row) => row[last]!),
    split: splitByKey(rows.map((row) => row[0]!), { holdout: 0.25, foldCount: DEFAULT_TRAINING.classification.folds }),
  };
}

const SPEC: ClassificationSpec = {
  name: 'bench', task: 'classification', source: 'bench', target: 'label', inputs: [], gates: [], holdout: 0.25, seed: 7,
  training: DEFAULT_TRAINING.classification,
};

const train = ({ table, split }: Data, labels: string[], weights?: Float32Array): Promise<Fitted> =>
  fit(SPEC, Object.keys(table.columns).map((name) => ({ name, type: 'number' as const })), { table, target: category(labels), split, weights }, {
    checkpoints: { load: async () => undefined, save: async () => undefined }, onProgress: () => undefined, signal: new AbortController().signal,
  });

const category = (values: string[]): StringColumn => ({ type: 'category', values });

const figure = (x: number): number => Number(x.toFixed(3));

/** Accuracy and log loss on the held-out rows, whose labels are clean. */
function quality({ outputs, network }: Fitted, { labels, split }: Data): string {
  const said = (outputs.columns.label as StringColumn).values;
  const { width, values } = outputs.columns.probabilities as VectorColumn;
  const { classes } = network.head as Extract<Fitted['network']['head'], { kind: 'classification' }>;
  const held = [...split.folds.keys()].filter((row) => split.folds[row] === HOLDOUT);
  const right = held.filter((row) => said[row] === labels[row]).length / held.length;
  const loss = held.reduce((sum, row) => sum - Math.log(Math.max(1e-12, values[row * width + classes.indexOf(labels[row]!)]!)), 0) / held.length;
  return `${right.toFixed(3)}, ${loss.toFixed(3)}`;
}

/** Each training label, with a chance of FLIPPED, another class instead. */
function flip({ labels, split }: Data, seed: number): string[] {
  const next = random(seed);
  const classes = [...new Set(labels)].sort();
  return labels.map((label, row) => {
    if (split.folds[row] === HOLDOUT || next() >= FLIPPED) return label;
    const others = classes.filter((other) => other !== label);
    return others[Math.floor(next() * others.length)]!;
  });
}

interface Found { precision: number; recall: number }
function score(suspects: ReadonlySet<number>, flipped: ReadonlySet<number>): Found {
  const right = [...suspects].filter((row) => flipped.has(row)).length;
  return { precision: right / suspects.size, recall: right / flipped.size };
}

function cleanlab(given: { classes: number; labels: number[]; probabilities: number[] }): number[] {
  const { stdout, stderr, status } = spawnSync(python!, [path.join(__dirname, 'labels.py')], { input: JSON.stringify(given), maxBuffer: 1e9 });
  if (status !== 0) throw new Error(stderr.toString());
  return JSON.parse(stdout.toString()) as number[];
}

async function measure(data: Data, seed: number, clean: Fitted): Promise<Record<string, string | number>> {
  const noisy = flip(data, seed);
  const flipped = new Set(noisy.flatMap((label, row) => (label === data.labels[row] ? [] : [row])));
  const fitted = await train(data, noisy);
  const { head } = fitted.network;
  if (head.kind !== 'classification') throw new Error('not a classification');
  const { classes } = head;
  const trained = Int32Array.from(data.split.folds.keys()).filter((row) => data.split.folds[row] !== HOLDOUT);
  const started = performance.now();
  const { wrong } = judgeLabels({ spec: SPEC, target: category(noisy), outputs: fitted.outputs, parts: [trained], classes });
  const ms = performance.now() - started;
  const ours = new Set(wrong.map((f) => f.row));
  const weighing = (weight: number): Float32Array => Float32Array.from(noisy, (_, row) => (ours.has(row) ? weight : 1));
  const without = await train(data, noisy, weighing(0));
  const lighter = await train(data, noisy, weighing(0.25));

  const probabilities = fitted.outputs.columns.probabilities!.values as Float32Array;
  const theirs = python === undefined ? undefined : new Set(cleanlab({
    classes: classes.length,
    labels: Array.from(trained, (row) => classes.indexOf(noisy[row]!)),
    probabilities: Array.from(trained).flatMap((row) => [...probabilities.subarray(row * classes.length, (row + 1) * classes.length)]),
  }).map((i) => trained[i]!));
  const found = score(ours, flipped);
  const reference = theirs ? score(theirs, flipped) : undefined;
  return {
    data: data.name, seed, rows: trained.length, flipped: flipped.size, suspects: ours.size,
    precision: figure(found.precision), recall: figure(found.recall),
    ...(theirs && reference && {
      'cleanlab precision': figure(reference.precision), 'cleanlab recall': figure(reference.recall),
      differing: [...new Set([...ours, ...theirs])].filter((row) => ours.has(row) !== theirs.has(row)).length,
    }),
    flippedLabels: quality(fitted, data), excluded: quality(without, data), downweighted: quality(lighter, data), cleanLabels: quality(clean, data),
    ms: figure(ms),
  };
}

async function main(): Promise<void> {
  for (const name of ['digits', 'breast-cancer']) {
    const data = read(name);
    const clean = await train(data, data.labels);
    const results = [];
    for (const seed of SEEDS) results.push(await measure(data, seed, clean));
    console.table(results);
  }
}

void main();
