import { LineCounter, isAlias, isMap, isPair, isScalar, isSeq, parseDocument, visit } from 'yaml';
import type { Document, Node, ParsedNode, Scalar } from 'yaml';
import { interpolate } from './environment';
import type { Environment } from './environment';
import type { Path, Position, Problem } from './problems';

export interface YamlText {
  /** The document as plain JSON, environment variables put in; undefined where the text is no YAML. */
  value: unknown;
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
    add({ path: [], message: sentence(message), remedy: REMEDIES[code] }, pos);
  }
  interpolateScalars(document, env, add);

  const locate = (problem: Problem): Position => {
    const [start, end] = positions.get(problem) ?? rangeAt(document, problem, text);
    const { line, col } = lines.linePos(Math.min(start, text.length));
    const lineStart = lines.lineStarts[line - 1] ?? 0;
    const lineText = /^.*/.exec(text.slice(lineStart))?.[0] ?? '';
    return { line, column: col, text: lineText, length: Math.max(1, Math.min(end, lineStart + lineText.length) - start) };
  };
  return { value: plain(document, add), problems, locate };
}

const REMEDIES: Record<string, string | undefined> = {
  DUPLICATE_KEY: 'Names are unique: rename or remove one.',
  TAB_AS_INDENT: 'Indent with spaces.',
  MULTIPLE_DOCS: 'A project is one document: remove the `---`.',
};

const sentence = (message: string): string => message.charAt(0).toLowerCase() + message.slice(1).replace(/[.:]$/, '');

type Add = (problem: Problem, range: readonly [number, number]) => void;

function plain(document: Document, add: Add): unknown {
  if (document.errors.some((error) => error.code !== 'DUPLICATE_KEY')) return undefined;
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    add({ path: [], message: sentence((error as Error).message) }, [0, 0]);
    return undefined;
  }
}

/** A plain (unquoted) scalar is read again after its variables are put in, so that `${PORT}` can be a number. */
function interpolateScalars(document: Document, env: Environment, add: Add): void {
  visit(document, {
    Scalar(key, node) {
      if (key === 'key' || typeof node.value !== 'string') return;
      const { text, changed, mistakes } = interpolate(node.value, env);
      const start = contentStart(node);
      for (const { offset, ...mistake } of mistakes) {
        const at = start + offset;
        add({ path: [], ...mistake }, [at, node.range?.[1] ?? at + 1]);
      }
      if (!changed || mistakes.length > 0) return;
      node.value = node.type === 'PLAIN' ? asPlainScalar(text) : text;
    },
  });
}

function asPlainScalar(text: string): unknown {
  const read = parseDocument(text);
  return read.errors.length === 0 && isScalar(read.contents) && read.contents.type === 'PLAIN' ? read.contents.value : text;
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
