/** The document as a tree of tags: enough to see that it is one, and to read tables and figures from it. */

const VOID = new Set(['meta', 'link', 'br', 'img', 'hr', 'input']);

export interface Tag { name: string; attributes: Record<string, string>; children: (Tag | string)[] }

/** Fails where a tag is not closed, or closed in another's place. */
export function parse(html: string): Tag {
  const root: Tag = { name: '#document', attributes: {}, children: [] };
  const open = [root];
  const pattern = /<!doctype html>|<(\/?)([a-zA-Z][a-zA-Z0-9]*)((?:\s+[a-zA-Z][a-zA-Z0-9:-]*(?:="[^"<]*")?)*)\s*(\/?)>|([^<]+)|(<)/g;
  for (const [, closing, name, attributes, selfClosed, text, stray] of html.matchAll(pattern)) {
    const parent = open[open.length - 1]!;
    if (stray) throw new Error(`a < that begins no tag, in ${parent.name}`);
    if (text !== undefined) parent.children.push(decode(text));
    if (!name) continue;
    if (closing) {
      if (parent.name !== name) throw new Error(`</${name}> closes <${parent.name}>`);
      open.pop();
      continue;
    }
    const tag: Tag = { name, attributes: Object.fromEntries([...attributes!.matchAll(/([a-zA-Z][a-zA-Z0-9:-]*)(?:="([^"]*)")?/g)].map(([, key, value]) => [key!, decode(value ?? '')])), children: [] };
    parent.children.push(tag);
    if (!selfClosed && !VOID.has(name)) open.push(tag);
  }
  if (open.length !== 1) throw new Error(`<${open[open.length - 1]!.name}> is not closed`);
  return root;
}

export const all = (tag: Tag, name: string): Tag[] =>
  tag.children.flatMap((child) => (typeof child === 'string' ? [] : [...(child.name === name ? [child] : []), ...all(child, name)]));

export const textOf = (tag: Tag): string => tag.children.map((child) => (typeof child === 'string' ? child : textOf(child))).join('');

export const figureOf = (document: Tag, id: string): Tag => all(document, 'figure').find((figure) => figure.attributes.id === id)!;

/** The cells of a figure's table, its head first. */
export const tableOf = (tag: Tag): string[][] => all(all(tag, 'table')[0]!, 'tr').map((row) => row.children.filter((c): c is Tag => typeof c !== 'string').map((cell) => textOf(cell).trim()));

const ENTITIES: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': '\'' };
const decode = (text: string): string => text.replace(/&(amp|lt|gt|quot|#39);/g, (_, name: string) => ENTITIES[name]!);
