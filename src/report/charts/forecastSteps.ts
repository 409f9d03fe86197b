import type { ForecastDiagnosis } from '../../domain/diagnosis-forecast';
import { ACCENT, draw, frame, MUTED } from '../draw';
import type { Figure } from '../figure';
import { at, mark, xAxis, yAxis } from '../marks';
import { count, figure, percent } from '../words';

/** How the error grows with how far ahead is forecast. */
export async function forecastSteps({ steps }: ForecastDiagnosis): Promise<Figure | undefined> {
  if (steps.length === 0) return undefined;
  const beaten = steps.filter((s) => s.baseline !== undefined && s.error < s.baseline).length;
  const compared = steps.filter((s) => s.baseline !== undefined).length;
  const line = (field: string, stroke: string) => [
    mark('line', { x: at('x', 'step'), y: at('y', field), stroke: stroke, strokeWidth: 2 }, 'steps'),
    mark('symbol', { x: at('x', 'step'), y: at('y', field), size: 24, fill: stroke }, 'steps'),
  ];
  const [first, last] = [steps[0]!, steps[steps.length - 1]!];
  const most = Math.max(...steps.flatMap((s) => [s.error, s.baseline ?? 0]));
  return {
    id: 'forecast-steps',
    title: compared === 0
      ? 'The error by how far ahead is forecast'
      : `Better than the seasonal naive forecast at ${beaten} of ${compared} distances`,
    note: 'Mean absolute error by the number of periods ahead, in units of the seasonal naive forecast’s error before the holdout.',
    alt: `Line chart by periods ahead. The error is ${figure(first.error)} one period ahead and ${figure(last.error)} at ${last.step}`
      + `${first.baseline === undefined ? '' : `; the seasonal naive forecast's ${figure(first.baseline)} and ${figure(last.baseline ?? NaN)}`}.`,
    key: [{ mark: 'accent-line', text: 'this version' }, ...(compared > 0 ? [{ mark: 'muted-line' as const, text: 'seasonal naive' }] : [])],
    drawing: await draw({
      ...frame({ height: 250 }),
      data: [{ name: 'steps', values: steps.map(({ step, error, baseline }) => ({ step, error, baseline: baseline ?? null })) }],
      scales: [
        { name: 'x', type: 'linear', range: 'width', zero: false, domain: [1, Math.max(2, ...steps.map((s) => s.step))] },
        { name: 'y', type: 'linear', range: 'height', nice: true, domain: [0, most] },
      ],
      axes: [xAxis({ title: 'periods ahead', format: 'd', tickMinStep: 1 }), yAxis({ title: 'scaled error' })],
      marks: [...(compared > 0 ? line('baseline', MUTED) : []), ...line('error', ACCENT)],
    }),
    table: {
      head: ['periods ahead', 'forecast periods', 'scaled error', 'seasonal naive', 'within the interval'],
      rows: steps.map((s) => [
        count(s.step), count(s.rows), figure(s.error), s.baseline === undefined ? '' : figure(s.baseline), s.covered ? percent(s.covered.value) : '',
      ]),
      text: [],
    },
  };
}
