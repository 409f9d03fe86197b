import { distance } from 'fastest-levenshtein';

/**
 * The candidate a person most likely meant by `name`: the least edit distance (Levenshtein, 1966), ignoring case and the
 * difference between `_`, `-`, `.` and a space, and only when about two thirds of the letters agree.
 */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  const wanted = plain(name);
  let best: string | undefined;
  let least = Infinity;
  for (const candidate of candidates) {
    const edits = editsBetween(wanted, plain(candidate));
    if (edits < least && edits <= Math.max(1, Math.floor(Math.max(wanted.length, candidate.length) * 0.35))) {
      best = candidate;
      least = edits;
    }
  }
  return best;
}

/** Swapped letters count once. */
function editsBetween(a: string, b: string): number {
  const edits = distance(a, b);
  return edits > 1 && letters(a) === letters(b) ? edits - 1 : edits;
}

const letters = (text: string): string => [...text].sort().join('');

const plain = (name: string): string => name.toLowerCase().replace(/[-_. ]/g, '_');

/** `a`, `a or b`, `a, b or c`: for messages that list what would have been right. */
export const oneOf = (names: readonly string[]): string =>
  names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
