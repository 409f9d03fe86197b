import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { observe } from '../src/data/observations';
import { recordOutcomes } from '../src/data/outcomes';
import { createRequestLog } from '../src/data/requestLog';
import type { LogEntry } from '../src/domain/requestLog';
import type { ModelSpec } from '../src/domain/spec';
import { openStore } from '../src/store/fileStore';

/**
 * What logging adds to an answer, and what the judge waits for. Run it with `node -r ./bench/register.cjs bench/requestLog.ts`;
 * the log is on the disk of TMPDIR.
 */

const ENTRIES = 100_000;
const START = Date.parse('2026-03-01T00:00:00Z');
const DAY = 86_400_000;
const SPEC: ModelSpec = {
  name: 'rent', task: 'regression', target: 'rent', scale: 'log10', interval: 0.8, source: 'flats', inputs: [], gates: [], holdout: 0.2, seed: 1,
  training: { folds: 3, hidden: [8], maxEpochs: 1, patience: 1, batchSize: 8, learningRate: 0.01, weightDecay: 0 },
};

const entryOf = (n: number, at: number): LogEntry => ({
  chain: 'flats', request: `chain/flats/${n}`, at: new Date(at).toISOString(), release: n % 4 === 0 ? 2 : 1, arm: 'live', weight: n % 4 === 0 ? 0.25 : 0.75,
  versions: { condition: 'a1b2c3d4e5f6', rent: '0123456789ab' }, keys: [String(n)],
  rows: [{ id: n, size: 40 + (n % 90), city: ['Bern', 'Genf', 'Zug'][n % 3], built: `${1950 + (n % 70)}-06-01`, note: 'bright quiet flat' }],
  outputs: [{ value: 900 + (n % 500), low: 800, high: 1600 }], seconds: 0.002 + (n % 7) / 1000, fallbacks: {},
});

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-log-'));
  try {
    const store = await openStore({ path: folder });
    const log = createRequestLog(store);
    const results: Record<string, Record<string, number>> = {};
    for (const callers of [1, 32]) {
      const taken: number[] = [];
      const started = performance.now();
      const each = callers === 1 ? 500 : 100;
      await Promise.all(Array.from({ length: callers }, async (_, caller) => {
        for (let i = 0; i < each; i++) {
          const before = performance.now();
          await log.append([{ ...entryOf(caller * each + i, Date.now()), chain: `callers${callers}` }]);
          taken.push(performance.now() - before);
        }
      }));
      taken.sort((a, b) => a - b);
      const at = (share: number): number => Number(taken[Math.floor(share * taken.length)]!.toFixed(2));
      results[`append, ${callers} at once`] = {
        'p50 ms': at(0.5), 'p99 ms': at(0.99), 'a second': Math.round(taken.length / (performance.now() - started) * 1000),
        blobs: (await store.listBlobs(`requests/callers${callers}/`)).length,
      };
    }
    console.table(results);

    // A day, as 8,000 groups of 12 or 13.
    const past = createRequestLog(store, { now: () => START + 2 * DAY });
    const groups = 8_000;
    await seconds(`${ENTRIES} entries in ${groups} blobs`, async () => {
      for (let g = 0; g < groups; g += 100) {
        await Promise.all(Array.from({ length: 100 }, (_, i) => {
          const [from, to] = [g + i, g + i + 1].map((k) => Math.floor(k * ENTRIES / groups)) as [number, number];
          // A log of its own for each, so that they are not one group.
          return createRequestLog(store, { now: () => START + DAY }).append(Array.from({ length: to - from }, (_, k) => entryOf(from + k, START + Math.floor((from + k) / ENTRIES * DAY))));
        }));
      }
    });
    await recordOutcomes(store, { chain: 'flats', outcomes: Array.from({ length: ENTRIES }, (_, n) => ({ key: String(n), value: 950 + (n % 450) })), now: START + DAY });
    const look = () => observe(store, { chain: 'flats', candidate: 2, reference: 1, since: new Date(START).toISOString(), spec: SPEC, now: START + 2 * DAY });
    const read = async (): Promise<number> => {
      let n = 0;
      for await (const some of past.read({ chain: 'flats', since: new Date(START).toISOString(), until: new Date(START + DAY).toISOString() })) n += some.length;
      return n;
    };
    const left = async (): Promise<number> => (await past.unanswered({ chain: 'flats', since: new Date(START).toISOString(), release: 3, limit: 500 })).length;
    for (const state of ['as blobs', 'as Parquet']) {
      await seconds(`read all, ${state}`, read);
      await seconds(`500 that a release has not answered, ${state}`, left);
      await seconds(`observe, with an outcome each, ${state}`, async () => (await look()).length);
      if (state === 'as blobs') await seconds('compact', () => past.compact({ chain: 'flats', before: new Date(START + DAY).toISOString() }));
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function seconds(what: string, work: () => Promise<unknown>): Promise<void> {
  const started = performance.now();
  const result = await work();
  console.log(`${what}: ${((performance.now() - started) / 1000).toFixed(2)} s`, result ?? '');
}

void main();
