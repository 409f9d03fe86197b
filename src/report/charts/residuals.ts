import type { RegressionDiagnosis } from '../../domain/diagnosis-regression';
import { ACCENT, draw, frame, INK } from '../draw';
import type { Figure } from '../figure';
import { at, fixed, mark, upright, xAxis, yAxis } from '../marks';
import { count, figure, signed } from '../words';

/** How the errors are spread, on the scale that the model is trained on. */
export async function residuals({ residuals: r, rows, scale }: RegressionDiagnosis): Promise<Figure> {
  const bins = r.counts.map((n, i) => ({ from: r.edges[i]!, to: r.edges[i + 1]!, n }));
  const reach = Math.max(...r.edges.map(Math.abs)) || 1;
  const unit = scale === 'log10' ? ' (log10)' : '';
  // Less than a tenth of a usual error is no bias that anyone would notice.
  const even = Math.abs(r.mean) < 0.1 * r.median;
  return {
    id: 'residuals',
    title: even
      ? 'The errors are centred: on average neither too high nor too low'
      : `The truth is on average ${r.mean > 0 ? 'higher' : 'lower'} than predicted, by ${figure(Math.abs(r.mean))}${unit}`,
    note: `Rows by their error, truth less prediction${scale === 'log10' ? ', in powers of ten' : ''}. Right of zero, the prediction was too low.`,
    alt: `Histogram of ${count(rows)} errors from ${figure(r.edges[0]!)} to ${figure(r.edges[r.edges.length - 1]!)}. Their mean is `
      + `${figure(r.mean)}; half are within ${figure(r.median)} of zero.`,
    drawing: await draw({
      ...frame({ height: 250 }),
      data: [{ name: 'bins', values: bins }],
      scales: [
        { name: 'x', type: 'linear', range: 'width', domain: [-reach, reach] },
        { name: 'y', type: 'linear', range: 'height', nice: true, domain: { data: 'bins', field: 'n' }, zero: true },
      ],
      axes: [xAxis({ title: `truth less prediction${unit}`, format: '~s' }), yAxis({ title: 'rows', format: '~s', tickMinStep: 1 })],
      marks: [
        mark('rect', {
          x: at('x', 'from'), x2: at('x', 'to', { offset: -0.8 }), y: at('y', 'n'), y2: fixed('y', 0), fill: ACCENT, fillOpacity: 0.75,
        }, 'bins'),
        upright(0, { stroke: INK }),
      ],
    }),
    table: { head: ['truth less prediction', 'rows'], rows: bins.map((b) => [`${signed(b.from)} to ${signed(b.to)}`, count(b.n)]) },
  };
}
