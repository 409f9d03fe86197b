import { Environment } from '@marcbachmann/cel-js';
import type { ASTNode, ParseResult } from '@marcbachmann/cel-js';
import { ShoalError } from './errors';
import { EXPRESSION_FUNCTIONS, registerMath, registerMissing, registerNumbers } from './expressionLibrary';
import { nearest } from './nearest';

/**
 * Small expressions over a request's row and earlier stages' outputs: CEL, the Common Expression Language
 * (https://cel.dev), with three additions that make it fit JSON rows.
 *
 * - Every number is a double, as in JSON: `input.year / 2` and `7 / 2` are what they look like.
 * - A column that is null or left out is missing, written `null`. Arithmetic with a missing value is missing, an order
 *   comparison with one is false (as with NaN), and `has(input.x)` says whether it is there.
 * - Functions on numbers: abs, min, max, round, floor, ceil, sqrt, exp, log, log10, exp10, pow.
 *
 * There is no clock, no randomness, no regular expression and no loop but over a list, so an expression always gives the
 * same answer, soon. It runs in workflows too.
 */
export interface Expression {
  readonly text: string;
  /** What it reads of `input` and `stages`, each once, in the order of the text. */
  readonly references: readonly Reference[];
  /** The value as plain JSON; missing, NaN and infinities are null. Throws EXPRESSION, with the place in the text. */
  evaluate(context: ExpressionContext): unknown;
  /** For conditions: true or false; missing is false. Throws EXPRESSION when it is anything else. */
  test(context: ExpressionContext): boolean;
}

/** `stages` holds each stage's outputs for this row by name; a stage that was skipped may be left out. Plain JSON. */
export interface ExpressionContext {
  input: Readonly<Record<string, unknown>>;
  stages?: Readonly<Record<string, Readonly<Record<string, unknown>> | null | undefined>>;
}

/** `input.budget` is {root: 'input', path: ['budget'], offset: 0}; `stages['title-embedding'].vector` has two names. */
export interface Reference { root: 'input' | 'stages'; path: readonly string[]; offset: number }

export const MAX_EXPRESSION_LENGTH = 2_000;
const MAX_LOOP_DEPTH = 2;
const LIMITS = { maxAstNodes: 1_000, maxDepth: 50, maxListElements: 500, maxMapEntries: 100, maxCallArguments: 8 };

const environment = new Environment({ homogeneousAggregateLiterals: false, limits: LIMITS })
  .registerVariable('input', 'dyn')
  .registerVariable('stages', 'dyn');
registerNumbers(environment);
registerMissing(environment);
registerMath(environment);

/** Throws EXPRESSION; `details.offset` says where in the text. */
export function compile(text: string): Expression {
  if (text.length > MAX_EXPRESSION_LENGTH) throw mistake(text, `is longer than ${MAX_EXPRESSION_LENGTH} characters`, 0);
  const { references, edits } = inspect(text);
  const adapted = adapt(text, edits);
  const program = parse(text, adapted.text, adapted.offsetOf);
  const { valid, error } = program.check();
  if (!valid) throw celError(text, error, adapted.offsetOf);

  const read = contextReader(references);
  const run = (context: ExpressionContext): unknown => {
    try {
      return toJson(text, program(read(context)));
    } catch (thrown) {
      throw thrown instanceof ShoalError ? thrown : celError(text, thrown, adapted.offsetOf);
    }
  };
  return {
    text,
    references,
    evaluate: run,
    test(context) {
      const value = run(context);
      if (value === null) return false;
      if (typeof value !== 'boolean') throw mistake(text, `must be true or false, and is ${JSON.stringify(value)}`, 0);
      return value;
    },
  };
}

/** A replacement of text[start, end). */
interface Edit { start: number; end: number; text: string }

/** Walks the expression as written: what it refers to, what it may not do, and what must be adapted to JSON's types. */
function inspect(text: string): { references: Reference[]; edits: Edit[] } {
  const references: Reference[] = [];
  const edits: Edit[] = [];

  const visit = (node: ASTNode, place: { loops: number; index?: boolean; branch?: boolean }): void => {
    const inner = { loops: place.loops };
    switch (node.op) {
      case 'value':
        if (typeof node.args === 'bigint' && !place.index) edits.push({ start: node.start, end: node.end, text: doubleText(text, node.args, node.start) });
        // The branches of a condition must have one type, and a missing value goes with any.
        if (node.args === null && place.branch) edits.push({ start: node.start, end: node.end, text: 'dyn(null)' });
        return;
      case 'id':
        if (isRoot(node.args)) references.push({ root: node.args, path: [], offset: node.start });
        return;
      case '.':
      case '[]': {
        const reference = asReference(node);
        if (reference) references.push(reference);
        else {
          visit(node.args[0], inner);
          if (node.op === '[]') visit(node.args[1], { ...inner, index: true });
        }
        return;
      }
      case 'call': {
        const [name, args] = node.args;
        if (!EXPRESSION_FUNCTIONS.functions.has(name)) throw unknownFunction(text, name, node.start, EXPRESSION_FUNCTIONS.functions);
        const present = name === 'has' && args[0] ? asReference(args[0]) : undefined;
        if (present) {
          references.push(present);
          edits.push({ start: node.start, end: node.end, text: `(${text.slice(args[0]!.start, args[0]!.end)} != null)` });
        } else for (const arg of args) visit(arg, { ...inner, index: name === 'timestamp' });
        return;
      }
      case 'rcall': {
        const [name, receiver, args] = node.args;
        if (!EXPRESSION_FUNCTIONS.methods.has(name)) throw unknownFunction(text, name, node.start, EXPRESSION_FUNCTIONS.methods);
        const loops = place.loops + (EXPRESSION_FUNCTIONS.loops.has(name) ? 1 : 0);
        if (loops > MAX_LOOP_DEPTH) throw mistake(text, `has loops nested more than ${MAX_LOOP_DEPTH} deep`, node.start);
        visit(receiver, inner);
        for (const arg of args) visit(arg, { loops, index: EXPRESSION_FUNCTIONS.wholeNumbers.has(name) });
        return;
      }
      case '?:':
        visit(node.args[0], inner);
        visit(node.args[1], { ...inner, branch: true });
        visit(node.args[2], { ...inner, branch: true });
        return;
      case 'map':
        for (const [key, value] of node.args) {
          visit(key, { ...inner, index: true });
          visit(value, inner);
        }
        return;
      case '!_':
      case '-_':
        visit(node.args, inner);
        return;
      case '.?':
      case '[?]':
        throw mistake(text, `uses \`${node.op}\`, which is not known`, node.start);
      default:
        for (const arg of node.args as ASTNode[]) visit(arg, inner);
    }
  };
  visit(parse(text, text, (offset) => offset).ast, { loops: 0 });
  return { references: unique(references), edits };
}

const isRoot = (name: string): name is Reference['root'] => name === 'input' || name === 'stages';

/** A column of the row, or a stage or one of its outputs: names only, at most as deep as those go. */
function asReference(node: ASTNode): Reference | undefined {
  const names: string[] = [];
  let here = node;
  while (here.op === '.' || here.op === '[]') {
    const name = here.op === '.' ? here.args[1] : here.args[1].op === 'value' ? here.args[1].args : undefined;
    if (typeof name !== 'string') return undefined;
    names.unshift(name);
    here = here.args[0];
  }
  if (here.op !== 'id' || !isRoot(here.args)) return undefined;
  const depth = here.args === 'input' ? 1 : 2;
  return names.length <= depth ? { root: here.args, path: names, offset: here.start } : undefined;
}

function unique(references: Reference[]): Reference[] {
  const ordered = [...references].sort((a, b) => a.offset - b.offset);
  const seen = new Map<string, Reference>();
  for (const reference of ordered) {
    const key = JSON.stringify([reference.root, ...reference.path]);
    if (!seen.has(key)) seen.set(key, reference);
  }
  return [...seen.values()];
}

function doubleText(text: string, value: bigint, offset: number): string {
  if (!Number.isSafeInteger(Number(value))) throw mistake(text, `has the number ${value}, which no double holds exactly`, offset);
  return `${value}.0`;
}

/** The text with the edits made, and the way back from a place in it. */
function adapt(text: string, edits: Edit[]): { text: string; offsetOf: (offset: number) => number } {
  const ordered = [...edits].sort((a, b) => a.start - b.start);
  let adapted = '';
  let taken = 0;
  const starts: { from: number; to: number; original: number; length: number }[] = [];
  for (const edit of ordered) {
    adapted += text.slice(taken, edit.start);
    starts.push({ from: adapted.length, to: adapted.length + edit.text.length, original: edit.start, length: edit.end - edit.start });
    adapted += edit.text;
    taken = edit.end;
  }
  adapted += text.slice(taken);
  const offsetOf = (offset: number): number => {
    let shift = 0;
    for (const { from, to, original, length } of starts) {
      if (offset < from) break;
      if (offset < to) return original;
      shift = original + length - to;
    }
    return offset + shift;
  };
  return { text: adapted, offsetOf };
}

/**
 * What the expression reads, and null for what is not there. Maps, because a column may have the name of something that every
 * object has.
 */
function contextReader(references: readonly Reference[]): (context: ExpressionContext) => Record<string, unknown> {
  const whole = (root: Reference['root']): boolean => references.some((reference) => reference.root === root && reference.path.length === 0);
  const [allColumns, allStages] = [whole('input'), whole('stages')];
  return ({ input, stages = {} }) => {
    const row = new Map<string, unknown>(allColumns ? Object.entries(input) : []);
    const outputs = new Map<string, unknown>(allStages ? Object.entries(stages) : []);
    for (const { root, path: [name, output] } of references) {
      if (name === undefined) continue;
      if (root === 'input') row.set(name, own(input, name) ?? null);
      else if (output === undefined) outputs.set(name, own(stages, name) ?? null);
      else {
        const known = outputs.get(name);
        const stage = known instanceof Map ? known : new Map<string, unknown>();
        outputs.set(name, stage.set(output, own(own(stages, name), output) ?? null));
      }
    }
    return { input: row, stages: outputs };
  };
}

const own = (value: unknown, key: string): unknown =>
  (typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined);

function toJson(text: string, value: unknown): unknown {
  if (value === null || value === undefined || typeof value === 'string' || typeof value === 'boolean') return value ?? null;
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map((entry) => toJson(text, entry));
  if (value instanceof Map || Object.getPrototypeOf(value) === Object.prototype || Object.getPrototypeOf(value) === null) {
    const entries = value instanceof Map ? [...value] : Object.entries(value);
    return Object.fromEntries(entries.map(([key, entry]) => [String(key), toJson(text, entry)]));
  }
  throw mistake(text, 'gives a value that JSON has no form for', 0);
}

function parse(text: string, adapted: string, offsetOf: (offset: number) => number): ParseResult {
  try {
    return environment.parse(adapted);
  } catch (thrown) {
    throw celError(text, thrown, offsetOf);
  }
}

function celError(text: string, thrown: unknown, offsetOf: (offset: number) => number): ShoalError {
  const { summary, message, range } = thrown as { summary?: string; message: string; range?: { start: number } };
  return mistake(text, summary ?? message, offsetOf(range?.start ?? 0), thrown);
}

function unknownFunction(text: string, name: string, offset: number, known: Iterable<string>): ShoalError {
  const suggestion = nearest(name, known);
  return mistake(text, `there is no function \`${name}\``, offset, undefined, suggestion);
}

function mistake(text: string, what: string, offset: number, cause?: unknown, suggestion?: string): ShoalError {
  const reason = what.charAt(0).toLowerCase() + what.slice(1);
  return new ShoalError('EXPRESSION', `The expression \`${text}\`, at character ${offset + 1}: ${reason}.`, {
    remedy: suggestion && `Did you mean \`${suggestion}\`?`,
    details: { expression: text, offset, reason, suggestion },
    cause,
  });
}
