import { realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { broken } from '../domain/trainer';

const MEGABYTE = 2 ** 20;
/** Of what somebody else made: all of it is held in memory. */
const MAX_BYTES = { onnx: 512 * MEGABYTE, outputs: 2_048 * MEGABYTE };

/** The path of a file that a trainer left in its folder. @throws ShoalError TRAINER_CONTRACT when it is not there, or somewhere else */
export async function fileWithin({ folder, file, maker, what }: { folder: string; file: string; maker: string; what: keyof typeof MAX_BYTES }): Promise<string> {
  const remedy = `Write it into the folder that the input names, ${folder}, and give its name relative to that.`;
  const found = await realpath(path.resolve(folder, file)).catch(() => undefined);
  if (found === undefined) throw broken(maker, `the file ${JSON.stringify(file)} that it names as \`${what}\` is not there`, remedy, { file, folder });
  const within = path.relative(await realpath(folder), found);
  if (within === '' || within.startsWith('..') || path.isAbsolute(within)) throw broken(maker, `\`${what}\`, ${JSON.stringify(file)}, is not in its folder`, remedy, { file, folder });
  const { size } = await stat(found).then((s) => (s.isFile() ? s : { size: 0 }));
  if (size === 0) throw broken(maker, `\`${what}\`, ${JSON.stringify(file)}, is empty, or no file`, remedy, { file, folder });
  const limit = MAX_BYTES[what];
  if (size > limit) throw broken(maker, `\`${what}\`, ${JSON.stringify(file)}, has ${Math.ceil(size / MEGABYTE)} MB; ${limit / MEGABYTE} MB is the most`, 'Make it smaller.', { file, bytes: size, limit });
  return found;
}
