import { LineCounter, isAlias, isMap, isPair, isScalar, isSeq, parseDocument, visit } from 'yaml';
import type { Document, Node, ParsedNode, Scalar } from 'yaml';
import { interpolate } from './environment';
import type { Environment } from './environment';
import { pathText } from './problems';
import type { Path, Position, Problem } from './problems';

export interface YamlText {
  /** The document as plain JSON, environment variables put in; undefined where the text is no YAML. */
  value: unknown;
  /** Paths (`pathText`) of the values that environment variables were put into: they are text, whatever they look like. */
  interpolated: ReadonlySet<string>;
  problems: Problem[];
  /** Where in the text a problem is: at the nearest thing that is there. */
  locate: (problem: Problem) => Position;
}

/** Reads YAML 1.2 (so `no` is a word and `1:30` is no number) and remembers where everything stood. */
export function readYaml(text: string, env: Environment): YamlText {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  const positions = new Map<Problem, [number, number]>();
  const problems: Problem[] = [];
  const add = (problem: Problem, range: readonly [number, number]): void => {
    problems.push(problem);
    positions.set(problem, [range[0], range[1]]);
  };

  for (const { message, pos, code } of [...document.errors, ...document.warnings]) {
    const flow = /^Unexpected flow-(map|seq)-start at node end/.test(message);
    add({ path: [], message: MESSAGES[code] ?? sentence(message), remedy: flow ? QUOTES : REMEDIES[code] }, pos);
  }
  // Read once before variables are put in: aliases that would never end are found here.
  const readable = plain(document, add) !== undefined;
  const interpolated = readable ? interpolateScalars(document, env, add) : new Set<string>();

  const locate = (problem: Problem): Position => {
    const [start, end] = positions.get(problem) ?? rangeAt(document, problem, text);
    const { line, col } = lines.linePos(Math.min(start, text.length));
    const lineStart = lines.lineStarts[line - 1] ?? 0;
    const lineText = lineOf(text, lines, line);
    return { line, column: col, text: lineText, length: Math.max(1, Math.min(end, lineStart + lineText.length) - start) };
  };
  return { value: readable ? document.toJS({ maxAliasCount: MAX_ALIASES }) : undefined, interpolated, problems, locate };
}

const lineOf = (text: string, lines: LineCounter, line: number): string => /^.*/.exec(text.slice(lines.lineStarts[line - 1] ?? 0))?.[0] ?? '';

const MESSAGES: Record<string, string | undefined> = { MULTIPLE_DOCS: 'a second document begins here' };

const QUOTES = 'Inside [ ] and { }, put quotes around text with brackets or braces, such as ${NAME} or vector[0].';

const REMEDIES: Record<string, string | undefined> = {
  DUPLICATE_KEY: 'Names are unique: rename or remove one.',
  TAB_AS_INDENT: 'Indent with spaces.',
  MULTIPLE_DOCS: 'A project is one document: remove this line.',
};

const sentence = (message: string): string => message.charAt(0).toLowerCase() + message.slice(1).replace(/[.:]$/, '');

type Add = (problem: Problem, range: readonly [number, number]) => void;

const MAX_ALIASES = 100;

/** Undefined, with a problem added, where the document is no plain JSON. */
function plain(document: Document, add: Add): unknown {
  let sound = !document.errors.some((error) => error.code !== 'DUPLICATE_KEY');
  if (!sound) return undefined;
  visit(document, {
    Alias(_, node, ancestors) {
      const target = node.resolve(document);
      if (target && !ancestors.includes(target)) return;
      const message = target ? `\`*${node.source}\` stands inside its own anchor` : `nothing is anchored as \`&${node.source}\` before`;
      add({ path: [], message }, rangeOf(node) ?? [0, 0]);
      sound = false;
    },
  });
  if (!sound) return undefined;
  try {
    return document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch (error) {
    add({ path: [], message: sentence((error as Error).message) }, [0, 0]);
    return undefined;
  }
}

/** Answers with the paths of the values that variables were put into; an aliased value has several. */
function interpolateScalars(document: Document, env: Environment, add: Add): Set<string> {
  const results = new Map<Scalar, boolean>();
  const interpolated = new Set<string>();
  const walk = (node: unknown, path: (string | number)[]): void => {
    if (isAlias(node)) {
      walk(node.resolve(document), path);
    } else if (isMap(node)) {
      for (const { key, value } of node.items) walk(value, [...path, String(isScalar(key) ? key.value : key)]);
    } else if (isSeq(node)) {
      node.items.forEach((item, index) => walk(item, [...path, index]));
    } else if (isScalar(node) && typeof node.value === 'string') {
      if (!results.has(node)) results.set(node, interpolateScalar(node, path, env, add));
      if (results.get(node)) interpolated.add(pathText(path));
    }
  };
  walk(document.contents, []);
  return interpolated;
}

function interpolateScalar(node: Scalar, path: Path, env: Environment, add: Add): boolean {
  const { text, changed, mistakes } = interpolate(String(node.value), env);
  const start = contentStart(node);
  for (const { offset, length, ...mistake } of mistakes) add({ path, ...mistake }, [start + offset, start + offset + length]);
  if (changed) node.value = text;
  return changed;
}

/** Where the characters of a scalar begin: after the quote, if it has one. */
const contentStart = (node: Scalar): number => (node.range?.[0] ?? 0) + (node.type === 'QUOTE_DOUBLE' || node.type === 'QUOTE_SINGLE' ? 1 : 0);

function rangeAt(document: Document, problem: Problem, text: string): readonly [number, number] {
  let node: unknown = document.contents;
  let range = rangeOf(node) ?? [0, 0];
  let deep = 0;
  for (const part of problem.path) {
    const step = child(document, node, part);
    if (!step) break;
    deep++;
    const last = deep === problem.path.length;
    range = (last && problem.at === 'key' ? rangeOf(step.key) : undefined) ?? rangeOf(step.value) ?? rangeOf(step.key) ?? range;
    // A mapping or a list as a whole is best pointed at by its name.
    if ((isMap(step.value) || isSeq(step.value)) && !step.value.flow && step.key) range = rangeOf(step.key) ?? range;
    node = step.value;
  }
  if (problem.offset !== undefined && deep === problem.path.length && isScalar(node)) {
    const start = contentStart(node) + problem.offset;
    // Only where the text stands as written: escapes, folds and variables move characters.
    if (text.startsWith(String(node.value), contentStart(node))) return [start, start + 1];
  }
  return range;
}

function child(document: Document, parent: unknown, part: string | number): { key?: Node; value: unknown } | undefined {
  const node = isAlias(parent) ? parent.resolve(document) : parent;
  if (isSeq(node)) {
    const value = typeof part === 'number' ? node.items[part] : undefined;
    return value === undefined ? undefined : { value };
  }
  if (!isMap(node)) return undefined;
  for (const pair of node.items) {
    if (isPair(pair) && isScalar(pair.key) && String(pair.key.value) === String(part)) return { key: pair.key, value: pair.value };
  }
  return undefined;
}

function rangeOf(node: unknown): readonly [number, number] | undefined {
  const range = (node as ParsedNode | undefined | null)?.range;
  return range ? [range[0], range[1]] : undefined;
}
