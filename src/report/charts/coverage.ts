import type { Mark } from 'vega';
import type { Interval } from '../../domain/proportion';
import { ACCENT, draw, frame, MUTED } from '../draw';
import type { Figure } from '../figure';
import { across, at, mark, namesOf, xAxis, yAxis } from '../marks';
import { count, percent } from '../words';

export interface CoverageGroup { name: string; rows: number; covered: Interval }

/** Whether the interval holds the share of true values that it is meant to, in every part of its range. */
export async function coverage(
  of: { groups: CoverageGroup[]; nominal: number; by: string; axis: string; caveat?: string },
): Promise<Figure | undefined> {
  const { groups, nominal, by, axis, caveat } = of;
  if (groups.length === 0) return undefined;
  const points = groups.map(({ name, covered }, i) => ({ i, name, ...covered }));
  const off = groups.filter((g) => g.covered.low > nominal || g.covered.high < nominal);
  const all = groups.reduce((sum, g) => sum + g.covered.value * g.rows, 0) / groups.reduce((sum, g) => sum + g.rows, 0);
  return {
    id: 'coverage',
    title: `The interval holds ${percent(all)} of the true values, meant are ${percent(nominal, 0)}`,
    note: `Share of true values within the interval, by ${by}: ${off.length === 0 ? 'nowhere clearly off' : `clearly off in ${off.length} of ${groups.length} groups`}.`
      + (caveat ? ` ${caveat}` : ''),
    alt: `Dots with 95% intervals, one for each of ${groups.length} groups by ${by}. The share within the interval goes from `
      + `${percent(Math.min(...points.map((p) => p.value)))} to ${percent(Math.max(...points.map((p) => p.value)))}; meant are ${percent(nominal)}.`,
    key: [{ mark: 'accent-dot', text: 'share, with its 95% interval' }, { mark: 'dashed-line', text: `meant: ${percent(nominal, 0)}` }],
    drawing: await draw({
      ...frame({ height: 250 }),
      data: [{ name: 'points', values: points }],
      scales: [
        { name: 'x', type: 'point', range: 'width', padding: 0.5, domain: { data: 'points', field: 'i' } },
        {
          name: 'y', type: 'linear', range: 'height', domain: [Math.max(0, Math.floor(10 * Math.min(nominal, ...points.map((p) => p.low))) / 10), 1],
        },
      ],
      axes: [
        xAxis({ title: axis, labelOverlap: true, encode: namesOf('points') }),
        yAxis({ format: '~%', title: 'within the interval' }),
      ],
      marks: [
        across(nominal, { stroke: MUTED, strokeDash: [4, 3] }),
        ...dotsWithIntervals(),
      ],
    }),
    table: {
      head: [axis, 'rows', 'within the interval', '95% interval'],
      rows: groups.map((g) => [g.name, count(g.rows), percent(g.covered.value), `${percent(g.covered.low)} to ${percent(g.covered.high)}`]),
    },
  };
}

/** Upright, at `i` on the scale x: the interval [low, high] and the value. */
const dotsWithIntervals = (): Mark[] => [
  mark('rule', { x: at('x', 'i'), y: at('y', 'low'), y2: at('y', 'high'), stroke: ACCENT, strokeWidth: 1.5 }, 'points'),
  mark('symbol', { x: at('x', 'i'), y: at('y', 'value'), size: 44, fill: ACCENT }, 'points'),
];
