import type { Spec } from 'vega';
import { printable, raw, type Html } from './html';

/**
 * Vega draws: the scales, axes and marks of a chart, without a browser. Colours are the page's CSS variables, so that one drawing serves
 * light and dark. It is loaded at the first chart: processes that draw nothing do without its memory.
 */
export async function draw(chart: Spec): Promise<Html> {
  const { View, parse } = await import('vega');
  const view = new View(parse({ ...chart, config: CONFIG }), { renderer: 'none' });
  try {
    return raw(plain(printable(await view.toSVG())));
  } finally {
    view.finalize();
  }
}

export const INK = 'var(--ink)';
export const MUTED = 'var(--muted)';
export const LINE = 'var(--line)';
export const ACCENT = 'var(--accent)';
export const BAD = 'var(--bad)';
export const PAPER = 'var(--paper)';

/** Pixels at which texts are of the page's size; the page makes charts as wide as their column. */
export const WIDTH = 420;
export const FONT_SIZE = 12;

/** Room for axes on all sides, and what is left for the marks. */
export function frame({ height, left = 48, right = 14, top = 30, bottom = 42 }: {
  height: number; left?: number; right?: number; top?: number; bottom?: number;
}): Pick<Spec, 'width' | 'height' | 'padding' | 'autosize'> {
  return { width: WIDTH - left - right, height: height - top - bottom, padding: { left, right, top, bottom }, autosize: 'none' };
}


/** About how wide a text will be, in pixels: there is no font to measure with. */
export const textWidth = (text: string): number => Math.ceil(text.length * FONT_SIZE * 0.55);

const CONFIG: Spec['config'] = {
  axis: {
    domainColor: LINE, gridColor: LINE, tickColor: LINE, labelColor: MUTED, titleColor: MUTED, labelFontSize: FONT_SIZE, titleFontSize: FONT_SIZE,
    titleFontWeight: 'normal', titlePadding: 8, tickSize: 4, labelPadding: 4, domain: false, ticks: false,
  },
  text: { fontSize: FONT_SIZE, fill: INK },
  rule: { stroke: LINE },
};

const DROPPED = / (?:role|aria-[a-z]+|class|pointer-events|font-family)="[^"]*"/g;
const LONG_NUMBER = /-?\d+\.\d{3,}(?:e-?\d+)?/g;

/** Without what the page says better itself: the chart as a whole is one image with one description. Text between tags stays as it is. */
function plain(svg: string): string {
  return svg.replace(/<[a-z][^>]*>/g, (tag) => {
    if (tag.startsWith('<svg')) return `<svg ${/width="[^"]*" height="[^"]*" viewBox="[^"]*"/.exec(tag)![0]}>`;
    if (tag.includes(' display="none"') || (tag.includes(' class="background"') && !/ (?:fill|stroke)="/.test(tag))) return '';
    return tag.replace(DROPPED, '').replace(LONG_NUMBER, (number) => String(Math.round(Number(number) * 100) / 100));
  });
}
