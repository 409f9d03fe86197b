import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { ShoalError } from '../domain/errors';
import type { ArtifactRef, ImportedFile } from '../domain/version';
import type { Store } from '../store/store';

export interface ImportOptions {
  /** A Parquet file of cross-fitted outputs: `__key` and the task's main output, for each row that may be learnt from. */
  outputs?: string;
  /** Classification: the classes, in the order of `probabilities`. */
  classes?: string[];
  /** The file was not trained on the source's rows. */
  unseen?: boolean;
}

/** Puts a ready file into the store. */
export async function importedFile(store: Store, file: string, { outputs, classes, unseen }: ImportOptions): Promise<ImportedFile> {
  return {
    name: path.basename(file),
    onnx: await taken(store, file, 'onnx'),
    ...(outputs !== undefined && { outputs: await taken(store, outputs, 'parquet') }),
    ...(classes && { classes }),
    ...(unseen && { unseen }),
  };
}

async function taken(store: Store, file: string, extension: string): Promise<ArtifactRef> {
  const bytes = await readFile(file).catch((cause: NodeJS.ErrnoException) => {
    const missing = cause.code === 'ENOENT';
    throw new ShoalError(missing ? 'SOURCE_MISSING' : 'SOURCE_UNREADABLE', `${file} ${missing ? 'is not there' : `can't be read: ${cause.message}`}.`, {
      remedy: 'Name a file that can be read.', details: { file }, cause,
    });
  });
  return store.put(bytes, extension);
}
