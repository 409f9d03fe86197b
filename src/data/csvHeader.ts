import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';

const DELIMITERS = [',', ';', '\t', '|'];
const MAX_HEADER_BYTES = 1 << 20;

export interface CsvHeader { delimiter: string; names: string[] }

/**
 * The header of a delimited file. DuckDB would guess the dialect from the rows, and a guess can drop malformed rows without a
 * word; so the dialect is decided here, from the header alone: RFC 4180, with the delimiter that occurs most in it.
 */
export async function readCsvHeader(path: string, delimiter?: string): Promise<CsvHeader> {
  return parseCsvHeader(await firstRecord(path), delimiter);
}

export function parseCsvHeader(record: string, delimiter?: string): CsvHeader {
  const outside = record.replace(/"(?:[^"]|"")*"/g, '');
  const count = (d: string) => outside.split(d).length;
  const chosen = delimiter ?? DELIMITERS.reduce((best, d) => (count(d) > count(best) ? d : best));
  const names = splitRecord(record, chosen).map((name, i) => name.trim() || `column${i + 1}`);
  return { delimiter: chosen, names };
}

function splitRecord(record: string, delimiter: string): string[] {
  const fields: string[] = [];
  let at = 0;
  for (;;) {
    let field: string;
    if (record[at] === '"') {
      const match = /"((?:[^"]|"")*)"?/y;
      match.lastIndex = at;
      const found = match.exec(record)!;
      field = found[1]!.replace(/""/g, '"');
      at = match.lastIndex;
    } else field = '';
    const end = record.indexOf(delimiter, at);
    field += record.slice(at, end < 0 ? undefined : end);
    fields.push(field);
    if (end < 0) return fields;
    at = end + delimiter.length;
  }
}

/** The text up to the first line break outside quotes; empty for an empty file. */
async function firstRecord(path: string): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  const collect = async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) {
      text += decoder.decode(chunk, { stream: true });
      if (endOfRecord(text) >= 0 || text.length > MAX_HEADER_BYTES) return;
    }
  };
  const file = createReadStream(path, { end: MAX_HEADER_BYTES });
  if (path.endsWith('.gz')) await pipeline(file, createGunzip(), collect).catch(ignoreEarlyEnd);
  else await pipeline(file, collect).catch(ignoreEarlyEnd);
  const end = endOfRecord(text);
  return end < 0 ? text : text.slice(0, end);
}

function endOfRecord(text: string): number {
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === '"') quoted = !quoted;
    else if (!quoted && (c === '\n' || c === '\r')) return i;
  }
  return -1;
}

/** We stop reading when the header is complete; that ends the stream early, and so does the cut of a compressed file. */
function ignoreEarlyEnd(cause: unknown): void {
  const code = (cause as { code?: unknown }).code;
  if (code !== 'ERR_STREAM_PREMATURE_CLOSE' && code !== 'ABORT_ERR' && code !== 'Z_BUF_ERROR') throw cause;
}
