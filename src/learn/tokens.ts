/** A text's tokens beyond this many are not read, so that one long text cannot fill the memory of a whole batch. */
export const MAX_TOKENS = 256;

/**
 * The tokens of a text, with repetition, exactly as an exported network's graph cuts them.
 *
 * Letters A to Z become lower case, all others stay as they are: ONNX's StringNormalizer needs a locale for more, and only
 * the C locale exists on every machine. Runs of spaces (U+0020) separate, at the start and end they are ignored; every other
 * character, tabs, line breaks and punctuation included, is part of its token, as ONNX Runtime's StringSplit has it. A text ends
 * at its first NUL, as strings do on their way into ONNX Runtime, and half a surrogate pair is U+FFFD, as it is in UTF-8.
 */
export function tokenise(text: string): string[] {
  const tokens: string[] = [];
  const end = text.indexOf('\0');
  const words = (end < 0 ? text : text.slice(0, end)).matchAll(/[^ ]+/g);
  for (const [word] of words) {
    if (tokens.length === MAX_TOKENS) break;
    tokens.push(word.replace(/\p{Surrogate}/gu, '\uFFFD').replace(/[A-Z]+/g, (letters) => letters.toLowerCase()));
  }
  return tokens;
}
