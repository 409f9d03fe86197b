export type Environment = Record<string, string | undefined>;

/** `$${` is a plain `${`; otherwise a reference: ${NAME} or ${NAME:-default}. */
const REFERENCE = /\$\$\{|\$\{([^}]*)\}?/g;
const NAME = /^([A-Za-z_][A-Za-z0-9_]*)(:-([\s\S]*))?$/;

/** Whether a text can be the name of an environment variable, and nothing more. */
export const isVariableName = (text: string): boolean => NAME.exec(text)?.[1] === text;

export type Interpolation = { text: string; changed: boolean; mistakes: { offset: number; length: number; message: string; remedy?: string }[] };

/** Puts environment variables in: ${NAME}, or ${NAME:-default} where NAME may be unset or empty. */
export function interpolate(text: string, env: Environment): Interpolation {
  const mistakes: Interpolation['mistakes'] = [];
  let changed = false;
  const result = text.replace(REFERENCE, (whole, inner: string | undefined, offset: number) => {
    changed = true;
    if (whole === '$${') return '${';
    const match = whole.endsWith('}') ? NAME.exec(inner ?? '') : null;
    if (!match) {
      mistakes.push({ offset, length: whole.length, message: `\`${whole}\` is no reference to an environment variable`, remedy: 'Write ${NAME} or ${NAME:-default}; $${ is a plain ${.' });
      return whole;
    }
    const [, variable = '', fallback, standard] = match;
    const value = env[variable];
    if (value !== undefined && (value !== '' || fallback === undefined)) return value;
    if (standard !== undefined) return standard;
    mistakes.push({
      offset,
      length: whole.length,
      message: `the environment variable ${variable} is not set`,
      remedy: `Set it, or give a default: \${${variable}:-default}.`,
    });
    return whole;
  });
  return { text: result, changed, mistakes };
}
