import { createHash } from 'node:crypto';

/** Where training keeps its place. `load` gives what was last saved, if anything. */
export interface Checkpoints { load(): Promise<Uint8Array | undefined>; save(bytes: Uint8Array): Promise<void> }

/** All that the rest of training depends on: continued from here, it ends with the same weights to the last bit. */
export interface TrainingState {
  /** Epochs done, and batches done of the next. */
  epoch: number;
  batch: number;
  /** Adam's count of steps since it was last started. */
  adamStep: number;
  /** All steps. */
  steps: number;
  learningRate: number;
  restarts: number;
  bestEpoch: number;
  bestLoss: number;
  curve: { train: number[]; validation: number[] };
  /** Flat, each as long as all weights together. */
  weights: Float32Array;
  firstMoment: Float32Array;
  secondMoment: Float32Array;
  average: Float32Array;
  best: Float32Array;
  /** Of the epoch so far, by member. */
  lossSum: Float32Array;
  weightSum: Float32Array;
}

const MAGIC = 'SHOAL TRAINING 1\n';
const ARRAYS = ['weights', 'firstMoment', 'secondMoment', 'average', 'best', 'lossSum', 'weightSum'] as const;
const DIGEST_BYTES = 32;
const LENGTH_BYTES = 4;

/** SHA-256 of everything that decides the course of training. */
export function fingerprintOf(description: unknown, arrays: readonly ArrayBufferView[]): string {
  const hash = createHash('sha256').update(JSON.stringify(description));
  for (const array of arrays) hash.update(`|${array.byteLength}|`).update(bytesOf(array));
  return hash.digest('hex');
}

const bytesOf = (array: ArrayBufferView): Uint8Array => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

/** Magic, SHA-256 of what follows, length of the header, header (JSON), then the arrays (little-endian float32). */
export function writeCheckpoint(fingerprint: string, state: TrainingState): Uint8Array {
  const { weights, firstMoment, secondMoment, average, best, lossSum, weightSum, ...plain } = state;
  const arrays = [weights, firstMoment, secondMoment, average, best, lossSum, weightSum];
  const header = Buffer.from(JSON.stringify({ fingerprint, lengths: arrays.map((a) => a.length), ...plain }));
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32LE(header.length);
  const body = Buffer.concat([length, header, ...arrays.map(bytesOf)]);
  return Buffer.concat([Buffer.from(MAGIC), createHash('sha256').update(body).digest(), body]);
}

/** The state, or undefined when the bytes are torn, of another format, or of another training. */
export function readCheckpoint(fingerprint: string, bytes: Uint8Array): TrainingState | undefined {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const body = file.subarray(MAGIC.length + DIGEST_BYTES);
  if (body.length < LENGTH_BYTES || file.toString('latin1', 0, MAGIC.length) !== MAGIC) return undefined;
  if (!createHash('sha256').update(body).digest().equals(file.subarray(MAGIC.length, MAGIC.length + DIGEST_BYTES))) return undefined;
  let at = LENGTH_BYTES + body.readUInt32LE();
  const { fingerprint: theirs, lengths, ...plain } = JSON.parse(body.toString('utf8', LENGTH_BYTES, at)) as Header;
  if (theirs !== fingerprint) return undefined;
  const arrays = lengths.map((length) => {
    const array = new Float32Array(length);
    bytesOf(array).set(body.subarray(at, (at += length * Float32Array.BYTES_PER_ELEMENT)));
    return array;
  });
  return { ...plain, ...(Object.fromEntries(ARRAYS.map((name, i) => [name, arrays[i]!])) as Pick<TrainingState, (typeof ARRAYS)[number]>) };
}

type Header = { fingerprint: string; lengths: number[] } & Omit<TrainingState, (typeof ARRAYS)[number]>;
