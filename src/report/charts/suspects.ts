import type { Suspects } from '../data';
import { ACCENT, draw, frame, INK, textWidth } from '../draw';
import type { Figure } from '../figure';
import { at, fixed, mark, namesAxis, xAxis } from '../marks';
import { count, percent, rows, short } from '../words';

/** Rows whose labels are not to be trusted, by what speaks against them. */
export async function suspects({ rows: all, total, byReason }: Suspects): Promise<Figure | undefined> {
  const reasons = byReason.map((r, i) => ({ i, name: short(r.reason, 24), rows: r.rows, words: count(r.rows) }));
  if (reasons.length === 0) return undefined;
  const left = Math.max(...reasons.map((r) => textWidth(r.name))) + 16;
  return {
    id: 'suspects',
    title: total === 0
      ? `None of ${rows(all)} has a suspect label`
      : `${percent(all > 0 ? total / all : NaN)} of ${rows(all)} ${total === 1 ? 'is a suspect' : 'are suspects'}`,
    note: 'Rows by what speaks against them; a row may have several reasons.',
    alt: `Bars by reason. ${byReason.map((r) => `${r.reason}: ${rows(r.rows)}.`).join(' ')}`,
    drawing: await draw({
      ...frame({ height: 52 + 30 * reasons.length, left, right: 60, top: 6 }),
      data: [{ name: 'reasons', values: reasons }],
      scales: [
        { name: 'x', type: 'linear', range: 'width', domain: [0, Math.max(1, ...reasons.map((r) => r.rows))] },
        { name: 'y', type: 'band', range: 'height', padding: 0.35, domain: { data: 'reasons', field: 'i' } },
      ],
      axes: [
        xAxis({ grid: true, format: '~s', tickMinStep: 1, title: 'rows' }),
        namesAxis('reasons'),
      ],
      marks: [
        mark('rect', { x: fixed('x', 0), x2: at('x', 'rows'), y: at('y', 'i'), height: { scale: 'y', band: 1 }, fill: ACCENT }, 'reasons'),
        mark('text', {
          x: at('x', 'rows'), dx: 6, y: at('y', 'i', { band: 0.5 }), baseline: 'middle', fill: INK, text: { field: 'words' },
        }, 'reasons'),
      ],
    }),
    table: { head: ['reason', 'rows', 'share'], rows: byReason.map((r) => [r.reason, count(r.rows), percent(all > 0 ? r.rows / all : NaN)]) },
  };
}
