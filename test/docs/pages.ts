import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import MarkdownIt from 'markdown-it';

export const ROOT = path.resolve(__dirname, '../..');

/**
 * What stands between ``` on a page. It is run or checked by its language, unless a comment directly above says otherwise:
 *
 *   sh      run, in the page's order, in a folder with the page's project (see commands.test.ts)
 *   yaml    a whole project; or `<!-- part of flats -->`, `<!-- part of flats: models.rent -->`: added to the project of the README
 *           (`flats`) or of the quick start (`box-office`), at the top or where it says, and checked with it
 *   ts      type-checked against the package
 *   json    parsed
 *   text    what a command prints, or a drawing
 *   any     `<!-- not run: why -->`, or `<!-- run by test/... -->`, which names the page
 */
export interface Block { page: string; /** From 1. */ line: number; language: string; text: string; marker: string | undefined }

const markdown = new MarkdownIt({ html: true });

export const PAGES = ['README.md', ...readdirSync(path.join(ROOT, 'docs')).filter((name) => name.endsWith('.md')).sort().map((name) => `docs/${name}`), 'examples/python-trainer/README.md'];

export const textOf = (page: string): string => readFileSync(path.join(ROOT, page), 'utf8');

export function blocksOf(page: string): Block[] {
  const tokens = markdown.parse(textOf(page), {});
  return tokens.flatMap((token, i) => {
    if (token.type !== 'fence') return [];
    const above = tokens[i - 1];
    const marker = above?.type === 'html_block' ? /^<!--\s*(.*?)\s*-->\s*$/s.exec(above.content)?.[1] : undefined;
    return [{ page, line: token.map![0] + 1, language: token.info.trim(), text: token.content, marker }];
  });
}

/** Links and what is set as code, of the prose. */
export function inlineOf(page: string): { links: string[]; code: string[] } {
  const inline = markdown.parse(textOf(page), {}).flatMap((token) => token.children ?? []);
  return {
    links: inline.flatMap((token) => [token.attrGet('href'), token.attrGet('src')]).filter((link): link is string => link !== null),
    code: inline.filter(({ type }) => type === 'code_inline').map(({ content }) => content),
  };
}

/** As GitHub makes them of headings. */
export function anchorsOf(page: string): Set<string> {
  const tokens = markdown.parse(textOf(page), {});
  const anchors = new Set<string>();
  tokens.forEach((token, i) => {
    if (token.type !== 'heading_open') return;
    const text = tokens[i + 1]!.children!.map(({ content }) => content).join('');
    const slug = text.trim().toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, '').replace(/\s/g, '-');
    let anchor = slug;
    for (let n = 1; anchors.has(anchor); n++) anchor = `${slug}-${n}`;
    anchors.add(anchor);
  });
  return anchors;
}

export const isExcused = ({ marker }: Block): boolean => marker !== undefined && /^(not run: \S|run by test\/)/.test(marker);

export const shown = ({ page, line }: Block): string => `${page}:${line}`;
