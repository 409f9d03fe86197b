import { Unreadable } from './payloadConverter';

/**
 * What a message that comes from outside must be like: small, where a library of schemas would be evaluated anew for every prediction. Fields that are
 * not known are let through.
 */
export type Shape = (value: unknown) => Mistake | undefined;
export interface Mistake { /** Of the field, empty for the message itself. */ path: string; expected: string; found: unknown }

const MAX_SHOWN = 60;

/** `` `version.id` is a text, not 5``; nothing when the value is as it should be. */
export function mistakeIn(whole: string, value: unknown, shape: Shape): string | undefined {
  const mistake = shape(value);
  return mistake && `${mistake.path === '' ? whole : `\`${mistake.path}\``} is ${mistake.expected}, not ${inWords(mistake.found)}`;
}

function inWords(value: unknown): string {
  if (value === undefined) return 'left out';
  if (value instanceof Unreadable) return `data that can't be read (${value.why.slice(0, MAX_SHOWN)})`;
  if (ArrayBuffer.isView(value)) return `${value.byteLength} bytes`;
  const text = JSON.stringify(value);
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}...` : text;
}

const must = (expected: string, is: (value: unknown) => boolean): Shape => (value) => (is(value) ? undefined : { path: '', expected, found: value });

export const text = must('a text', (value) => typeof value === 'string');
export const flag = must('true or false', (value) => typeof value === 'boolean');
export const number = must('a number', Number.isFinite);
/** As JSON has it of a number that may be infinite. */
export const measure = must('a number', (value) => value === null || Number.isFinite(value));
export const milliseconds = must('a time in milliseconds', (value) => typeof value === 'number' && value >= 0 && value <= 100 * 365 * 86_400_000);
/** Of a model or a chain: a key of the workflow's state. */
export const name = must('a name', (value) => typeof value === 'string' && /^[a-z0-9][a-z0-9-]{0,99}$/i.test(value));
/** Of a workflow or a queue: the server refuses a command with another, for ever. */
export const id = must('an id of at most 1000 characters', (value) => typeof value === 'string' && value !== '' && value.length <= 1000);
export const time = must('a time such as 2026-03-01T12:00:00.000Z', (value) => typeof value === 'string' && /^\d{4}-\d\d-\d\dT.*Z$/.test(value) && Number.isFinite(Date.parse(value)));
export const oneOf = (...values: readonly string[]): Shape => must(`one of ${values.join(', ')}`, (value) => values.includes(value as string));
export const anything: Shape = () => undefined;

export const optional = (of: Shape): Shape => (value) => (value === undefined ? undefined : of(value));

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value) && !(value instanceof Unreadable);

/** The fields of a message, all of them. */
export const object = <T>(fields: { [K in keyof Required<T>]: Shape }): Shape => (value) => {
  if (!isObject(value)) return { path: '', expected: 'an object', found: value };
  for (const [field, shape] of Object.entries<Shape>(fields)) {
    const mistake = shape(value[field]);
    if (mistake) return { ...mistake, path: mistake.path === '' ? field : `${field}.${mistake.path}` };
  }
  return undefined;
};

export const list = (of: Shape, what = 'values'): Shape => (value) => {
  const expected = `a list of ${what}`;
  if (!Array.isArray(value)) return { path: '', expected, found: value };
  const mistake = firstOf(value, of);
  return mistake && (mistake.path === '' ? { path: '', expected, found: value } : mistake);
};

export const record = (of: Shape): Shape => (value) => (isObject(value) ? firstOf(Object.values(value), of) : { path: '', expected: 'an object', found: value });

const firstOf = (values: readonly unknown[], of: Shape): Mistake | undefined => {
  for (const value of values) {
    const mistake = of(value);
    if (mistake) return mistake;
  }
  return undefined;
};
