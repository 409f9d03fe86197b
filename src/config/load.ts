import { readFile } from 'node:fs/promises';
import { dirname, resolve as resolvePath } from 'node:path';
import { ShoalError } from '../domain/errors';
import type { ProjectSpec } from '../domain/spec';
import type { Environment } from './environment';
import { problemsOf } from './issues';
import { configError } from './problems';
import type { Problem } from './problems';
import { resolve } from './resolve';
import { documentSchema } from './schema';
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
  const { value, problems, locate } = readYaml(text, env);
  const checked = value === undefined ? { problems: [] } : checkDocument(value, dirname(resolvePath(file)));
  const all = [...problems, ...checked.problems];
  if (all.length > 0 || !checked.project) throw configError(all, { file, locate });
  return checked.project;
}

/** A document as plain values, checked in full. `folder` is what its paths are relative to. */
export function checkDocument(value: unknown, folder: string): { project?: ProjectSpec; problems: Problem[] } {
  const parsed = documentSchema.safeParse(value);
  if (!parsed.success) return { problems: problemsOf(parsed.error, value, documentSchema) };
  const { project, problems } = resolve(parsed.data, folder);
  return problems.length > 0 ? { problems } : { project, problems };
}
