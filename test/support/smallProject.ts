import { appendFileSync, cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** A project in a folder of its own. */
export interface SmallProject {
  folder: string;
  file: string;
  /** Adds flats to those there are. */
  addFlats(rows: number): void;
  remove(): void;
}

export interface SmallProjectOptions {
  /** All below `temporal:` and `sources:`; by default two models: what a note says of a flat's condition, and from that and its size its rent. */
  models?: string;
  /** Where the flats are; in the file by default. */
  source?: string;
  rows?: number;
  maxEpochs?: number;
  namespace?: string;
  taskQueue?: string;
  /** Files of the project, by name; the flats by default. */
  files?: Record<string, string>;
  /** Where to put it, when it is not to be a new folder among the temporary ones. */
  folder?: string;
  /** A store to begin with: what was trained there already is not trained again. */
  store?: string;
}

export function smallProject(options: SmallProjectOptions = {}): SmallProject {
  const { rows = 600, maxEpochs = 12, namespace = 'default', taskQueue = 'shoal', files = { 'flats.csv': flats(rows) }, source = '{ path: flats.csv, key: id }' } = options;
  const folder = options.folder ?? mkdtempSync(path.join(os.tmpdir(), 'shoal-test-'));
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text);
  if (options.store) cpSync(options.store, path.join(folder, '.shoal/store'), { recursive: true, preserveTimestamps: true });
  const file = path.join(folder, 'temporal.yaml');
  writeFileSync(file, `
name: flats
temporal: { taskQueue: ${taskQueue}, namespace: ${namespace} }
sources:
  flats: ${source}
${options.models ?? twoModels({ maxEpochs })}`);
  let seed = 1;
  return {
    folder,
    file,
    addFlats: (more) => appendFileSync(path.join(folder, 'flats.csv'), flats(more, { seed: ++seed, firstId: seed * 100_000 }).split('\n').slice(1).join('\n')),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

export const training = (maxEpochs: number): string => `training: { maxEpochs: ${maxEpochs}, patience: ${maxEpochs} }`;

/** A classification of text that feeds a regression, and their chain. `more` goes to the end of a section. */
export const twoModels = ({ maxEpochs = 12, conditionEpochs = maxEpochs, condition = '', rent = '', chain = '' }: {
  maxEpochs?: number; conditionEpochs?: number; condition?: string; rent?: string; chain?: string;
} = {}): string => `
models:
  condition:
    task: classification
    source: flats
    target: condition
    inputs: [{ column: note, type: text }, city]
    ${training(conditionEpochs)}
    ${condition}
  rent:
    task: regression
    source: flats
    target: rent
    inputs: [size, city, built, condition]
    ${training(maxEpochs)}
    ${rent}
chains:
  flats:
    output: rent
    ${chain}
`;

const CITIES = ['Bern', 'Genf', 'Zug'];
const WORDS = { good: ['bright', 'renovated', 'quiet', 'modern'], bad: ['dark', 'damp', 'noisy', 'worn'] };

export function flats(rows: number, { seed = 1, firstId = 0 }: { seed?: number; firstId?: number } = {}): string {
  const random = uniform(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const lines = ['id,size,city,built,note,condition,rent'];
  for (let i = 0; i < rows; i++) {
    const condition = random() < 0.5 ? 'good' : 'bad';
    const size = Math.round(30 + random() * 120);
    const city = pick(CITIES);
    const year = 1950 + Math.floor(random() * 70);
    const note = [pick(WORDS[condition]), pick(random() < 0.8 ? WORDS[condition] : WORDS.good), 'flat'].join(' ');
    const rent = Math.round(400 + 18 * size + 200 * CITIES.indexOf(city) + (condition === 'good' ? 500 : 0) + 3 * (year - 1950) + 100 * (random() - 0.5));
    lines.push([firstId + i, size, city, `${year}-06-01`, note, condition, rent].join(','));
  }
  return `${lines.join('\n')}\n`;
}

/** With the condition's opposite as one more column: a model of it is as good by itself, and means something else to who reads it. */
export const withOpposite = (text: string): string =>
  text.trimEnd().split('\n').map((line, i) => `${line},${i === 0 ? 'opposite' : line.includes(',good,') ? 'bad' : 'good'}`).join('\n');

/** mulberry32 */
function uniform(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
