import { html, raw, type Child, type Html } from './html';

/** One chart: what it shows in a sentence, the drawing, and the numbers behind it for who can't see it or wants to know exactly. */
export interface Figure {
  /** Unique on the page. */
  id: string;
  /** The finding, as a sentence without a full stop. */
  title: string;
  /** What is drawn and how to read it. */
  note: string;
  /** The drawing in words, for a screen reader. */
  alt: string;
  key?: { mark: KeyMark; text: string }[];
  drawing: Html;
  /** Keeps its size: it takes the page's whole width, and is scrolled where that is less. */
  wide?: boolean;
  table: DataTable;
}

/** The marks of a chart's key; see style.ts. */
export type KeyMark = 'accent-line' | 'accent-dot' | 'accent-band' | 'ink-line' | 'muted-line' | 'muted-dot' | 'dashed-line' | 'bad-dot';

export interface DataTable {
  caption?: string;
  head: string[];
  /** The first cell of a row is its head. */
  rows: Child[][];
  /** Columns that hold text; the others hold numbers and are aligned as such. */
  text?: number[];
}

export function renderFigure({ id, title, note, alt, key, drawing, table, wide }: Figure): Html {
  const image = drawing.html.replace('<svg', html`<svg role="img" aria-label="${alt}"`.html);
  return html`<figure id="${id}"${wide && raw(' class="wide"')}>
<figcaption><h3>${title}</h3><p>${note}</p></figcaption>
${key && html`<ul class="key">${key.map(({ mark, text }) => html`<li><i class="${mark}"></i>${text}</li>`)}</ul>`}
${wide ? html`<div class="scroll" tabindex="0" role="region" aria-label="${title}">${raw(image)}</div>` : raw(image)}
<details><summary>Numbers<span class="unseen"> of: ${title}</span></summary>${renderTable({ caption: title, ...table }, { hideCaption: true })}</details>
</figure>
`;
}

export function renderTable({ caption, head, rows, text = [0] }: DataTable, { hideCaption = false } = {}): Html {
  const align = (column: number): string => (text.includes(column) ? 't' : 'n');
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${caption ?? 'Table'}"><table>
${caption !== undefined && html`<caption${hideCaption && raw(' class="unseen"')}>${caption}</caption>`}
<thead><tr>${head.map((name, i) => html`<th scope="col" class="${align(i)}">${name}</th>`)}</tr></thead>
<tbody>${rows.map((row) => html`
<tr>${row.map((cell, i) => (i === 0 ? html`<th scope="row" class="${align(i)}">${cell}</th>` : html`<td class="${align(i)}">${cell}</td>`))}</tr>`)}
</tbody></table></div>`;
}
