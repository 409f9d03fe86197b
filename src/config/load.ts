import { readFile } from 'node:fs/promises';
import { dirname, resolve as resolvePath } from 'node:path';
import { ShoalError } from '../domain/errors';
import type { ProjectSpec } from '../domain/spec';
import { checkDocument } from './check';
import type { Environment } from './environment';
import { configError, pathText } from './problems';
import { readYaml } from './yaml';

/** Reads temporal.yaml. Throws CONFIG with all its mistakes: `details.problems` is a LocatedProblem[]. */
export async function loadProject(path: string, env: Environment = process.env): Promise<ProjectSpec> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new ShoalError('CONFIG', missing ? `There is no file ${path}.` : `Can't read ${path}: ${(error as Error).message}.`, {
      remedy: missing ? 'Give the path of the project\'s temporal.yaml.' : 'Check that it is a readable file.',
      details: { file: path, problems: [] },
      cause: error,
    });
  }
  return parseProject(text, { file: path, env });
}

/** The project in a text of YAML; `file` names it in errors, and paths are relative to its folder. Throws CONFIG. */
export function parseProject(text: string, { file, env = {} }: { file: string; env?: Environment }): ProjectSpec {
  const { value, interpolated, problems, locate } = readYaml(text, env);
  const checked = value === undefined ? { problems: [] } : checkDocument(value, { folder: dirname(resolvePath(file)), interpolated });
  // Where a variable is missing, that its value is wrong is no news.
  const paths = new Set(problems.map((problem) => pathText(problem.path)));
  const all = [...problems, ...checked.problems.filter((problem) => !paths.has(pathText(problem.path)))];
  if (all.length > 0 || !checked.project) throw configError(all, { file, locate });
  return checked.project;
}
