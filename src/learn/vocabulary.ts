import { tokenise } from './tokens';

/** The word inside a token: lower case in every script, without the punctuation around it and without a possessive ending. */
export function stem(token: string): string {
  const bare = token.toLowerCase().replace(EDGES, '');
  const noun = bare.replace(/['’]s$/u, '');
  return noun || bare || token.toLowerCase();
}
const EDGES = /^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu;

const AROUND = [['', ''], ['', ','], ['', '.'], ['', ':'], ['', ';'], ['', '!'], ['', '?'], ['', "'s"], ['', '’s'], ['', "'s:"],
  ['', ')'], ['(', ''], ['(', ')'], ['"', ''], ['', '"'], ['"', '"'], ["'", ''], ['', "'"], ['“', ''], ['', '”']] as const;

/** The tokens a word is likely to be met as: with punctuation, and capitalised where the alphabet is not A to Z. */
function formsOf(word: string): string[] {
  const spellings = new Set([word, word.toUpperCase(), word.charAt(0).toUpperCase() + word.slice(1)].flatMap(tokenise));
  return [...spellings].flatMap((spelling) => AROUND.map(([before, after]) => before + spelling + after));
}

/** `ids` maps tokens as they appear (see `tokenise`) to words; several forms of a word share its id. */
export interface Vocabulary { ids: Record<string, number>; idf: number[] }

/**
 * Words that occur in at least `minTexts` texts, the most frequent `maxWords` of them, with smoothed inverse document
 * frequencies ln((1 + texts) / (1 + texts with the word)) + 1. Splitting and lower case are all that a graph can do, so each
 * word is entered in every form it was seen in and in common punctuated forms.
 */
export function vocabularyOf(texts: readonly (string | null)[], limits: { minTexts: number; maxWords: number }): Vocabulary {
  const frequency = new Map<string, number>();
  const seen = new Map<string, Set<string>>();
  for (const text of texts) {
    const words = new Set<string>();
    for (const token of tokenise(text ?? '')) {
      const word = stem(token);
      words.add(word);
      const forms = seen.get(word);
      if (forms) forms.add(token);
      else seen.set(word, new Set([token]));
    }
    for (const word of words) frequency.set(word, (frequency.get(word) ?? 0) + 1);
  }
  const words = mostFrequent(frequency, { min: limits.minTexts, max: limits.maxWords });
  const ids = new Map<string, number>();
  words.forEach(([word], id) => { for (const form of seen.get(word)!) ids.set(form, id); });
  words.forEach(([word], id) => { for (const form of formsOf(word)) if (!ids.has(form)) ids.set(form, id); });
  return { ids: Object.fromEntries(ids), idf: words.map(([, n]) => Math.log((1 + texts.length) / (1 + n)) + 1) };
}

/** Entries with a count of at least `min`, the `max` most frequent ones, in an order that depends on nothing else. */
export function mostFrequent(counts: Map<string, number>, limits: { min: number; max: number }): [string, number][] {
  return [...counts].filter(([, n]) => n >= limits.min).sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1)).slice(0, limits.max);
}
