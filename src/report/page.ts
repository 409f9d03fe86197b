import { createHash } from 'node:crypto';
import { renderFigure, type Figure } from './figure';
import { html, raw, type Child, type Html } from './html';
import { STYLE } from './style';

/** Nothing but this very style may be loaded or run: not even by a name that found its way past the escaping. */
const POLICY = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; base-uri 'none'; form-action 'none'`;

export interface Page {
  title: string;
  head: Html;
  sections: (Html | undefined)[];
  foot: string;
}

/** A self-contained HTML document: no script, nothing from elsewhere. */
export function page({ title, head, sections, foot }: Page): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${raw(POLICY)}">
<title>${title}</title>
<style>${raw(STYLE)}</style>
</head>
<body>
<header>
${head}
</header>
<main>
${sections}
</main>
<footer>
<p>${foot}</p>
</footer>
</body>
</html>
`.html;
}

/** Nothing where there is nothing to show. */
export function section(of: { id: string; title: string; text?: string; figures?: (Figure | undefined)[]; more?: Child }): Html | undefined {
  const figures = (of.figures ?? []).filter((figure) => figure !== undefined);
  if (figures.length === 0 && !of.more) return undefined;
  return html`<section id="${of.id}" aria-labelledby="${of.id}-title">
<h2 id="${of.id}-title">${of.title}</h2>
${of.text !== undefined && html`<p>${of.text}</p>`}
${figures.length > 0 && html`<div class="figures">${figures.map(renderFigure)}</div>`}
${of.more}
</section>
`;
}

/** A page of a few words: a list, or why there is nothing else. */
export const plainPage = (title: string, body: Html): string =>
  page({ title, head: html`<h1>${title}</h1>`, sections: [html`<section>${body}</section>`], foot: 'Shoal' });
