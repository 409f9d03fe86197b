import type { RegressionDiagnosis } from '../../domain/diagnosis-regression';
import { ACCENT, draw, frame, INK } from '../draw';
import type { Figure } from '../figure';
import { at, diagonal, mark, xAxis, yAxis } from '../marks';
import { count, figure, range, rows } from '../words';

/** Every held-out row, or a sample: what was predicted against what was true. */
export async function predictedActual(d: RegressionDiagnosis): Promise<Figure> {
  const log = d.scale === 'log10';
  const values = d.points.flatMap((p) => [p.truth, p.predicted]);
  const domain = [Math.min(...values), Math.max(...values)];
  const axis = { grid: true, format: '~s' };
  const ends = d.groups.filter((_, i, all) => i === 0 || i === all.length - 1);
  const typical = log
    ? `within a factor of ${(10 ** d.residuals.median).toPrecision(2)} of the truth`
    : `within ${figure(d.residuals.median)} of the truth`;
  const sampled = d.points.length < d.rows;
  return {
    id: 'predicted-actual',
    title: `Half of the predictions are ${typical}`,
    note: `${sampled ? `A random ${count(d.points.length)} of ${rows(d.rows)}` : `All ${rows(d.rows)}`} held out. On the line, ${d.target} is `
      + `predicted exactly; above it, too high.`,
    alt: `Scatter plot of predicted against true ${d.target}, ${log ? 'both on logarithmic scales, ' : ''}${count(d.points.length)} points. `
      + ends.map((g) => `Where about ${figure(g.predicted)} is predicted, the median truth is ${figure(g.truth)}.`).join(' '),
    key: [{ mark: 'accent-dot', text: 'a row' }, { mark: 'ink-line', text: 'predicted = true' }],
    drawing: await draw({
      ...frame({ height: 370, left: 56 }),
      data: [{ name: 'points', values: d.points }],
      scales: [
        { name: 'x', type: log ? 'log' : 'linear', range: 'width', domain, nice: true, zero: false },
        { name: 'y', type: log ? 'log' : 'linear', range: 'height', domain, nice: true, zero: false },
      ],
      axes: [xAxis({ ...axis, title: `true ${d.target}` }), yAxis({ ...axis, title: 'predicted' })],
      marks: [
        mark('symbol', {
          x: at('x', 'truth'), y: at('y', 'predicted'), size: 10, fill: ACCENT, fillOpacity: d.points.length > 500 ? 0.4 : 0.6,
        }, 'points'),
        diagonal({ stroke: INK }),
      ],
    }),
    table: {
      caption: 'Rows by size of their prediction, in groups of equally many',
      head: ['predicted', 'rows', 'median predicted', 'median true'],
      rows: d.groups.map((g) => [range(g.from, g.to), count(g.rows), figure(g.predicted), figure(g.truth)]),
    },
  };
}
