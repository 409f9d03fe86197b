/** Text that is HTML already; everything else is escaped where it is put in. */
export interface Html { readonly html: string }

export type Child = Html | string | number | false | undefined | readonly Child[];

/** A template whose values are escaped, unless they are Html. Lists are joined; false and undefined are nothing. */
export function html(strings: TemplateStringsArray, ...values: Child[]): Html {
  return { html: strings.reduce((text, part, i) => text + render(values[i - 1]) + part) };
}

export const raw = (text: string): Html => ({ html: text });

function render(child: Child): string {
  if (child === false || child === undefined) return '';
  if (typeof child === 'string' || typeof child === 'number') return escape(String(child));
  return 'html' in child ? child.html : child.map(render).join('');
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
export const escape = (text: string): string => printable(text).replace(/[&<>"']/g, (c) => ENTITIES[c]!);

/** Control characters are no HTML, and those that turn the direction of a text may make a name look like another. */
export const printable = (text: string): string => text.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g, ' ');
