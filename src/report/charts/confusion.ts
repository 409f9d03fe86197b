import type { ClassificationDiagnosis } from '../../domain/diagnosis-classification';
import { ACCENT, draw, frame, INK, textWidth, WIDTH } from '../draw';
import type { Figure } from '../figure';
import { at, mark } from '../marks';
import { count, percent, short } from '../words';

/** Under text of the page's colour, more would leave too little contrast. */
const DARKEST = 0.5;

/** Which classes are taken for which. */
export async function confusion({ classes, confusion: counts, rows, accuracy }: ClassificationDiagnosis): Promise<Figure> {
  const totals = counts.map((row) => row.reduce((sum, n) => sum + n, 0));
  const cells = counts.flatMap((row, t) => row.map((n, p) => ({ t, p, n, share: totals[t] ? n / totals[t] : 0 })));
  const names = classes.map((name) => short(name, 18));
  const left = Math.max(...names.map(textWidth)) + 22;
  const size = WIDTH - left - 14;
  // Names under the matrix are turned by 50 degrees.
  const bottom = 0.77 * left + 8;
  const mistakes = cells.filter((c) => c.t !== c.p && c.n > 0).sort((a, b) => b.n - a.n);
  const worst = mistakes[0];
  return {
    id: 'confusion',
    title: worst
      ? `${percent(accuracy)} are right; the most frequent mistake is ${classes[worst.t]!} taken for ${classes[worst.p]!}`
      : `All ${count(rows)} held-out rows are right`,
    note: `Held-out rows by their true class (down) and the predicted one (across). The stronger the colour, the larger the share of the true class.`,
    alt: `Confusion matrix of ${classes.length} classes, ${count(rows)} rows. ${percent(accuracy)} lie on the diagonal or are right among the rarer classes. `
      + `Most frequent mistakes: `
      + `${mistakes.slice(0, 3).map((c) => `${classes[c.t]!} taken for ${classes[c.p]!} in ${count(c.n)}`).join('; ') || 'none'}.`,
    drawing: await draw({
      ...frame({ height: size * Math.min(1, 0.25 + classes.length / 12) + bottom + 8, left, top: 8, bottom }),
      data: [{ name: 'cells', values: cells }],
      scales: [
        { name: 'x', type: 'band', range: 'width', domain: classes.map((_, i) => i), padding: 0.04 },
        { name: 'y', type: 'band', range: 'height', domain: classes.map((_, i) => i), padding: 0.04 },
        { name: 'names', type: 'ordinal', domain: classes.map((_, i) => i), range: names },
      ],
      axes: [
        {
          orient: 'bottom', scale: 'x', labelAngle: -50, labelAlign: 'right', labelBaseline: 'middle', labelLimit: 0, labelOverlap: false,
          encode: label,
        },
        { orient: 'left', scale: 'y', labelLimit: 0, labelOverlap: false, encode: label },
      ],
      marks: [
        mark('rect', {
          x: at('x', 'p'), y: at('y', 't'), width: { scale: 'x', band: 1 }, height: { scale: 'y', band: 1 }, fill: ACCENT,
          fillOpacity: { signal: `0.03 + ${DARKEST - 0.03} * datum.share` },
        }, 'cells'),
        mark('text', {
          x: at('x', 'p', { band: 0.5 }), y: at('y', 't', { band: 0.5 }), align: 'center', baseline: 'middle', fontSize: classes.length > 9 ? 10 : 12,
          fontWeight: { signal: 'datum.t === datum.p ? 600 : 400' }, fill: INK, text: { signal: 'datum.n === 0 ? \'\' : format(datum.n, \',\')' },
        }, 'cells'),
      ],
    }),
    table: {
      head: ['true class', ...classes, 'rows', 'right'],
      rows: counts.map((row, t) => [classes[t]!, ...row.map(count), count(totals[t]!), totals[t] ? percent(row[t]! / totals[t]) : 'none']),
    },
  };
}

const label = { labels: { update: { text: { signal: 'scale(\'names\', datum.value)' } } } };
