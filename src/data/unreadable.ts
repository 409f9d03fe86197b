import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import { ShoalError } from '../domain/errors';
import type { FileSource } from '../domain/spec';
import { messageOf } from './duckdb';

/** What there is to read: `name` is for messages. */
export type Files = Pick<FileSource, 'name' | 'format'> & { files: string[] };

/** What the engine could not read, as SOURCE_UNREADABLE with the file and, where it can be told, the line. */
export async function unreadable(source: Files, cause: unknown): Promise<unknown> {
  const message = messageOf(cause);
  if (message === undefined) return cause;
  const [what = ''] = message.replace(/^[\w ]+ Error: /, '').split(/\n\s*\n|\nPossible (?:fixes|Solution)/);
  const file = source.files.filter((name) => message.includes(name)).sort((a, b) => b.length - a.length)[0] ?? source.files[0]!;
  const line = source.format === 'jsonl' ? await firstBrokenLine(file) : lineIn(message);
  const where = line === undefined ? file : `${file}, line ${line}`;
  return new ShoalError('SOURCE_UNREADABLE', `Source ${source.name}: cannot read ${where} as ${source.format}: ${firstLines(what)}`, {
    remedy: 'Correct the file, or set `format` to what it is.',
    details: { source: source.name, file, ...(line !== undefined && { line }) },
    cause,
  });
}

function lineIn(message: string): number | undefined {
  const line = /CSV Error on Line: (\d+)/.exec(message)?.[1];
  return line === undefined ? undefined : Number(line);
}

/** DuckDB's own count of lines is by buffers. */
async function firstBrokenLine(file: string): Promise<number | undefined> {
  const bytes = createReadStream(file);
  const input = file.endsWith('.gz') ? bytes.pipe(createGunzip()) : bytes;
  let line = 0;
  try {
    for await (const text of createInterface({ input, crlfDelay: Infinity })) {
      line++;
      if (text.trim() !== '') JSON.parse(text.replace(/^\ufeff/, ''));
    }
  } catch (error) {
    if ((error as Error).name === 'SyntaxError') return line;
  } finally {
    bytes.destroy();
  }
  return undefined;
}

const firstLines = (text: string): string => {
  const short = text.split('\n').slice(0, 3).map((part) => part.trim()).join('; ').slice(0, 300);
  return /[.!?]$/.test(short) ? short : `${short}.`;
};
