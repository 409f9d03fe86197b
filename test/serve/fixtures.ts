import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_ROLLOUT } from '../../src/config/schemaRollout';
import { writeTable } from '../../src/data/writeTable';
import { periodStart } from '../../src/domain/calendar';
import { random } from '../../src/domain/random';
import type { ChainSpec, InputSpec, ModelSpec, StageSpec } from '../../src/domain/spec';
import type { ArtifactRef, Feature, Manifest, Release, VersionRef } from '../../src/domain/version';
import { exportOnnx } from '../../src/learn/onnx/export';
import type { Encoder, Head, Network, Weights } from '../../src/learn/network';
import { openStore } from '../../src/store/fileStore';
import type { Store } from '../../src/store/store';
import { classification, embedding, forecast, regression } from '../domain/specs';

export async function temporaryStore(): Promise<{ store: Store; path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'shoal-serve-'));
  return { store: await openStore({ path }), path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** A network of one linear layer from the encoders to the head. `kernel` is [in, out]. */
export function linear(of: { encoders: Encoder[]; head: Head; kernel: ArrayLike<number>; bias: number[]; weights?: Weights }): Network {
  const units = of.bias.length;
  return {
    members: 1,
    encoders: of.encoders,
    layers: [{ kernel: 'kernel', bias: 'bias', units, activation: 'none' }],
    head: of.head,
    weights: {
      kernel: { shape: [1, of.kernel.length / units, units], data: Float32Array.from(of.kernel) },
      bias: { shape: [1, 1, units], data: Float32Array.from(of.bias) },
      ...of.weights,
    },
  };
}

const LIMIT = 1e9;
export function standard(input: string, width = 1): Encoder {
  const all = (value: number): number[] => Array<number>(width).fill(value);
  return { kind: 'standard', input, mean: all(0), deviation: all(1), low: all(-LIMIT), high: all(LIMIT) };
}
const regressionHead: Head = { kind: 'regression', scale: 'linear', mean: 0, deviation: 1, lowOffset: -1, highOffset: 1 };

export interface Made { spec: ModelSpec; features: Feature[]; onnx: Uint8Array; more?: Partial<Manifest> }

const NOWHERE: ArtifactRef = { uri: 'objects/00/none', sha256: '0'.repeat(64), bytes: 0 };

export async function putVersion(store: Store, { spec, features, onnx, more }: Made): Promise<VersionRef> {
  const manifest: Manifest = {
    model: spec.name, spec, features, onnx: await store.put(onnx, 'onnx'), baseline: {}, upstream: {}, outputs: NOWHERE, packages: {},
    snapshot: { source: spec.source, data: NOWHERE, profile: NOWHERE, rows: 0, columns: [] },
    ...more,
  };
  const ref = await store.putJson(manifest);
  return { model: spec.name, id: ref.sha256.slice(0, 12), manifest: ref };
}

/** value = bias + sum of weights x inputs; low and high are one below and above. An input `stage.output` is another model's. */
export function sum(name: string, weights: Record<string, number>, options: { bias?: number; more?: Partial<Manifest> } = {}): Made {
  const inputs = Object.keys(weights).map((input): InputSpec => {
    const [model, output] = input.split('.');
    return output ? { kind: 'model', name: `${model}_${output}`, model: model!, output } : { kind: 'column', name: input, column: input };
  });
  const features = inputs.map((input): Feature => ({ name: input.name, type: 'number' }));
  const network = linear({
    encoders: features.map((feature) => standard(feature.name)), head: regressionHead,
    kernel: Object.values(weights), bias: [options.bias ?? 0],
  });
  return {
    spec: regression({ name, target: `${name}_truth`, inputs }), features, onnx: exportOnnx(network, features),
    more: { baseline: { value: 7, low: 6, high: 8 }, ...options.more },
  };
}

const CLASSES = ['Comedy', 'Drama', 'Horror'];
const WORDS = ['the', 'of', 'night', 'dead', 'love', 'day'];
/** January 2000. */
export const FIRST_MONTH = 360;
export const MONTHS = 48;
export const marketValue = (month: number): number => 100 + 10 * (month % 12) + month - FIRST_MONTH;

/** The four models of a small box office: title -> genre, market -> gross. */
export async function boxOffice(store: Store): Promise<Record<'title' | 'genre' | 'market' | 'gross', VersionRef>> {
  const next = random(5);
  const some = (n: number): Float32Array => Float32Array.from({ length: n }, () => next() * 2 - 1);

  const titleFeatures: Feature[] = [{ name: 'Title', type: 'text' }];
  const title = await putVersion(store, {
    spec: embedding({ name: 'title', dimensions: 4, alike: ['Genre'], inputs: [{ kind: 'column', name: 'Title', column: 'Title' }] }),
    features: titleFeatures,
    onnx: exportOnnx(linear({
      encoders: [{
        kind: 'bag', input: 'Title', split: true, ids: Object.fromEntries(WORDS.map((word, i) => [word, i])),
        idf: WORDS.map((_, i) => 1 + i / 4), table: 'table', units: 4,
      }],
      head: { kind: 'embedding', dimensions: 4 }, kernel: some(16), bias: [0.1, 0.2, 0.3, 0.4],
      weights: { table: { shape: [1, WORDS.length, 4], data: some(WORDS.length * 4) } },
    }), titleFeatures),
    more: { width: 4, baseline: { vector: [0.5, 0.5, 0.5, 0.5] } },
  });

  const genreFeatures: Feature[] = [{ name: 'title_vector', type: 'vector', width: 4 }, { name: 'Source', type: 'category' }];
  const genre = await putVersion(store, {
    spec: classification({
      name: 'genre', target: 'Genre',
      inputs: [
        { kind: 'model', name: 'title_vector', model: 'title', output: 'vector' }, { kind: 'column', name: 'Source', column: 'Source' },
      ],
    }),
    features: genreFeatures,
    onnx: exportOnnx(linear({
      encoders: [standard('title_vector', 4), { kind: 'onehot', input: 'Source', values: ['', 'Novel', 'Original'] }],
      head: { kind: 'classification', classes: CLASSES, temperature: 1 }, kernel: some(7 * 3), bias: [0.3, 0.2, 0.1],
    }), genreFeatures),
    more: { classes: CLASSES, width: 3, baseline: { label: 'Drama', probability: 0.5, probabilities: [0.25, 0.5, 0.25] } },
  });

  const market = await putForecast(store);

  const grossFeatures: Feature[] = [
    { name: 'Budget', type: 'number' }, { name: 'genre', type: 'vector', width: 3 }, { name: 'market', type: 'number' },
    { name: 'Released', type: 'date' }, { name: 'Sequel', type: 'boolean' },
  ];
  const gross = await putVersion(store, {
    spec: regression({
      name: 'gross', target: 'Gross',
      inputs: [
        { kind: 'column', name: 'Budget', column: 'Budget' }, { kind: 'model', name: 'genre', model: 'genre', output: 'probabilities' },
        { kind: 'model', name: 'market', model: 'market', output: 'value' },
        { kind: 'column', name: 'Released', column: 'Released' }, { kind: 'column', name: 'Sequel', column: 'Sequel' },
      ],
    }),
    features: grossFeatures,
    onnx: exportOnnx(linear({
      encoders: [
        { kind: 'piecewise', input: 'Budget', from: 'number', edges: [0, 10, 100, 1000] }, standard('genre', 3), standard('market'),
        { kind: 'cycle', input: 'Released', periodDays: 365.25, harmonics: 1 }, { kind: 'flag', input: 'Sequel' },
      ],
      head: regressionHead, kernel: some(4 + 3 + 1 + 2 + 2), bias: [1],
    }), grossFeatures),
    more: { baseline: { value: 50, low: 10, high: 90 } },
  });
  return { title, genre, market, gross };
}

/** A forecast of one series, January 2000 to December 2003, three months ahead from six. It says the level of its history. */
export async function putForecast(store: Store): Promise<VersionRef> {
  const days = Float64Array.from({ length: MONTHS }, (_, i) => periodStart(FIRST_MONTH + i, 'month'));
  const data = await writeTable(store, {
    keys: Array.from(days, String),
    table: {
      rows: MONTHS,
      columns: {
        month: { type: 'date', values: days }, total: { type: 'number', values: days.map((_, i) => marketValue(FIRST_MONTH + i)) },
      },
    },
  });
  const features: Feature[] = [{ name: 'history', type: 'vector', width: 6 }, { name: 'start', type: 'date' }];
  return putVersion(store, {
    spec: forecast({ name: 'market', target: 'total', time: 'month', at: 'Released' }),
    features,
    onnx: exportOnnx(linear({
      encoders: [
        { kind: 'window', input: 'history', scale: 'linear', context: 6, levelOver: 6, minSpread: 1 },
        { kind: 'cycle', input: 'start', periodDays: 365.25, harmonics: 1 },
      ],
      head: { kind: 'forecast', window: 'history', scale: 'linear', horizon: 3, lowOffset: [-1, -2, -3], highOffset: [1, 2, 3] },
      kernel: new Float32Array(8 * 3), bias: [0, 0, 0],
    }), features),
    more: {
      snapshot: {
        source: 'months', data, profile: NOWHERE, rows: MONTHS,
        columns: [
          { name: 'month', type: 'date', missing: 0, distinct: MONTHS }, { name: 'total', type: 'number', missing: 0, distinct: MONTHS },
        ],
      },
    },
  });
}

export function releaseOf(
  versions: Record<string, VersionRef>, stages: (Partial<StageSpec> & { model: string })[],
  of: Partial<ChainSpec> & { dependencies?: Record<string, string[]> } = {},
): Release {
  const { dependencies = {}, ...spec } = of;
  const last = stages.at(-1)!.model;
  return {
    chain: 'test', number: 1, versions, dependencies, taskQueues: {},
    spec: {
      name: 'test', outputStage: last, output: { value: `stages.${last}.value` }, compareWith: [], gates: [], approval: 'auto', rollout: DEFAULT_ROLLOUT,
      stages: stages.map((stage) => ({ with: {}, timeoutMs: 5_000, ...stage })), ...spec,
    },
  };
}

/** The box office as a chain. */
export const boxOfficeRelease = (versions: Awaited<ReturnType<typeof boxOffice>>, over: Record<string, Partial<StageSpec>> = {}): Release =>
  releaseOf(versions, ['title', 'genre', 'market', 'gross'].map((model) => ({ model, ...over[model] })), {
    outputStage: 'gross',
    output: { value: 'stages.gross.value', low: 'stages.gross.low', high: 'stages.gross.high', genre: 'stages.genre.label' },
    dependencies: { genre: ['title'], gross: ['genre', 'market'] },
  });
