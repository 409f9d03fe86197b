import { randomUUID } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import { chmod, copyFile, mkdtemp, open, readFile, rm, stat, unlink, utimes } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { ShoalError } from '../domain/errors';
import { USE_MARKED_EVERY_MS } from '../domain/retention';
import type { ArtifactRef } from '../domain/version';
import { canonicalJson } from './canonicalJson';
import { flush, flushFolder, hashFile, makeFolders, placeIfAbsent, renameInto, sha256, writeFlushed, type Content } from './disk';
import { hasErrno, storeError } from './errors';
import { fileOf, listNames } from './names';
import type { Entry, Store, StoredKind } from './store';
import { discardFile, discardLeftovers, entriesOf } from './upkeep';

const DAY_MS = 24 * 60 * 60 * 1000;
const MAX_REMEMBERED = 100_000;
const OBJECT_URI = /^objects\/([0-9a-f]{2})\/([0-9a-f]{64})\.[a-z0-9]+$/;

/**
 * A store in a folder, which any number of processes may share:
 *
 *   objects/<first two hex digits>/<sha256>.<extension>   immutable, read-only
 *   notes/<name>.json, blobs/<name>.bin                   replaced by rename
 *   tmp/                                                  files in the making; leftovers of a crash go after a day
 *
 * Everything is written under tmp/, flushed to the disk and then renamed, so a crash at any moment leaves whole files only.
 * A `uri` is relative to the folder: the folder can be moved.
 */
export async function openStore(options: { path: string }): Promise<Store> {
  const root = resolve(options.path);
  const store = new FileStore(root);
  await store.prepare();
  return store;
}

class FileStore implements Store {
  /** What was found in files that were read, by path, and what the files looked like then. */
  private readonly known = new Map<string, { look: string; content: Content }>();

  constructor(private readonly root: string) {}

  async prepare(): Promise<void> {
    for (const folder of ['objects', 'notes', 'blobs', 'tmp']) {
      const path = join(this.root, folder);
      await makeFolders(path).catch((cause: unknown) => {
        throw storeError(cause, path, 'make the folder');
      });
    }
    await this.discardScratch({ before: Date.now() - DAY_MS, dryRun: false });
  }

  async put(bytes: Uint8Array, extension: string): Promise<ArtifactRef> {
    const ref = this.ref({ sha256: sha256(bytes), bytes: bytes.length }, extension);
    if (await this.has(ref)) return ref;
    await this.replace(this.objectPath(ref), async (temporary) => {
      await writeFlushed(temporary, bytes);
      await chmod(temporary, 0o444);
    });
    return ref;
  }

  async putFile(path: string, extension: string): Promise<ArtifactRef> {
    const content = await hashFile(path).catch((cause: unknown) => {
      throw storeError(cause, path, 'read');
    });
    const ref = this.ref(content, extension);
    if (!(await this.has(ref))) await this.moveIn(path, this.objectPath(ref));
    await rm(path, { force: true });
    return ref;
  }

  putJson(value: unknown): Promise<ArtifactRef> {
    return this.put(Buffer.from(canonicalJson(value)), 'json');
  }

  async read(ref: ArtifactRef): Promise<Buffer> {
    const path = this.objectPath(ref);
    try {
      await this.use(path);
      const file = await open(path, 'r');
      try {
        const look = fingerprint(await file.stat({ bigint: true }));
        const bytes = await file.readFile();
        const known = this.known.get(path);
        const content = known?.look === look ? known.content : { sha256: sha256(bytes), bytes: bytes.length };
        this.remember(path, { look, content });
        assertContent(ref, path, content);
        return bytes;
      } finally {
        await file.close();
      }
    } catch (cause) {
      throw readError(cause, path);
    }
  }

  async readJson<T>(ref: ArtifactRef): Promise<T> {
    return JSON.parse((await this.read(ref)).toString('utf8')) as T;
  }

  async localFile(ref: ArtifactRef): Promise<string> {
    const path = this.objectPath(ref);
    try {
      const look = await this.use(path);
      const known = this.known.get(path);
      const content = known?.look === look ? known.content : await hashFile(path);
      this.remember(path, { look, content });
      assertContent(ref, path, content);
      return path;
    } catch (cause) {
      throw readError(cause, path);
    }
  }

  async scratch(): Promise<string> {
    const prefix = join(this.root, 'tmp', 'scratch-');
    return mkdtemp(prefix).catch((cause: unknown) => {
      throw storeError(cause, prefix, 'make a folder');
    });
  }

  async readNote<T>(name: string): Promise<T | undefined> {
    const path = this.namedPath('notes', name, '.json');
    const bytes = await readIfThere(path);
    if (bytes === undefined) return undefined;
    try {
      return JSON.parse(bytes.toString('utf8')) as T;
    } catch (cause) {
      const remedy = 'Delete it; it is written again when needed.';
      throw new ShoalError('ARTIFACT_CORRUPT', `The note ${path} is not JSON.`, { remedy, details: { path }, cause });
    }
  }

  writeNote(name: string, value: unknown, { ifAbsent = false } = {}): Promise<void> {
    const bytes = Buffer.from(canonicalJson(value));
    return this.replace(this.namedPath('notes', name, '.json'), (temporary) => writeFlushed(temporary, bytes), ifAbsent ? placeIfAbsent : renameInto);
  }

  listNotes(prefix: string): Promise<string[]> {
    return listNames(join(this.root, 'notes'), prefix, '.json');
  }

  removeNote(name: string): Promise<void> {
    return removeIfThere(this.namedPath('notes', name, '.json'));
  }

  readBlob(name: string): Promise<Buffer | undefined> {
    return readIfThere(this.namedPath('blobs', name, '.bin'));
  }

  writeBlob(name: string, bytes: Uint8Array): Promise<void> {
    return this.replace(this.namedPath('blobs', name, '.bin'), (temporary) => writeFlushed(temporary, bytes));
  }

  listBlobs(prefix: string): Promise<string[]> {
    return listNames(join(this.root, 'blobs'), prefix, '.bin');
  }

  removeBlob(name: string): Promise<void> {
    return removeIfThere(this.namedPath('blobs', name, '.bin'));
  }

  async contents(kind: StoredKind): Promise<Entry[]> {
    return entriesOf(join(this.root, kind), kind);
  }

  async touch(uri: string): Promise<boolean> {
    const path = this.pathOf('objects', uri);
    return this.use(path).then(() => true, (cause: unknown) => {
      if (hasErrno(cause, 'ENOENT', 'ENOTDIR')) return false;
      throw storeError(cause, path, 'mark as used');
    });
  }

  async peek(uri: string): Promise<Buffer> {
    const hash = OBJECT_URI.exec(uri)?.[2];
    const path = this.pathOf('objects', uri);
    const bytes = await readFile(path).catch((cause: unknown) => { throw readError(cause, path); });
    assertContent({ uri, sha256: hash!, bytes: bytes.length }, path, { sha256: sha256(bytes), bytes: bytes.length });
    return bytes;
  }

  async touchedAt(kind: StoredKind, name: string): Promise<number | undefined> {
    const path = this.pathOf(kind, name);
    return stat(path).then(({ mtimeMs }) => mtimeMs, (cause: unknown) => {
      if (hasErrno(cause, 'ENOENT')) return undefined;
      throw storeError(cause, path, 'read');
    });
  }

  async discard(kind: StoredKind, name: string, { unlessSince }: { unlessSince: number }): Promise<boolean> {
    const path = this.pathOf(kind, name);
    return discardFile(path, { unlessSince, trash: join(this.root, 'tmp', `discard-${randomUUID()}`), root: join(this.root, kind) }).catch((cause: unknown) => {
      throw storeError(cause, path, 'remove');
    });
  }

  discardScratch(options: { before: number; dryRun: boolean }): Promise<{ count: number; bytes: number }> {
    return discardLeftovers(join(this.root, 'tmp'), options);
  }

  private pathOf(kind: StoredKind, name: string): string {
    return kind === 'objects' ? this.objectPath({ uri: name }) : this.namedPath(kind, name, kind === 'notes' ? '.json' : '.bin');
  }

  /** Marks a file as in use, before it is relied on, so that it is not removed from under whoever does. Answers with what it looks like. */
  private async use(path: string): Promise<string> {
    const found = await stat(path, { bigint: true });
    const now = Date.now();
    if (now - Number(found.mtimeMs) < USE_MARKED_EVERY_MS) return fingerprint(found);
    await utimes(path, now / 1000, now / 1000).catch((cause: unknown) => {
      // Where this user may not mark it, nor may it remove it.
      if (!hasErrno(cause, 'EPERM', 'EACCES', 'EROFS')) throw cause;
    });
    const look = fingerprint(await stat(path, { bigint: true }));
    const known = this.known.get(path);
    if (known?.look === fingerprint(found)) this.remember(path, { look, content: known.content });
    return look;
  }

  private remember(path: string, found: { look: string; content: Content }): void {
    if (this.known.size >= MAX_REMEMBERED) this.known.clear();
    this.known.set(path, found);
  }

  private ref(content: Content, extension: string): ArtifactRef {
    if (!/^[a-z0-9]+$/.test(extension)) throw new TypeError(`'${extension}' is not an extension: lower-case letters and digits, no dot.`);
    return { uri: `objects/${content.sha256.slice(0, 2)}/${content.sha256}.${extension}`, ...content };
  }

  private objectPath(ref: Pick<ArtifactRef, 'uri'>): string {
    if (!OBJECT_URI.test(ref.uri)) {
      throw new ShoalError('ARTIFACT_MISSING', `'${ref.uri}' is not the address of an object in the store ${this.root}.`, {
        remedy: 'It was made by another kind of store, or was altered.', details: { uri: ref.uri } });
    }
    return join(this.root, ref.uri);
  }

  private namedPath(folder: 'notes' | 'blobs', name: string, extension: string): string {
    return join(this.root, folder, fileOf(name)) + extension;
  }

  /** Whether the object is there and sound; a damaged one counts as absent, so that writing it again repairs it. */
  private async has(ref: ArtifactRef): Promise<boolean> {
    try {
      await this.localFile(ref);
      return true;
    } catch (error) {
      if (error instanceof ShoalError && (error.code === 'ARTIFACT_MISSING' || error.code === 'ARTIFACT_CORRUPT')) return false;
      throw error;
    }
  }

  private async replace(target: string, make: (temporary: string) => Promise<void>, place = renameInto): Promise<void> {
    const temporary = join(this.root, 'tmp', `write-${randomUUID()}`);
    try {
      await make(temporary);
      await place(temporary, target);
      await flushFolder(dirname(target));
    } catch (cause) {
      await rm(temporary, { force: true }).catch(() => undefined);
      throw storeError(cause, target, 'write');
    }
  }

  /** A rename on the store's own disk; from another disk a copy, and the original stays until that is in place. */
  private async moveIn(path: string, target: string): Promise<void> {
    try {
      await flush(path);
      await utimes(path, Date.now() / 1000, Date.now() / 1000);
      await chmod(path, 0o444);
      await renameInto(path, target);
      await flushFolder(dirname(target));
    } catch (cause) {
      if (!hasErrno(cause, 'EXDEV')) throw storeError(cause, target, 'write');
      await this.replace(target, async (temporary) => {
        await copyFile(path, temporary);
        await flush(temporary);
      });
    }
  }
}

const fingerprint = (s: BigIntStats): string => `${s.ino}:${s.size}:${s.mtimeNs}`;

async function readIfThere(path: string): Promise<Buffer | undefined> {
  return readFile(path).catch((cause: unknown) => {
    if (hasErrno(cause, 'ENOENT')) return undefined;
    throw storeError(cause, path, 'read');
  });
}

async function removeIfThere(path: string): Promise<void> {
  await unlink(path).catch((cause: unknown) => {
    if (!hasErrno(cause, 'ENOENT')) throw storeError(cause, path, 'remove');
  });
}

function assertContent(ref: ArtifactRef, path: string, found: Content): void {
  if (found.bytes === ref.bytes && found.sha256 === ref.sha256) return;
  const show = (content: Content) => `${content.bytes} bytes, SHA-256 ${content.sha256.slice(0, 12)}...`;
  throw new ShoalError('ARTIFACT_CORRUPT', `${path} is not what was stored: it has ${show(found)}, expected are ${show(ref)}.`, {
    remedy: 'Restore the file from a copy, or delete it and run what made it again.',
    details: { path, expected: { ...ref }, found },
  });
}

function readError(cause: unknown, path: string): unknown {
  if (hasErrno(cause, 'ENOENT', 'ENOTDIR')) {
    return new ShoalError('ARTIFACT_MISSING', `${path} is not in the store.`, {
      remedy: 'Restore it from a copy, point `store.path` at the store that holds it, or run what made it again. (What nothing needs is removed in time: see `retention`.)',
      details: { path },
      cause,
    });
  }
  return storeError(cause, path, 'read');
}
