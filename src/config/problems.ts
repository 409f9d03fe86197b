import { ShoalError } from '../domain/errors';

export type Path = readonly (string | number)[];

/** One mistake in a project, by its place in the document. */
export interface Problem {
  path: Path;
  /** Point at the key rather than at its value: for a key that should not be there. */
  at?: 'key';
  /** What is wrong. */
  message: string;
  expected?: string;
  found?: string;
  /** The name that was most likely meant. */
  suggestion?: string;
  /** Another way to put it right. */
  remedy?: string;
  /** Characters into the value where it goes wrong, for expressions. */
  offset?: number;
}

/** Where a problem is in a file; lines and columns count from 1. */
export interface Position { line: number; column: number; /** The line as it is. */ text: string; /** Characters to underline. */ length: number }

/** A problem with its place, as it stands in `details.problems`. */
export interface LocatedProblem extends Omit<Problem, 'path' | 'at' | 'offset'> { path: string; file?: string; line?: number; column?: number }

/** models.genre.inputs[2] */
export function pathText(path: Path): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else if (/^[\w$@-]+$/.test(part)) text += text ? `.${part}` : part;
    else text += `[${JSON.stringify(part)}]`;
  }
  return text;
}

/** All mistakes in one CONFIG error: its message shows them as a compiler would, `details.problems` holds them as data. */
export function configError(problems: readonly Problem[], source: { file?: string; locate?: (problem: Problem) => Position | undefined }): ShoalError {
  const located = problems.map((problem) => ({ problem, position: source.locate?.(problem) }));
  located.sort((a, b) => (a.position?.line ?? 0) - (b.position?.line ?? 0) || (a.position?.column ?? 0) - (b.position?.column ?? 0));
  const details: LocatedProblem[] = located.map(({ problem: { path, at: _at, offset: _offset, ...rest }, position }) =>
    ({ ...rest, path: pathText(path), file: source.file, line: position?.line, column: position?.column }));
  const text = located.map(({ problem, position }) => show(problem, position, source.file)).join('\n\n');
  const count = problems.length === 1 ? '1 mistake' : `${problems.length} mistakes`;
  return new ShoalError('CONFIG', `${count} in ${source.file ?? 'the project'}:\n\n${text}`, { details: { file: source.file, problems: details } });
}

function show(problem: Problem, position: Position | undefined, file: string | undefined): string {
  const place = position ? `${file ?? ''}:${position.line}:${position.column}` : file;
  const head = [place, pathText(problem.path)].filter(Boolean).join(' ');
  const told = [
    problem.message,
    problem.expected && `expected ${problem.expected}`,
    problem.found && `found ${problem.found}`,
  ].filter(Boolean).join('; ');
  const lines = [head ? `${head}: ${told}` : told];
  if (position) lines.push(...excerpt(position));
  if (problem.suggestion) lines.push(`  did you mean \`${problem.suggestion}\`?`);
  if (problem.remedy) lines.push(`  ${problem.remedy}`);
  return lines.join('\n');
}

const WIDTH = 120;

/** A webhook's secret and an address's password stand in no message, not even where somebody wrote them into the file. */
export const veiled = (text: string): string =>
  text.replace(/whsec_[A-Za-z0-9+/]+=*|(?<=:\/\/[^\s:@/]*:)[^\s/]+(?=@)/g, (secret) => '*'.repeat(secret.length));

function excerpt({ line, column, text, length }: Position): string[] {
  const start = Math.max(0, Math.min(column - 1 - WIDTH / 2, text.length - WIDTH));
  const shown = veiled(text).slice(start, start + WIDTH);
  const gutter = String(line).padStart(5);
  const before = shown.slice(0, column - 1 - start).replace(/[^\t]/g, ' ');
  return [`${gutter} | ${shown}`, `      | ${before}${'^'.repeat(Math.max(1, Math.min(length, shown.length - before.length)))}`];
}
