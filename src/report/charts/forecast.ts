import type { ForecastDiagnosis, ForecastSeries } from '../../domain/diagnosis-forecast';
import { ACCENT, draw, frame, INK } from '../draw';
import type { Figure } from '../figure';
import { at, mark, xAxis, yAxis } from '../marks';
import { count, figure, isNumber, percent, range } from '../words';

const DAY_MS = 86_400_000;

/** One series of the holdout: what came, and what was forecast of it from the period before each forecast began. */
export async function forecast(series: ForecastSeries, d: ForecastDiagnosis, index: number): Promise<Figure> {
  const points = series.forecasts.flatMap(({ origin, periods }) => periods.map((p) => ({ origin, ...p, time: p.day * DAY_MS })));
  const truth = series.truth.map((p) => ({ ...p, time: p.day * DAY_MS }));
  const known = new Map(truth.map((p) => [p.period, p.value]));
  const banded = points.filter((p) => isNumber(p.low) && isNumber(p.high));
  const inside = banded.filter((p) => known.get(p.period)! >= p.low! && known.get(p.period)! <= p.high!);
  const name = series.name === '' ? '' : `${series.name}: `;
  const x = at('x', 'time');
  const y = (field: string) => at('y', field);
  const [from, to] = [truth[0]?.period ?? 'nothing', truth[truth.length - 1]?.period ?? 'nothing'];
  return {
    id: `forecast-${index + 1}`,
    title: banded.length > 0
      ? `${name}${count(inside.length)} of ${count(banded.length)} periods came within the interval`
      : `${name}forecast and truth`,
    note: `${d.target} in the holdout, and ${series.forecasts.length === 1 ? 'a forecast' : `${series.forecasts.length} forecasts`} made one `
      + `after the other, each from what was known before it began.`,
    alt: `Line chart of ${d.target} from ${from} to ${to}, with forecasts from ${series.forecasts.map((f) => f.origin).join(', ')}. `
      + `Of ${banded.length} forecast periods, ${percent(banded.length > 0 ? inside.length / banded.length : NaN)} came within the interval; `
      + `meant are ${percent(d.interval)}.`,
    key: [
      { mark: 'ink-line', text: 'truth' }, { mark: 'accent-line', text: 'forecast' },
      { mark: 'accent-band', text: `interval, meant for ${percent(d.interval, 0)}` },
    ],
    drawing: await draw({
      ...frame({ height: 290, left: 56 }),
      data: [{ name: 'truth', values: truth }, { name: 'points', values: points }, { name: 'banded', values: banded }],
      scales: [
        { name: 'x', type: 'utc', range: 'width', domain: { fields: [{ data: 'truth', field: 'time' }, { data: 'points', field: 'time' }] } },
        { name: 'y', type: 'linear', range: 'height', nice: true, zero: false, domain: { fields: [
          { data: 'truth', field: 'value' }, { data: 'points', field: 'value' }, { data: 'banded', field: 'low' }, { data: 'banded', field: 'high' },
        ] } },
      ],
      axes: [xAxis({ tickCount: 5, labelOverlap: true }), yAxis({ format: '~s', title: d.target })],
      marks: [
        { type: 'group', from: { facet: { name: 'band', data: 'banded', groupby: 'origin' } }, marks: [
          mark('area', { x, y: y('low'), y2: y('high'), fill: ACCENT, fillOpacity: 0.18 }, 'band'),
        ] },
        { type: 'group', from: { facet: { name: 'one', data: 'points', groupby: 'origin' } }, marks: [
          mark('line', { x, y: y('value'), stroke: ACCENT, strokeWidth: 2 }, 'one'),
          mark('symbol', { x, y: y('value'), size: points.length > 60 ? 4 : 16, fill: ACCENT }, 'one'),
        ] },
        mark('line', { x, y: y('value'), stroke: INK, strokeWidth: 1.5 }, 'truth'),
      ],
    }),
    table: {
      head: ['period', 'forecast from', 'forecast', 'interval', 'truth'],
      rows: points.map((p) => [p.period, p.origin, figure(p.value), range(p.low, p.high), figure(known.get(p.period) ?? NaN)]),
      text: [0, 1],
    },
  };
}
