import { z } from 'zod';
import { nearest, oneOf } from '../domain/nearest';
import { veiled, type Problem } from './problems';
import { NAME, expectations } from './schemaModel';

type Issue = z.core.$ZodIssue;
type Schema = z.core.$ZodType;

/** Says zod's findings in the words of the document: what was expected, what was found, which name was meant. */
export function problemsOf(error: z.ZodError, value: unknown, schema: Schema): Problem[] {
  return error.issues.flatMap((issue) => told(issue, [], value, schema));
}

function told(issue: Issue, parent: readonly PropertyKey[], value: unknown, root: Schema): Problem[] {
  const path = [...parent, ...issue.path].map((part) => (typeof part === 'number' ? part : String(part)));
  const actual = valueAt(value, path);
  switch (issue.code) {
    case 'unrecognized_keys': {
      const known = keysAt(root, path, value);
      return issue.keys.map((key) => {
        if (known.includes(key)) return { path: [...path, key], at: 'key', message: `\`${key}\` can't stand beside ${oneOf(Object.keys(actual as object).filter((other) => other !== key))}` };
        const suggestion = nearest(key, known);
        return {
          path: [...path, key],
          at: 'key',
          message: `unknown key \`${key}\``,
          suggestion,
          remedy: suggestion ? undefined : known.length > 0 ? `Known here: ${known.join(', ')}.` : undefined,
        };
      });
    }
    case 'invalid_key':
      return [{ path, at: 'key', message: `\`${String(path.at(-1))}\` can't be a name`, ...nameHint(String(path.at(-1))) }];
    case 'invalid_union':
      return union(issue, path, actual, value, root);
    case 'invalid_value':
      return [{ path, message: 'not a value it can have', ...choice(issue.values.map(String), actual) }];
    case 'invalid_type': {
      const expected = expectsAt(root, path, value) ?? TYPE_NAMES[issue.expected] ?? issue.expected;
      if (actual === undefined) return [{ path, at: 'key', message: `\`${String(path.at(-1) ?? 'the document')}\` is missing`, expected }];
      return [{ path, message: 'wrong type', expected, found: describe(actual) }];
    }
    case 'too_small':
      if (issue.origin === 'array' || issue.origin === 'string' || issue.origin === 'record') return [{ path, message: 'empty', expected: 'at least one' }];
      return [{ path, message: 'too small', expected: `${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}`, found: describe(actual) }];
    case 'too_big': {
      const unit = issue.origin === 'string' ? ' characters' : issue.origin === 'array' ? ' entries' : '';
      return [{ path, message: unit ? 'too long' : 'too large', expected: `${issue.inclusive === false ? 'less than' : 'at most'} ${issue.maximum}${unit}`, found: unit ? undefined : describe(actual) }];
    }
    case 'invalid_format':
      if (issue.pattern === String(NAME)) return [{ path, message: `${describe(actual)} can't be a name`, ...nameHint(String(actual)) }];
      return [{ path, message: 'not in the form it must have', expected: expectsAt(root, path, value), found: describe(actual) }];
    default:
      return [{ path, message: issue.message, found: issue.code === 'custom' ? undefined : describe(actual) }];
  }
}

/** Of a union's branches, the one that was meant: those the value's shape fits, and of these the one it fits best. */
function union(issue: z.core.$ZodIssueInvalidUnion, path: (string | number)[], actual: unknown, value: unknown, root: Schema): Problem[] {
  const options = optionsAt(root, path.slice(0, -1), value, path);
  if (issue.errors.length === 0) {
    return [{ path, message: actual === undefined ? `\`${String(path.at(-1))}\` is missing` : 'not a value it can have', at: actual === undefined ? 'key' : undefined, ...choice(options, actual) }];
  }
  const fitting = issue.errors
    .map((issues) => ({ issues, shaped: issues.every((inner) => inner.path.length > 0 || inner.code === 'unrecognized_keys' || inner.code === 'too_small') }))
    .filter(({ shaped }) => shaped)
    .sort((a, b) => a.issues.length - b.issues.length);
  const best = fitting[0];
  if (best && typeof actual === 'object' && actual !== null) {
    return best.issues.flatMap((inner) => told(inner, path, value, root));
  }
  if (best) return best.issues.flatMap((inner) => told(inner, path, value, root));
  const expected = oneOf([...new Set(issue.errors.flatMap((issues) => issues.flatMap(expectation)))]);
  return [{ path, at: actual === undefined ? 'key' : undefined, message: actual === undefined ? `\`${String(path.at(-1))}\` is missing` : 'wrong type', expected, found: actual === undefined ? undefined : describe(actual) }];
}

function expectation(issue: Issue): string[] {
  if (issue.code === 'invalid_type') return [TYPE_NAMES[issue.expected] ?? issue.expected];
  if (issue.code === 'invalid_value') return issue.values.map((value) => `\`${String(value)}\``);
  return [];
}

const TYPE_NAMES: Record<string, string> = {
  string: 'text', number: 'a number', int: 'a whole number', boolean: 'true or false', array: 'a list', object: 'a mapping', record: 'a mapping',
};

function choice(options: string[], actual: unknown): Partial<Problem> {
  const suggestion = typeof actual === 'string' ? nearest(actual, options) : undefined;
  return { expected: oneOf(options), found: actual === undefined ? undefined : describe(actual), suggestion };
}

/** Names are made of lower-case letters, digits and dashes; the nearest such name to what was written. */
function nameHint(written: string): Partial<Problem> {
  const slug = written.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 64);
  return { expected: 'up to 64 lower-case letters, digits and dashes, a letter or digit first', suggestion: slug || undefined };
}

export function describe(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : `a list of ${value.length}`;
  if (typeof value === 'object') return 'a mapping';
  if (typeof value !== 'string') return `the ${typeof value === 'boolean' ? 'truth value' : 'number'} ${String(value)}`;
  const shown = veiled(value);
  return `\`${value.length > 60 ? `${shown.slice(0, 57)}...` : shown}\``;
}

function valueAt(value: unknown, path: readonly (string | number)[]): unknown {
  let here = value;
  for (const part of path) {
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, part)) return undefined;
    here = (here as Record<string | number, unknown>)[part];
  }
  return here;
}

/** The schemas that may stand at a path, given the value (a model's task says which of the model schemas holds). */
function schemasAt(root: Schema, path: readonly (string | number)[], value: unknown): Schema[] {
  let schemas = flatten(root, value);
  let here = value;
  for (const part of path) {
    here = valueAt(here, [part]);
    schemas = schemas.flatMap((schema) => step(schema, part)).flatMap((schema) => flatten(schema, here));
  }
  return schemas;
}

function step(schema: Schema, part: string | number): Schema[] {
  if (schema instanceof z.ZodObject) return Object.hasOwn(schema.shape, part) ? [schema.shape[String(part)]] : [];
  if (schema instanceof z.ZodRecord) return [schema.valueType];
  if (schema instanceof z.ZodArray) return [schema.element];
  return [];
}

function flatten(schema: Schema, value: unknown): Schema[] {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) {
    return flatten(schema.unwrap(), value);
  }
  if (schema instanceof z.ZodDiscriminatedUnion) {
    const key = schema.def.discriminator;
    const chosen = schema.options.filter((option) =>
      option instanceof z.ZodObject && option.shape[key] instanceof z.ZodLiteral && option.shape[key].values.has(valueAt(value, [key]) as string));
    return (chosen.length > 0 ? chosen : schema.options).flatMap((option) => flatten(option, value));
  }
  if (schema instanceof z.ZodUnion) return schema.options.flatMap((option) => flatten(option, value));
  return [schema];
}

/** What a schema says of itself that it expects. */
const expectsAt = (root: Schema, path: readonly (string | number)[], value: unknown): string | undefined =>
  schemasAt(root, path, value).map((schema) => expectations.get(schema)?.expects).find((expects) => expects !== undefined);

const keysAt = (root: Schema, path: readonly (string | number)[], value: unknown): string[] =>
  [...new Set(schemasAt(root, path, value).flatMap((schema) => (schema instanceof z.ZodObject ? Object.keys(schema.shape) : [])))];

/** The values of a discriminator. */
function optionsAt(root: Schema, parent: readonly (string | number)[], value: unknown, path: readonly (string | number)[]): string[] {
  const key = String(path.at(-1));
  return [...new Set(schemasAt(root, parent, value).flatMap((schema) => {
    const field = schema instanceof z.ZodObject ? schema.shape[key] : undefined;
    return field instanceof z.ZodLiteral ? [...field.values].map(String) : [];
  }))];
}
