import type { ArtifactRef } from '../domain/version';

/**
 * Where artifacts live. Objects are immutable and named by their content; notes are small mutable JSON documents, replaced
 * atomically: a reader sees the old one or the new one, never a torn one.
 *
 * Errors are ShoalErrors: ARTIFACT_MISSING, ARTIFACT_CORRUPT (hash or length differs), STORE_FULL, STORE_READ_ONLY, STORE_UNAVAILABLE.
 */
export interface Store {
  put(bytes: Uint8Array, extension: string): Promise<ArtifactRef>;
  /** Takes a finished file in (moves it where it can). */
  putFile(path: string, extension: string): Promise<ArtifactRef>;
  /** Canonical JSON (sorted keys), so that equal values are one object. */
  putJson(value: unknown): Promise<ArtifactRef>;
  read(ref: ArtifactRef): Promise<Buffer>;
  readJson<T>(ref: ArtifactRef): Promise<T>;
  /** A checked file on this machine, for readers that want a path (DuckDB, ONNX Runtime). Never write to it. */
  localFile(ref: ArtifactRef): Promise<string>;
  /** A fresh folder on the store's disk for files in the making; the caller removes it. */
  scratch(): Promise<string>;

  readNote<T>(name: string): Promise<T | undefined>;
  /** `ifAbsent`: a note that is there stays as it is. */
  writeNote(name: string, value: unknown, options?: { ifAbsent?: boolean }): Promise<void>;
  /** Names of the notes under a prefix, sorted. */
  listNotes(prefix: string): Promise<string[]>;
  removeNote(name: string): Promise<void>;

  /** Like notes, for bytes: checkpoints, fresh lines of logs. */
  readBlob(name: string): Promise<Buffer | undefined>;
  writeBlob(name: string, bytes: Uint8Array): Promise<void>;
  /** Names of the blobs under a prefix, sorted. As `listNotes`: only folders that can hold such names are looked into. */
  listBlobs(prefix: string): Promise<string[]>;
  removeBlob(name: string): Promise<void>;

  // For removing what nothing needs. Whatever is read by the methods above is marked as used, now and then.

  /** All there is of a kind; an object's name is its `uri`. */
  contents(kind: StoredKind): Promise<Entry[]>;
  /** Marks an object as used; whether it is there. */
  touch(uri: string): Promise<boolean>;
  /** An object's bytes, checked, without marking it as used. */
  peek(uri: string): Promise<Buffer>;
  /** When it was last written or used, ms; undefined when it is not there. */
  touchedAt(kind: StoredKind, name: string): Promise<number | undefined>;
  /** Removes it, unless it was written or used at `unlessSince` (ms) or later, be it at this moment. Whether it did; true also when it was gone. */
  discard(kind: StoredKind, name: string, options: { unlessSince: number }): Promise<boolean>;
  /** Files in the making that nobody has touched since; what was, or in a dry run would be, removed. */
  discardScratch(options: { before: number; dryRun: boolean }): Promise<{ count: number; bytes: number }>;
}

export type StoredKind = 'objects' | 'notes' | 'blobs';
export interface Entry { name: string; bytes: number; /** When it was last written or used, ms. */ at: number }
