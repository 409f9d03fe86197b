import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Fitted, Progress } from '../../src/learn/fit';
import type { Network } from '../../src/learn/network';
import { random, shuffle } from '../../src/learn/random';
import { loadTensorflow } from '../../src/native';
import {
  categories, classificationSpec, embeddingSpec, examplesOf, fitted, heldOut, labelsOf, numbers, regressionSpec, texts, trainedOn, uniforms,
  valuesOf,
} from './support/examples';

const WORDS = ['storm', 'river', 'stone', 'lantern', 'harbour', 'winter', 'garden', 'signal'];

/** Enough epochs to tell one course of training from another. */
const quick = (training = {}) => regressionSpec('linear', { maxEpochs: 20, ...training });

function mixed(n = 150) {
  const [a, b] = [uniforms(n, 1), uniforms(n, 2)];
  const words = b.map((x) => WORDS[Math.floor(x * WORDS.length)]!);
  const y = a.map((x, i) => x * 3 + words[i]!.length + Math.floor(4 * b[i]!));
  return { a, words, y, columns: { a: numbers(a), title: texts(words.map((w, i) => `${w} ${WORDS[i % 5]}`)), kind: categories(words) } };
}

const digest = ({ weights }: Network): string =>
  Object.entries(weights).reduce(
    (hash, [name, w]) => hash.update(name).update(new Uint8Array(w.data.buffer, w.data.byteOffset, w.data.byteLength)),
    createHash('sha256'),
  ).digest('hex');

test('the same data and spec give the same weights to the last bit, another seed gives others', async () => {
  const { columns, y } = mixed();
  const examples = examplesOf(columns, numbers(y));
  const [one, two] = [await fitted(quick(), examples), await fitted(quick(), examples)];
  expect(digest(two.network)).toBe(digest(one.network));
  expect(two.outputs).toEqual(one.outputs);
  const other = await fitted({ ...quick(), seed: 4 }, examples);
  expect(digest(other.network)).not.toBe(digest(one.network));
});

test('two processes give the same weights', async () => {
  const run = async (): Promise<string> =>
    (await promisify(execFile)(process.execPath, [join(__dirname, 'support/fitOnce.cjs')])).stdout.trim();
  const one = await run();
  expect(one).toMatch(/^[0-9a-f]{64}$/);
  expect(await run()).toBe(one);
}, 180_000);

test('training that is stopped and goes on from its checkpoint ends with the weights of an undisturbed one', async () => {
  const { columns, y } = mixed();
  const examples = examplesOf(columns, numbers(y));
  const spec = quick();
  const whole = await fitted(spec, examples);
  for (const stopAt of [1, 7, whole.summary.epochs - 1]) {
    const saved = await stoppedAt(stopAt, spec, examples);
    const resumed: number[] = [];
    const rest = await fitted(
      spec, examples, { checkpoints: { load: async () => saved, save: async () => undefined }, onProgress: (p) => resumed.push(p.epoch) }
    );
    expect(digest(rest.network)).toBe(digest(whole.network));
    expect(rest.summary).toEqual(whole.summary);
    expect(rest.network.head).toEqual(whole.network.head);
    expect(resumed[0]).toBe(stopAt + 1);
  }
});

test('a checkpoint of other data, of another spec, or torn, is left aside', async () => {
  const { columns, y } = mixed();
  const examples = examplesOf(columns, numbers(y));
  const saved = await stoppedAt(5, quick(), examples);
  const from = async (bytes: Uint8Array, spec = quick(), ys = y): Promise<number> => {
    const epochs: Progress[] = [];
    await fitted(
      spec,
      examplesOf(columns, numbers(ys)),
      { checkpoints: { load: async () => bytes, save: async () => undefined }, onProgress: (p) => epochs.push(p) }
    );
    return epochs[0]!.epoch;
  };
  expect(await from(saved)).toBe(6);
  expect(await from(saved.subarray(0, saved.length - 1))).toBe(1);
  expect(await from(Uint8Array.from(saved, (b, i) => (i === saved.length - 10 ? b ^ 1 : b)))).toBe(1);
  expect(await from(new Uint8Array(0))).toBe(1);
  expect(await from(saved, quick({ learningRate: 0.011 }))).toBe(1);
  expect(await from(saved, quick(), y.map((v, i) => (i === 0 ? v + 1 : v)))).toBe(1);
});

test('what a training row is told comes from a member that never saw it', async () => {
  const n = 240;
  const ids = Array.from({ length: n }, (_, i) => `row ${Math.floor(i / 8)}`);
  const coin = uniforms(n, 3).map((x) => (x < 0.5 ? 'heads' : 'tails'));
  const noise = Array.from({ length: 6 }, (_, k) => [`x${k}`, numbers(uniforms(n, 20 + k))] as const);
  const examples = examplesOf({ ...Object.fromEntries(noise), id: categories(ids) }, categories(coin));
  const fit = await fitted(classificationSpec({ hidden: [64], weightDecay: 0, patience: 60, learningRate: 0.02 }), examples);
  const rows = trainedOn(examples);
  const share = (labels: (string | null)[], of: number[]): number => of.filter((row) => labels[row] === coin[row]).length / of.length;
  expect(share(labelsOf(fit), rows)).toBeLessThan(0.62);
});

test('rows in the holdout change nothing in the fit: no encoder, no weight, no interval', async () => {
  const { columns, y } = mixed();
  const examples = examplesOf(columns, numbers(y));
  const rows = new Set(heldOut(examples));
  const other = examplesOf({
    a: numbers(columns.a.values.map((x, i) => (rows.has(i) ? 1e6 * x : x))),
    title: texts(columns.title.values.map((t, i) => (rows.has(i) ? 'never seen words' : t))),
    kind: categories(columns.kind.values.map((k, i) => (rows.has(i) ? `new ${i}` : k))),
  }, numbers(y.map((v, i) => (rows.has(i) ? -1e3 : v))));
  const [one, two] = [await fitted(quick(), examples), await fitted(quick(), other)];
  expect(two.network).toEqual(one.network);
  expect(two.baseline).toEqual(one.baseline);
  expect(two.summary).toEqual(one.summary);
});

test('rows without a target are not learnt from, and are answered by the whole ensemble', async () => {
  const { columns, y } = mixed();
  const labels = y.map((v, i) => (i % 10 === 0 ? null : v > 8 ? 'high' : 'low'));
  const examples = examplesOf(columns, categories(labels));
  const fit = await fitted(classificationSpec({ maxEpochs: 10 }), examples);
  expect(fit.summary.unlabelledRows).toBe(labels.filter((l, i) => l === null && i % 5 !== 4).length);
  expect(valuesOf(fit, 'probability').every((p) => p >= 0.5 && p <= 1)).toBe(true);
});

test('an epoch leaves no tensors behind', async () => {
  const tf = loadTensorflow();
  const { columns, words } = mixed();
  const examples = examplesOf(columns, undefined, { alike: { kind: categories(words) } });
  const before = tf.memory().numTensors;
  const counts: number[] = [];
  await fitted(embeddingSpec({ maxEpochs: 8 }), examples, { onProgress: () => counts.push(tf.memory().numTensors) });
  expect(new Set(counts).size).toBe(1);
  expect(tf.memory().numTensors).toBe(before);
});

test('it gives way often, and stops when told', async () => {
  const n = 4000;
  const a = uniforms(n, 1);
  const examples = examplesOf({ a: numbers(a), b: numbers(uniforms(n, 2)) }, numbers(a));
  const controller = new AbortController();
  let longest = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  }, 1);
  const run = fitted(
    regressionSpec('linear', { maxEpochs: 10_000, patience: 10_000, hidden: [64] }), examples, { signal: controller.signal }
  );
  setTimeout(() => controller.abort(new Error('enough')), 1500);
  await expect(run).rejects.toThrow('enough');
  clearInterval(timer);
  expect(longest).toBeLessThan(1000);
});

test('training that diverges is tried again with smaller steps, and then says so', async () => {
  const { columns, y } = mixed();
  const target = numbers(y);
  const wild = fitted(regressionSpec('linear', { learningRate: 1e30, hidden: [32, 32] }), examplesOf(columns, target));
  await expect(wild).rejects.toMatchObject({ code: 'TRAINING_DIVERGED' });
});

test('a shuffle depends on its seed alone, and loses nothing', () => {
  const order = shuffle(Int32Array.from({ length: 100 }, (_, i) => i), random(1, 'order', 0));
  expect(order).toEqual(shuffle(Int32Array.from({ length: 100 }, (_, i) => i), random(1, 'order', 0)));
  expect(order).not.toEqual(shuffle(Int32Array.from({ length: 100 }, (_, i) => i), random(1, 'order', 1)));
  expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i));
});

/** The last checkpoint before training was told to stop, right after the given epoch. */
async function stoppedAt(epoch: number, spec: Parameters<typeof fitted>[0], examples: Parameters<typeof fitted>[1]): Promise<Uint8Array> {
  const controller = new AbortController();
  let saved: Uint8Array | undefined;
  const run: Promise<Fitted> = fitted(spec, examples, {
    checkpoints: { load: async () => undefined, save: async (bytes) => { saved = bytes; } },
    onProgress: (p) => { if (p.epoch === epoch) controller.abort(new Error('stopped')); },
    signal: controller.signal,
  });
  await expect(run).rejects.toThrow('stopped');
  return saved!;
}
