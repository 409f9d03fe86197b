import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { ShoalError } from '../../src/domain/errors';
import type { Manifest, Release, Servability, TrainedVersion } from '../../src/domain/version';
import { Graph } from '../../src/learn/onnx/graph';
import { createRunServing } from '../../src/workers/serving';
import { training } from '../support/smallProject';
import { run, trainProject, type Trained } from './fixtures';

jest.setTimeout(180_000);

const MODELS = `
models:
  condition: { task: classification, source: flats, target: condition, inputs: [{ column: note, type: text }, city], ${training(5)} }
  rent: { task: regression, source: flats, target: rent, inputs: [size, city, condition], ${training(5)} }
chains:
  flats: { output: rent }
  sheltered:
    output: rent
    stages: { condition: { fallback: baseline, when: 'input.size > 0' } }
  wrong-fallback:
    output: rent
    stages: { condition: { fallback: { value: { label: good, probability: 1, probabilities: [1] } } } }
`;

let flats: Trained;
beforeAll(async () => { flats = await trainProject({ models: MODELS }); });
afterAll(() => flats?.remove());

const check = (release: Release, limits?: Release['spec']['servable']): Promise<Servability> =>
  run(flats.activities({ silence: { startSeconds: 60, answerSeconds: 3 } }).checkServable, { release, limits });
const LIMITS = { memoryMb: 2_048, latencyMs: 100, loadSeconds: 60 };

/** The rent's version with another ONNX file. */
async function withOnnx(onnx: Uint8Array, name: 'rent' | 'condition' = 'rent'): Promise<TrainedVersion> {
  const manifest: Manifest = { ...(await flats.manifest(flats.versions[name]!)), onnx: await flats.store.put(onnx, 'onnx') };
  const ref = await flats.store.putJson(manifest);
  return { ...flats.versions[name]!, version: { model: name, id: ref.sha256.slice(0, 12), manifest: ref } };
}

/** Takes the inputs of `rent`, and never comes to an end. */
function endless(): Uint8Array {
  const graph = new Graph();
  const size = graph.input('size', 'float32', ['N', 1]);
  graph.input('city', 'string', ['N', 1]);
  graph.input('condition.probabilities', 'float32', ['N', 2]);
  const value = graph.loop(graph.int64([2 ** 52], []), size, ['N', 1], (_, state) => graph.node('Sin', [state]));
  for (const output of ['value', 'low', 'high']) graph.output(output, 'float32', ['N', 1], graph.node('Identity', [value]));
  return graph.serialise('test', {});
}

/** Process ids of fresh serving processes of this one. */
const servingProcesses = (): number[] => execFileSync('ps', ['-eo', 'pid=,ppid=,args='], { encoding: 'utf8' }).split('\n').flatMap((line) => {
  const [, pid, ppid, args] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
  return Number(ppid) === process.pid && args!.includes('servingProcess.js') ? [Number(pid)] : [];
});

it('a sound release passes, with what was measured', async () => {
  const { passed, reason, measured } = await check(flats.release());
  expect({ passed, reason }).toEqual({ passed: true, reason: expect.stringMatching(/^Serves in a fresh process: loaded in [\d.]+ s, 200 rows one by one at [\d.]+ ms \(p95 [\d.]+ ms\), \d+ MB at most\.$/) });
  expect(measured).toMatchObject({ rows: 200 });
  expect(measured.p50Ms).toBeLessThanOrEqual(measured.p95Ms!);
  expect(measured.peakMb).toBeGreaterThan(50);
  expect(servingProcesses()).toEqual([]);
});

it.each([
  [{ ...LIMITS, memoryMb: 60 }, /^Can't be served within its limits: it holds \d+ MB, and may hold 60\.$/],
  [{ ...LIMITS, latencyMs: 0.001 }, /^Can't be served within its limits: one row takes [\d.]+ ms \(p95 of 200\), and may take 0\.001\.$/],
])('one that exceeds its limits fails, and is told by how much: %j', async (limits, reason) => {
  expect(await check(flats.release(), limits)).toMatchObject({ passed: false, reason: expect.stringMatching(reason) });
});

it('one that takes too long to load fails', async () => {
  const { passed, reason } = await check(flats.release(), { ...LIMITS, loadSeconds: 0.001 });
  expect(passed).toBe(false);
  expect(reason).toMatch(/loading took [\d.]+ s, and may take 0\.001|while the process was loading it, nothing was heard of it for 0\.001 s/);
});

it('the limits are the chain\'s', async () => {
  const release = flats.release();
  expect((await check({ ...release, spec: { ...release.spec, servable: { ...LIMITS, memoryMb: 60 } } })).reason).toMatch(/may hold 60/);
});

describe.each(['gone', 'corrupt'] as const)('a release with a file that is %s', (how) => {
  it('fails', async () => {
    const { onnx } = await flats.manifest(flats.versions.condition!);
    const { passed, reason } = await flats.damaged(onnx, how, () => check(flats.release()));
    expect({ passed, reason }).toEqual({ passed: false, reason: expect.stringMatching(new RegExp(`^Can't be served: .*${onnx.sha256}.onnx is not (in the store|what was stored)`)) });
  });
  it('fails when it is a manifest', async () => {
    const { manifest } = flats.versions.rent!.version;
    expect(await flats.damaged(manifest, how, () => check(flats.release()))).toMatchObject({ passed: false, reason: expect.stringContaining(manifest.sha256) });
  });
});

it('a file that is no ONNX fails', async () => {
  const broken = await withOnnx(Buffer.from('not a model'));
  expect(await check(flats.release(1, { rent: broken }))).toMatchObject({ passed: false, reason: expect.stringMatching(/Model rent: its ONNX file cannot be loaded/) });
});

it('a model that fails on every row fails, though its stage has a fallback', async () => {
  const graph = new Graph();
  const note = graph.input('note', 'string', ['N', 1]);
  graph.input('city', 'string', ['N', 1]);
  // No note is a number.
  const number = graph.cast(note, 'float32');
  graph.output('probability', 'float32', ['N', 1], graph.node('Identity', [number]));
  graph.output('probabilities', 'float32', ['N', 2], graph.concat([number, number], 1));
  graph.output('label', 'string', ['N', 1], graph.node('Identity', [note]));
  const broken = await withOnnx(graph.serialise('test', {}), 'condition');
  expect(await check(flats.release(1, { condition: broken }, 'sheltered'))).toMatchObject({
    passed: false, reason: expect.stringMatching(new RegExp(`Stage condition, version ${broken.version.id}`)),
  });
  expect(await check(flats.release(1, {}, 'sheltered'))).toMatchObject({ passed: true });
});

it('a fallback that its readers can\'t read fails, though no model does', async () => {
  expect(await check(flats.release(1, {}, 'wrong-fallback'))).toMatchObject({ passed: false, reason: expect.stringMatching(/condition/) });
});

it('a file that hangs the process fails, and the process is gone', async () => {
  const hanging = await withOnnx(endless());
  const { passed, reason, measured } = await check(flats.release(1, { rent: hanging }), LIMITS);
  expect({ passed, reason }).toEqual({ passed: false, reason: 'Can\'t be served: while the process was answering, nothing was heard of it for 3 s.' });
  expect(measured.loadSeconds).toBeGreaterThan(0);
  expect(servingProcesses()).toEqual([]);
});

it.each(['SIGSEGV', 'SIGABRT', 'SIGKILL'] as const)('a process that is ended by %s has failed, and the worker lives', async (signal) => {
  const hanging = await withOnnx(endless());
  const checking = run(flats.activities({ silence: { startSeconds: 60, answerSeconds: 120 } }).checkServable, { release: flats.release(1, { rent: hanging }), limits: LIMITS });
  // It hangs by now, at the latest.
  const kill = setInterval(() => { for (const pid of servingProcesses()) if (elapsed() > 3_000) process.kill(pid, signal); }, 100);
  const started = performance.now();
  const elapsed = (): number => performance.now() - started;
  const { passed, reason } = await checking.finally(() => clearInterval(kill));
  expect({ passed, reason }).toEqual({ passed: false, reason: expect.stringMatching(new RegExp(`while the process was (loading it|answering), it ended by ${signal}`)) });
});

describe('what is not the release\'s fault is an error, and no verdict:', () => {
  const trial = { release: {} as Release, rows: [], limits: LIMITS };
  const signal = new AbortController().signal;

  it('a store that is not available', async () => {
    const unavailable = new ShoalError('STORE_UNAVAILABLE', 'no answer');
    const store = Object.assign(Object.create(flats.store) as typeof flats.store, { readJson: () => Promise.reject(unavailable) });
    await expect(run(flats.activities({ store }).checkServable, { release: flats.release() })).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true });
  });

  it('one that the fresh process can\'t open', async () => {
    await expect(createRunServing({ storePath: path.join(flats.project.store.path, '../../flats.csv') })({ ...trial, release: flats.release() }, { signal })).rejects.toMatchObject({ code: 'CONFIG' });
  });

  it('a process that does not start in time', async () => {
    const { path: storePath } = flats.project.store;
    await expect(createRunServing({ storePath, silence: { startSeconds: 0.01, answerSeconds: 3 } })({ ...trial, release: flats.release() }, { signal }))
      .rejects.toThrow('The process that was to serve flats did not start: nothing was heard of it for 0.01 s');
  });

  it('a check that is cancelled', async () => {
    const control = new AbortController();
    const { path: storePath } = flats.project.store;
    const checking = createRunServing({ storePath })({ ...trial, release: flats.release() }, { signal: control.signal });
    control.abort();
    await expect(checking).rejects.toThrow('the check was cancelled');
    expect(servingProcesses()).toEqual([]);
  });
});
