import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import type { History } from '@temporalio/common/lib/proto-utils';
import { readRows, writeRows } from '../../src/data/rows';
import type { ChainAnswer, Row } from '../../src/domain/prediction';
import { TestProject, activitiesOf, queuesOf } from '../support/project';
import { TestServer } from '../support/server';
import { flats, training } from '../support/smallProject';

jest.setTimeout(240_000);

/** Months of a season that repeats, to the end of 2023. */
const demand = (): string => {
  const months = Array.from({ length: 120 }, (_, i) => [`${2014 + Math.floor(i / 12)}-${String((i % 12) + 1).padStart(2, '0')}-01`, 100 + 20 * (i % 12) + (i % 7)]);
  return `month,sought\n${months.map((m) => m.join(',')).join('\n')}\n`;
};

const PROJECT = `
  demand: { path: demand.csv, key: month }
models:
  condition:
    task: classification
    source: flats
    target: condition
    inputs: [{ column: note, type: text }, city]
    ${training(8)}
  kind:
    task: embedding
    source: flats
    inputs: [{ column: note, type: text }]
    alike: [condition]
    dimensions: 4
    gates: []
    ${training(3)}
  rent:
    task: regression
    source: flats
    target: rent
    inputs: [size, city, built, condition, kind]
    ${training(8)}
  rent-by-size:
    task: regression
    source: flats
    target: rent
    inputs: [size]
    ${training(8)}
  demand:
    task: forecast
    source: demand
    target: sought
    time: month
    frequency: month
    horizon: 3
    at: asked
    gates: []
    ${training(8)}
chains:
  flats: { output: rent }
  demand: { output: demand, gates: [] }
  demand-or-baseline: { stages: { demand: { fallback: baseline } }, output: demand, gates: [] }
  demand-or-value: { stages: { demand: { fallback: { value: 7 } } }, output: demand, gates: [] }
  worded:
    stages:
      condition:
        when: input.note != null
        fallback: { value: { label: unknown, probability: 0.5, probabilities: [0.5, 0.5] } }
      kind: {}
      rent: { with: { size: input.rooms * 20.0 } }
    output:
      value: stages.rent.value + 1000.0
      low: stages.rent.low + 1000.0
      high: stages.rent.high + 1000.0
      condition: stages.condition.label
      large: 'input.rooms > 4'
    predicts: rent
    gates: []
  skipping: { stages: { condition: {}, kind: {}, rent: { when: input.size > 60 } }, output: rent, gates: [] }
  or-baseline: { stages: { condition: {}, kind: {}, rent: { when: input.size > 60, fallback: baseline } }, output: rent, gates: [] }
  or-model: { stages: { condition: {}, kind: {}, rent: { when: input.size > 60, fallback: { model: rent-by-size } } }, output: rent, gates: [] }
  by-size: { output: rent-by-size }
  hasty: { stages: { condition: {}, kind: {}, rent: { timeout: 1ms, fallback: { value: 1 } } }, output: rent, gates: [] }
`;

let server: TestServer;
let project: TestProject;
const release: Record<string, Record<string, string>> = {};
beforeAll(async () => {
  server = await TestServer.start();
  project = await TestProject.open(server, { models: PROJECT, files: { 'flats.csv': flats(600), 'demand.csv': demand() } });
  for (const { chain, current, decisions } of (await project.train()).chains) {
    if (!current) throw new Error(`${chain} has no release: ${decisions[0]?.reason}`);
    release[chain] = Object.fromEntries(Object.values(current.versions).map((v) => [v.model, v.id]));
  }
});
afterAll(async () => {
  await project?.close();
  await server?.stop();
});

const FLAT: Row = { size: 80, city: 'Bern', built: '1990-06-01', note: 'bright quiet flat' };
const SMALL: Row = { ...FLAT, size: 40 };
const predict = (chain: string, rows: Row[], id?: string): Promise<ChainAnswer> => project.shoal.predict(chain, rows, { id });
const only = async (chain: string, row: Row) => {
  const { outputs, stages, provenance } = await predict(chain, [row]);
  return { output: outputs![0]!, stages: stages!, provenance };
};

describe('a chain', () => {
  it('answers with output, interval and release, and for each stage its version, what it said and how it came to that', async () => {
    const answer = await predict('flats', [FLAT, { ...FLAT, note: 'dark damp flat' }]);
    const { condition, kind, rent } = release.flats!;
    expect(answer).toMatchObject({
      chain: 'flats', release: 1, rows: 2,
      provenance: {
        condition: { version: condition, rows: 2, fallback: 0, skipped: 0 },
        kind: { version: kind, rows: 2, fallback: 0, skipped: 0 },
        rent: { version: rent, rows: 2, fallback: 0, skipped: 0 },
      },
      stages: {
        condition: { version: condition, status: ['model', 'model'], outputs: { label: ['good', 'bad'] } },
        kind: { version: kind, outputs: { vector: [expect.any(Array), expect.any(Array)] } },
        rent: { version: rent, outputs: { value: answer.outputs!.map((o) => o.value), low: answer.outputs!.map((o) => o.low) } },
      },
    });
    expect((answer.stages!.kind!.outputs.vector![0] as number[])).toHaveLength(4);
    for (const { value, low, high } of answer.outputs as { value: number; low: number; high: number }[]) {
      expect(low).toBeLessThan(value);
      expect(value).toBeLessThan(high);
    }
    // The condition is worth 500, which the rent is told by the stage before it.
    expect((answer.outputs![0]!.value as number) - (answer.outputs![1]!.value as number)).toBeGreaterThan(200);
  });

  it('runs stages that the same workers serve in one activity', async () => {
    await predict('flats', [FLAT], 'one-segment');
    expect(activitiesOf(await project.history('chain/flats/one-segment'))).toEqual(['runSegment']);
  });

  it('sets columns for one stage, skips a stage by condition, and computes its outputs', async () => {
    const { output, stages, provenance } = await only('worded', { ...FLAT, size: 1, rooms: 4, note: null });
    const plain = await predict('flats', [{ ...FLAT, note: null }]);
    expect(provenance.condition).toMatchObject({ rows: 1, fallback: 1, skipped: 0 });
    expect(stages.condition).toMatchObject({ status: ['fallback'], outputs: { label: ['unknown'], probabilities: [[0.5, 0.5]] } });
    expect(output).toEqual({
      value: (stages.rent!.outputs.value![0] as number) + 1000, low: (stages.rent!.outputs.low![0] as number) + 1000, high: (stages.rent!.outputs.high![0] as number) + 1000,
      condition: 'unknown', large: false,
    });
    // 4 rooms of 20 are 80, as there; only the condition is another.
    expect(Math.abs((stages.rent!.outputs.value![0] as number) - (plain.outputs![0]!.value as number))).toBeLessThan(500);

    const other = await only('worded', { ...FLAT, size: 1, rooms: 5 });
    expect(other.stages.condition!.status).toEqual(['model']);
    expect(other.output).toMatchObject({ condition: 'good', large: true });
  });

  it('answers nothing for rows whose last stage is skipped without a fallback', async () => {
    const answer = await predict('skipping', [FLAT, SMALL]);
    expect(answer.outputs![1]).toEqual({ value: null, low: null, high: null });
    expect(answer.outputs![0]!.value).toEqual((await predict('flats', [FLAT])).outputs![0]!.value);
    expect(answer.provenance.rent).toMatchObject({ rows: 2, fallback: 0, skipped: 1 });
    expect(answer.stages!.rent!.status).toEqual(['model', 'skipped']);
  });

  it('falls back on the baseline', async () => {
    const answer = await predict('or-baseline', [FLAT, SMALL]);
    const { baseline } = await project.store.readJson<{ baseline: { value: number } }>((await project.chain('or-baseline')).current!.versions.rent!.manifest);
    expect(answer.outputs![1]!.value).toBeCloseTo(baseline.value, 2);
    expect(answer.stages!.rent).toMatchObject({ status: ['model', 'fallback'], fallbackReason: 'its condition is false' });
  });

  it('falls back on another model', async () => {
    const answer = await predict('or-model', [FLAT, SMALL]);
    expect(answer.outputs![1]).toEqual((await predict('by-size', [SMALL])).outputs![0]);
    expect(answer.stages!.rent!.status).toEqual(['model', 'fallback']);
  });

  it('falls back when a model refuses, and says why', async () => {
    const [within, beyond] = [{ asked: '2024-02-01' }, { asked: '2030-01-01' }];
    const baseline = await predict('demand-or-baseline', [within, beyond]);
    expect(baseline.stages!.demand!.status).toEqual(['model', 'fallback']);
    expect(baseline.stages!.demand!.fallbackReason).toMatch(/2030/);
    expect(baseline.outputs![1]!.value).toEqual(expect.any(Number));
    const value = await predict('demand-or-value', [within, beyond]);
    expect(value.outputs!.map((o) => o.value)).toEqual([baseline.outputs![0]!.value, 7]);
    const nothing = await predict('demand', [within, beyond]);
    expect(nothing.outputs![1]).toEqual({ value: null, low: null, high: null });
    expect(nothing.provenance.demand).toMatchObject({ rows: 2, fallback: 0, skipped: 1, fallbackReason: expect.stringContaining('2030-01 is too far ahead') });
  });

  it('falls back when a stage takes too long', async () => {
    const rows = flatRows(5_000);
    const file = path.join(project.files.folder, 'many.jsonl');
    await writeRows(file, rows);
    const answer = await project.shoal.score('hasty', file);
    expect(answer.provenance.rent).toMatchObject({ rows: 5_000, fallback: 5_000, fallbackReason: expect.stringContaining('timed out after 1 ms') });
    expect(answer.provenance.condition).toMatchObject({ fallback: 0 });
  });
});

/** Rows as they are asked: without what is to be predicted. */
function flatRows(count: number): Row[] {
  const [, ...lines] = flats(count, { seed: 42 }).trim().split('\n');
  return lines.map((line) => {
    const [, size, city, built, note] = line.split(',');
    return { size: Number(size), city, built, note };
  });
}

describe('a data set in a file', () => {
  const ROWS = flatRows(12_000);
  let inline: Record<string, unknown>[];
  beforeAll(async () => {
    inline = [];
    for (let at = 0; at < ROWS.length; at += 1_000) inline.push(...(await predict('or-baseline', ROWS.slice(at, at + 1_000))).outputs!);
  });

  it.each(['csv', 'jsonl', 'parquet'])('of %s is answered by a Parquet file that says the same as inline, row by row', async (extension) => {
    const file = path.join(project.files.folder, `rows.${extension}`);
    await writeRows(file, ROWS);
    const answer = await project.shoal.score('or-baseline', file, { id: extension });
    const small = ROWS.filter((r) => !((r.size as number) > 60)).length;
    expect(small).toBeGreaterThan(1_000);
    expect(answer).toMatchObject({
      chain: 'or-baseline', release: 1, rows: 12_000, result: { uri: expect.stringMatching(/\.parquet$/) },
      provenance: { condition: { rows: 12_000, fallback: 0 }, rent: { rows: 12_000, fallback: small, skipped: 0, version: release['or-baseline']!.rent } },
    });
    expect(answer.outputs).toBeUndefined();
    const result = await readRows(await project.shoal.download(answer.result!));
    expect(result).toHaveLength(12_000);
    const worst = Math.max(...result.flatMap((row, i) => ['value', 'low', 'high'].map((name) => Math.abs((row[name] as number) / (inline[i]![name] as number) - 1))));
    expect(worst).toBeLessThan(1e-5);
    expect(activitiesOf(await project.history(`chain/or-baseline/${extension}`))).toEqual(['partition', 'runSegment', 'runSegment', 'runSegment', 'assemble']);
  });

  it('may be compressed, and stays where it is', async () => {
    const file = path.join(project.files.folder, 'FEW.CSV');
    await writeRows(file, ROWS.slice(0, 3));
    const plain = await project.shoal.score('flats', file);
    writeFileSync(`${file}.gz`, gzipSync(readFileSync(file)));
    const compressed = await project.shoal.score('flats', `${file}.gz`);
    expect(compressed).toMatchObject({ rows: 3, result: plain.result });
    expect(await readRows(file)).toHaveLength(3);
  });

  it('is named when it is not there, and when it has no rows', async () => {
    await expect(project.shoal.score('flats', path.join(project.files.folder, 'none.csv'))).rejects.toMatchObject({ code: 'SOURCE_MISSING', message: expect.stringContaining('none.csv') });
    const empty = path.join(project.files.folder, 'empty.jsonl');
    await writeRows(empty, []);
    await expect(project.shoal.score('flats', empty)).rejects.toMatchObject({ code: 'REQUEST_EMPTY' });
  });
});

describe('an inline request', () => {
  it('is bounded in rows and in bytes, before it is sent and where it arrives', async () => {
    const rows = Array.from({ length: 1_001 }, () => FLAT);
    await expect(predict('flats', rows)).rejects.toMatchObject({ code: 'REQUEST_TOO_LARGE', message: expect.stringMatching(/1001 rows.*1000 rows.*score/) });
    await expect(predict('flats', [{ ...FLAT, note: 'x'.repeat(300_000) }])).rejects.toMatchObject({ code: 'REQUEST_TOO_LARGE', message: expect.stringContaining('bytes') });
    const { workflow } = project.shoal.temporal;
    const raw = workflow.execute('chain', { workflowId: 'chain/raw', taskQueue: project.spec.temporal.taskQueue, args: [{ chain: 'flats', rows }] });
    await expect(raw).rejects.toMatchObject({ cause: { type: 'REQUEST_TOO_LARGE', message: expect.stringContaining('1001 rows') } });
    expect((await predict('flats', rows.slice(0, 1_000))).outputs).toHaveLength(1_000);
  });

  it('of many rows leaves out what the stages said rather than failing', async () => {
    const answer = await predict('flats', flatRows(1_000));
    expect(answer.outputs).toHaveLength(1_000);
    expect(answer.provenance.rent!.rows).toBe(1_000);
    expect(JSON.stringify(answer).length).toBeLessThan(1_000_000);
  });
});

describe('a model that is moved to workers of its own', () => {
  /** How many activities were scheduled before the first was done. */
  const atOnce = ({ events }: History) => events!.findIndex((e) => e.activityTaskCompletedEventAttributes)
    - events!.findIndex((e) => e.activityTaskScheduledEventAttributes);

  it('is served on their queue, independent ones at once, with the same results and versions', async () => {
    const rows = [FLAT, SMALL, { ...FLAT, city: 'Zug', note: 'worn noisy flat' }];
    const before = await predict('flats', rows);
    const models = PROJECT
      .replace('target: condition', 'target: condition\n    taskQueue: words')
      .replace('dimensions: 4', 'dimensions: 4\n    taskQueue: vectors');
    await project.edit([PROJECT, models]);
    await project.startWorkers([
      { name: 'words', roles: ['serve'], taskQueue: 'words' },
      { name: 'vectors', roles: ['serve'], taskQueue: 'vectors' },
    ]);
    await project.train();
    expect((await project.chain()).current).toMatchObject({ number: 2, taskQueues: { condition: 'words', kind: 'vectors', rent: 'shoal-serve' } });

    const after = await predict('flats', rows, 'apart');
    expect(after).toEqual({ ...before, release: 2, keys: after.keys });
    const history = await project.history('chain/flats/apart');
    expect(activitiesOf(history)).toEqual(['runSegment', 'runSegment', 'runSegment']);
    expect(queuesOf(history).slice(0, 2).sort()).toEqual(['vectors', 'words']);
    expect(queuesOf(history)[2]).toBe('shoal-serve');
    expect(atOnce(history)).toBeGreaterThanOrEqual(2);
  });
});
