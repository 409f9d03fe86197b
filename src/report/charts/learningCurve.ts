import type { TrainingSummary } from '../../domain/version';
import { ACCENT, draw, frame, INK, LINE, MUTED } from '../draw';
import type { Figure } from '../figure';
import { at, fixed, mark, upright, xAxis, yAxis } from '../marks';
import { count, figure, isNumber } from '../words';

/** Loss by epoch on the rows that were learnt from, and on those kept out of each member. */
export async function learningCurve({ curve, bestEpoch, epochs }: Pick<TrainingSummary, 'curve' | 'bestEpoch' | 'epochs'>): Promise<Figure | undefined> {
  const points = curve.train.map((train, i) => ({ epoch: i + 1, train, validation: curve.validation[i] ?? NaN }))
    .filter((p) => isNumber(p.train) && isNumber(p.validation));
  const best = points.find((p) => p.epoch === bestEpoch) ?? points[points.length - 1];
  const last = points[points.length - 1];
  if (!best || !last) return undefined;
  // The first epochs fall so far that what follows would be flat.
  const shown = points.map((p) => p.validation).sort((a, b) => a - b);
  const ceiling = Math.max(best.validation * 2.5, shown[Math.floor(shown.length * 0.9)]!);
  const seen = points.filter((p) => Math.max(p.train, p.validation) <= ceiling);
  const drawn = seen.length > 1 ? seen : points;
  const line = (field: string, stroke: string) => mark('line', { x: at('x', 'epoch'), y: at('y', field), stroke, strokeWidth: 2 }, 'points');
  const late = best.epoch > (last.epoch + 1) / 2;
  return {
    id: 'learning-curve',
    title: bestEpoch < epochs
      ? `The validation loss was lowest in epoch ${count(bestEpoch)} of ${count(epochs)}`
      : `The validation loss was still falling in the last epoch, ${count(epochs)}`,
    note: `Loss by epoch. The weights of epoch ${count(bestEpoch)} were `
      + `kept.${drawn.length < points.length ? ' Epochs with a much larger loss are not drawn.' : ''}`,
    alt: `Line chart. Training loss falls from ${figure(points[0]!.train)} to ${figure(last.train)}; validation loss from ${figure(points[0]!.validation)} to `
      + `${figure(best.validation)} in epoch ${bestEpoch}, and is ${figure(last.validation)} in epoch ${last.epoch}.`,
    key: [{ mark: 'accent-line', text: 'validation' }, { mark: 'muted-line', text: 'training' }, { mark: 'dashed-line', text: 'kept' }],
    drawing: await draw({
      ...frame({ height: 250 }),
      data: [{ name: 'points', values: drawn }],
      scales: [
        { name: 'x', type: 'linear', range: 'width', zero: false, domain: { data: 'points', field: 'epoch' } },
        {
          name: 'y', type: 'linear', range: 'height', nice: true, zero: false,
          domain: { fields: [{ data: 'points', field: 'train' }, { data: 'points', field: 'validation' }] },
        },
      ],
      axes: [xAxis({ title: 'epoch', format: 'd', tickMinStep: 1 }), yAxis({ title: 'loss' })],
      marks: [
        upright(best.epoch, { stroke: MUTED, strokeDash: [3, 3] }),
        line('train', MUTED),
        line('validation', ACCENT),
        mark('symbol', { x: fixed('x', best.epoch), y: fixed('y', best.validation), size: 50, fill: ACCENT, stroke: LINE }),
        mark('text', {
          x: fixed('x', best.epoch), dx: late ? -8 : 8, align: late ? 'right' : 'left', y: 10, fill: INK,
          text: `epoch ${count(best.epoch)}: ${figure(best.validation)}`,
        }),
      ],
    }),
    table: {
      head: ['epoch', 'training loss', 'validation loss'], rows: points.map((p) => [count(p.epoch), figure(p.train), figure(p.validation)]), text: [],
    },
  };
}
