import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ingestSource } from '../../src/data/ingest';
import type { FileSource } from '../../src/domain/spec';
import type { Snapshot } from '../../src/domain/version';
import { openStore } from '../../src/store/fileStore';
import type { Store } from '../../src/store/store';

export const VEGA = join(__dirname, '../../node_modules/vega-datasets/data');

/** A folder and a store of their own, for the tests of a file. */
export interface Place {
  folder: string;
  store: Store;
  write(name: string, text: string | Uint8Array): Promise<string>;
  ingest(source: Partial<FileSource>): Promise<Snapshot>;
}

export function usePlace(): Place {
  const place = {} as Place;
  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'shoal-data-'));
    const store = await openStore({ path: join(folder, 'store') });
    Object.assign(place, {
      folder,
      store,
      write: async (name: string, text: string | Uint8Array) => {
        await writeFile(join(folder, name), text);
        return join(folder, name);
      },
      ingest: (source: Partial<FileSource>) => ingestSource({ name: 'things', paths: [], format: 'csv', key: [], ...source }, { store }),
    });
  });
  afterAll(() => rm(place.folder, { recursive: true, force: true }));
  return place;
}

/** The error a promise is rejected with. */
export async function errorOf(promise: Promise<unknown>): Promise<{ code: string; message: string; remedy: string | undefined; details: Record<string, unknown> }> {
  return promise.then(
    () => { throw new Error('No error was thrown.'); },
    (error: unknown) => error as never,
  );
}

/** Text that survives UTF-8 and C strings: no lone surrogates, no NUL. */
export const wellFormed = (text: string): boolean => Buffer.from(text).toString() === text && !text.includes('\0');
