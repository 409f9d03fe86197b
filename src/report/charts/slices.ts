import type { SliceRow } from '../data';
import { ACCENT, BAD, draw, frame, MUTED, textWidth } from '../draw';
import type { Figure } from '../figure';
import { at, mark, namesAxis, upright, wordsBeside, xAxis } from '../marks';
import { count, figure, isNumber, range, short } from '../words';

const MOST = 24;

/** One metric on the parts of the judged rows, the worst first. */
export async function slices(all: readonly SliceRow[]): Promise<Figure[]> {
  const metrics = [...new Set(all.map((s) => s.metric))];
  const figures = await Promise.all(metrics.map((metric, i) => one(all.filter((s) => s.metric === metric && isNumber(s.value)), i)));
  return figures.filter((figure) => figure !== undefined);
}

async function one(of: SliceRow[], index: number): Promise<Figure | undefined> {
  const [{ metric, better, overall } = {} as SliceRow] = of;
  if (of.length === 0) return undefined;
  const badness = (s: SliceRow): number => (better === 'lower' ? s.value : -s.value);
  const sorted = [...of].sort((a, b) => badness(b) - badness(a) || (a.slice < b.slice ? -1 : 1));
  const isWorse = (s: SliceRow): boolean => (better === 'lower' ? isNumber(s.low) && s.low > overall : isNumber(s.high) && s.high < overall);
  const drawn = sorted.slice(0, MOST).map((s, i) => ({
    i, name: short(s.slice, 24), value: s.value, low: s.low ?? s.value, high: s.high ?? s.value, worse: isWorse(s), words: figure(s.value),
  }));
  const worse = sorted.filter(isWorse);
  const left = Math.max(...drawn.map((s) => textWidth(s.name))) + 16;
  const colour = { signal: `datum.worse ? '${BAD}' : '${ACCENT}'` };
  const y = at('y', 'i', { band: 0.5 });
  const bounds = [overall, ...drawn.flatMap((s) => [s.low, s.high])].filter(isNumber);
  return {
    id: `slices-${index + 1}`,
    title: worse.length === 0
      ? `No slice is clearly worse than the whole in ${metric}`
      : `${metric} is clearly worse on ${worse.length === 1 ? worse[0]!.slice : `${worse.length} of ${of.length} slices`}`,
    note: `${metric} by part of the held-out rows, with its 95% interval, the worst `
      + `first${drawn.length < of.length ? `; ${MOST} of ${of.length} are drawn` : ''}. ${better === 'lower' ? 'Lower' : 'Higher'} is better.`,
    alt: `Dots with 95% intervals for ${drawn.length} slices. ${metric} is ${figure(overall)} on all rows; the worst slice is `
      + `${sorted[0]!.slice} with ${figure(sorted[0]!.value)}, the best ${sorted[sorted.length - 1]!.slice} with `
      + `${figure(sorted[sorted.length - 1]!.value)}.`,
    key: [
      { mark: 'accent-dot', text: 'slice' }, ...(worse.length > 0 ? [{ mark: 'bad-dot' as const, text: 'clearly worse' }] : []),
      { mark: 'dashed-line', text: `all rows: ${figure(overall)}` },
    ],
    drawing: await draw({
      ...frame({ height: 56 + 24 * drawn.length, left, right: 60, top: 6 }),
      data: [{ name: 'slices', values: drawn }],
      scales: [
        { name: 'x', type: 'linear', range: 'width', domain: [Math.min(...bounds), Math.max(...bounds)], nice: true, zero: false },
        { name: 'y', type: 'band', range: 'height', domain: { data: 'slices', field: 'i' } },
      ],
      axes: [
        xAxis({ grid: true, tickCount: 4, title: metric }),
        namesAxis('slices'),
      ],
      marks: [
        upright(overall, { stroke: MUTED, strokeDash: [4, 3] }),
        mark('rule', { x: at('x', 'low'), x2: at('x', 'high'), y, stroke: colour, strokeWidth: 1.5 }, 'slices'),
        mark('symbol', { x: at('x', 'value'), y, size: 44, fill: colour }, 'slices'),
        wordsBeside('slices', y),
      ],
    }),
    table: {
      head: ['slice', 'rows', metric!, '95% interval', 'all rows'],
      rows: sorted.map((s) => [s.slice, count(s.rows), figure(s.value), range(s.low, s.high), figure(s.overall)]),
    },
  };
}
