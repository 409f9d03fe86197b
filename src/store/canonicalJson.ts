import { ShoalError } from '../domain/errors';

/**
 * JSON text that is the same for equal values: object keys sorted by code unit, properties that are undefined left out.
 * What JSON would silently change (NaN, infinities, Map, Date, typed arrays, undefined in an array) is refused, with its path.
 */
export function canonicalJson(value: unknown): string {
  return write(value, []);
}

function write(value: unknown, path: (string | number)[]): string {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return JSON.stringify(value);
    case 'number':
      if (!Number.isFinite(value)) {
        throw new ShoalError('NOT_FINITE', `${at(path)} is ${value}, which JSON cannot hold.`, { details: { path: at(path) } });
      }
      return JSON.stringify(value);
    case 'object':
      if (value === null) return 'null';
      if (Array.isArray(value)) return `[${Array.from(value, (item, i) => write(item, [...path, i])).join(',')}]`;
      if (isPlain(value)) {
        const entries = Object.entries(value).filter(([, v]) => v !== undefined).sort(([a], [b]) => (a < b ? -1 : 1));
        return `{${entries.map(([key, v]) => `${JSON.stringify(key)}:${write(v, [...path, key])}`).join(',')}}`;
      }
      throw new TypeError(`${at(path)} is a ${value.constructor?.name ?? 'special object'}, not plain JSON.`);
    default:
      throw new TypeError(`${at(path)} is ${value === undefined ? 'undefined' : `a ${typeof value}`}, not plain JSON.`);
  }
}

const at = (path: (string | number)[]) => (path.length === 0 ? 'The value' : path.join('.'));

/** By tag and depth of the prototype chain, not by identity: values may come from another realm. */
function isPlain(value: object): value is Record<string, unknown> {
  const prototype = Object.getPrototypeOf(value) as object | null;
  return prototype === null || (Object.getPrototypeOf(prototype) === null && Object.prototype.toString.call(value) === '[object Object]');
}
