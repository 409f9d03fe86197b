/** Tokens of a text beyond this many are not read, so that one long text cannot fill the memory of a whole batch. */
export const MAX_TOKENS = 256;

/**
 * The tokens of a text, with repetition, exactly as ONNX Runtime's string operators cut them in an exported network, on any machine:
 * StringNormalizer (lower case in the locale "C", the only one every machine has: A to Z alone change), then StringSplit with no
 * delimiter (runs of U+0020 separate; tabs and other spaces do not), then a lookup of the whole token. Punctuation therefore stays
 * on its token, and the lookup knows each word in its punctuated forms too: `formsOf`.
 *
 * A text ends at its first NUL, as strings do on their way into ONNX Runtime, and half a surrogate pair is U+FFFD, as it is in UTF-8.
 */
export function tokenise(text: string): string[] {
  const tokens: string[] = [];
  const end = text.indexOf('\0');
  for (const [word] of (end < 0 ? text : text.slice(0, end)).matchAll(/[^ ]+/g)) {
    if (tokens.length === MAX_TOKENS) break;
    tokens.push(word.replace(/\p{Surrogate}/gu, '\uFFFD').replace(/[A-Z]+/g, (capitals) => capitals.toLowerCase()));
  }
  return tokens;
}

/** The word inside a token: lower case in every script, without the punctuation around it and without a possessive ending. */
export function stem(token: string): string {
  const bare = token.toLowerCase().replace(EDGES, '');
  const noun = bare.replace(/['’]s$/u, '');
  return noun || bare || token.toLowerCase();
}
const EDGES = /^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu;

const BEFORE = ['', '"', "'", '(', '“', '‘'];
const AFTER = ['', ',', '.', ':', ';', '!', '?', '"', "'", ')', '...', '”', '’', "'s", '’s', "'s:", '’s:'];

/** The tokens a word is likely to be met as: with punctuation, and capitalised where the alphabet is not A to Z. */
export function formsOf(word: string): string[] {
  const spellings = new Set([word, word.toUpperCase(), word.charAt(0).toUpperCase() + word.slice(1)].flatMap(tokenise));
  return [...spellings].flatMap((spelling) => BEFORE.flatMap((before) => AFTER.map((after) => before + spelling + after)));
}

export interface Vocabulary { ids: Record<string, number>; idf: number[] }

/**
 * Words that occur in at least `minTexts` texts, the most frequent `maxWords` of them, with smoothed inverse document
 * frequencies ln((1 + texts) / (1 + texts with the word)) + 1.
 */
export function vocabularyOf(texts: readonly (string | null)[], limits: { minTexts: number; maxWords: number }): Vocabulary {
  const frequency = new Map<string, number>();
  const seen = new Map<string, Set<string>>();
  let count = 0;
  for (const text of texts) {
    if (text === null) continue;
    count++;
    const words = new Set<string>();
    for (const token of tokenise(text)) {
      const word = stem(token);
      words.add(word);
      const forms = seen.get(word);
      if (forms) forms.add(token);
      else seen.set(word, new Set([token]));
    }
    for (const word of words) frequency.set(word, (frequency.get(word) ?? 0) + 1);
  }
  const words = [...frequency].filter(([, n]) => n >= limits.minTexts)
    .sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1)).slice(0, limits.maxWords);
  // What was really seen wins over a form that another word might take.
  const ids = new Map<string, number>();
  words.forEach(([word], id) => { for (const form of seen.get(word)!) ids.set(form, id); });
  words.forEach(([word], id) => { for (const form of formsOf(word)) if (!ids.has(form)) ids.set(form, id); });
  return { ids: Object.fromEntries(ids), idf: words.map(([, n]) => Math.log((1 + count) / (1 + n)) + 1) };
}
