import type { z } from 'zod';
import type { ProjectSpec } from '../domain/spec';
import { problemsOf } from './issues';
import { pathText } from './problems';
import type { Path, Problem } from './problems';
import { resolve } from './resolve';
import { documentSchema } from './schema';

interface Where {
  /** What the document's paths are relative to. */
  folder: string;
  /** Paths of the values that are text because an environment variable was put in. */
  interpolated?: ReadonlySet<string>;
}

/**
 * A document as plain values, checked in full: its form by the schema, then how its parts fit together. Where the form of a part is
 * wrong, the other parts are checked all the same, so that a person sees all mistakes at once.
 */
export function checkDocument(value: unknown, { folder, interpolated = new Set() }: Where): { project?: ProjectSpec; problems: Problem[] } {
  const document = structuredClone(value);
  let parsed = documentSchema.safeParse(document);
  if (parsed.error && coerce(document, parsed.error, interpolated)) parsed = documentSchema.safeParse(document);
  if (parsed.success) {
    const { project, problems } = resolve(parsed.data, folder);
    return problems.length > 0 ? { problems } : { project, problems };
  }
  const problems = problemsOf(parsed.error, document, documentSchema);
  const sound = documentSchema.safeParse(withoutBroken(document, problems.map((problem) => problem.path)));
  return { problems: sound.success ? [...problems, ...resolve(sound.data, folder).problems] : problems };
}

/** Makes numbers and truth values of environment variables where the schema wants those; true when any was made. */
function coerce(document: unknown, error: z.ZodError, interpolated: ReadonlySet<string>): boolean {
  let changed = false;
  for (const issue of error.issues) {
    const path = issue.path.map((part) => (typeof part === 'number' ? part : String(part)));
    if (issue.code !== 'invalid_type' || !interpolated.has(pathText(path))) continue;
    const holder = path.slice(0, -1).reduce<unknown>((at, part) => (at as Record<string, unknown>)[part], document) as Record<string | number, unknown>;
    const text = String(holder[path.at(-1)!]).trim();
    const meant = issue.expected === 'boolean' ? { true: true, false: false }[text] : text === '' ? NaN : Number(text);
    if (meant === undefined || Number.isNaN(meant)) continue;
    holder[path.at(-1)!] = meant;
    changed = true;
  }
  return changed;
}

const SECTIONS = ['sources', 'models', 'chains'] as const;
type Named = Record<string, unknown>;

/** The document without the sources, models and chains that have a mistake, and without all that mention these. */
function withoutBroken(document: unknown, mistakes: readonly Path[]): unknown {
  if (!isRecord(document)) return document;
  const sections = Object.fromEntries(SECTIONS.map((section): [string, Named] => [section, isRecord(document[section]) ? { ...document[section] } : {}]));
  let broken = mistakes.flatMap(([section, name]) => (SECTIONS.some((known) => known === section) && name !== undefined ? [{ section: String(section), name: String(name) }] : []));
  while (broken.length > 0) {
    for (const { section, name } of broken) delete sections[section]![name];
    const names = broken.map(({ name }) => name);
    broken = SECTIONS.flatMap((section) => Object.entries(sections[section]!)
      .filter(([, entry]) => names.some((name) => mentions(entry, name)))
      .map(([name]) => ({ section, name })));
  }
  return { name: 'project', ...sections };
}

/** Whether a name stands anywhere in it: as a key, a value, or a word of a value. */
function mentions(entry: unknown, name: string): boolean {
  if (typeof entry === 'string') return new RegExp(`(^|[^\\w-])${name.replace(/[^\w-]/g, '\\$&')}($|[^\\w-])`).test(entry);
  if (Array.isArray(entry)) return entry.some((item) => mentions(item, name));
  return isRecord(entry) && Object.entries(entry).some(([key, value]) => key === name || mentions(value, name));
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
