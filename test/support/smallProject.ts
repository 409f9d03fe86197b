import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** A project of two small models in a folder of its own: what a note says of a flat's condition, and from that and its size its rent. */
export interface SmallProject { folder: string; file: string; remove(): void }

const CITIES = ['Bern', 'Genf', 'Zug'];
const WORDS = { good: ['bright', 'renovated', 'quiet', 'modern'], bad: ['dark', 'damp', 'noisy', 'worn'] };

export function smallProject(options: { rows?: number; maxEpochs?: number; taskQueue?: string; extra?: string } = {}): SmallProject {
  const { rows = 600, maxEpochs = 12, taskQueue = 'shoal', extra = '' } = options;
  const folder = mkdtempSync(path.join(os.tmpdir(), 'shoal-test-'));
  writeFileSync(path.join(folder, 'flats.csv'), flats(rows));
  const file = path.join(folder, 'temporal.yaml');
  writeFileSync(file, `
name: flats
temporal: { taskQueue: ${taskQueue} }
sources:
  flats: { path: flats.csv, key: id }
models:
  condition:
    task: classification
    source: flats
    target: condition
    inputs: [{ column: note, type: text }, city]
    training: { maxEpochs: ${maxEpochs}, patience: ${maxEpochs} }
  rent:
    task: regression
    source: flats
    target: rent
    inputs: [size, city, built, condition]
    training: { maxEpochs: ${maxEpochs}, patience: ${maxEpochs} }
chains:
  flats: { output: rent }
${extra}`);
  return { folder, file, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

export function flats(rows: number, seed = 1): string {
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
    lines.push([i, size, city, `${year}-06-01`, note, condition, rent].join(','));
  }
  return `${lines.join('\n')}\n`;
}

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
