/** Tokens of a text beyond this many are not read, so that one long text cannot fill the memory of a whole batch. */
export const MAX_TOKENS = 256;

/**
 * The tokens of a text, with repetition, exactly as ONNX Runtime's string operators cut them in an exported network, on any machine:
 * StringNormalizer (lower case in the locale "C", the only one every machine has: A to Z alone change), then StringSplit with no
 * delimiter (runs of U+0020 separate; tabs and other spaces do not), then a lookup of the whole token. Punctuation therefore stays
 * on its token, and the lookup knows each word in its punctuated forms too (learn/vocabulary.ts).
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
