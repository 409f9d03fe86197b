import type { DriftRow } from '../data';
import { ACCENT, BAD, draw, frame, MUTED, textWidth } from '../draw';
import type { Figure } from '../figure';
import { at, fixed, mark, namesAxis, upright, wordsBeside, xAxis } from '../marks';
import { isNumber, short } from '../words';

const MOST = 24;
/** Beyond ten times the threshold, how far beyond does not matter. */
const FURTHEST = 10;

/** How far each column's distribution has moved, next to what counts as drift. */
export async function drift(all: readonly DriftRow[]): Promise<Figure | undefined> {
  const strength = ({ statistic, threshold, driftsWhen }: DriftRow): number =>
    (driftsWhen === 'above' ? statistic / threshold : threshold / Math.max(statistic, Number.MIN_VALUE));
  const measured = all.filter((d) => isNumber(d.statistic) && isNumber(d.threshold) && d.threshold > 0).sort((a, b) => strength(b) - strength(a));
  if (measured.length === 0) return undefined;
  const drifted = measured.filter((d) => d.drifted);
  const drawn = measured.slice(0, MOST).map((d, i) => {
    const ratio = Math.min(FURTHEST, Math.max(0, strength(d)));
    const words = strength(d) >= FURTHEST ? `${FURTHEST} or more` : `${strength(d).toPrecision(2)}×`;
    return { i, name: short(d.column, 24), ratio, drifted: d.drifted, words };
  });
  const left = Math.max(...drawn.map((d) => textWidth(d.name))) + 16;
  const named = (some: DriftRow[]): string =>
    (some.length <= 2 ? some.map((d) => d.column).join(' and ') : `${some.length} of ${measured.length} columns`);
  return {
    id: 'drift-columns',
    title: drifted.length === 0
      ? `None of ${measured.length} columns has drifted`
      : `${named(drifted)} ${drifted.length > 1 ? 'have' : 'has'} drifted`,
    note: `By how much each column is beyond, or short of, its test’s `
      + `threshold${drawn.length < measured.length ? `; ${MOST} of ${measured.length} are drawn` : ''}.`,
    alt: `Bars by column, in multiples of the threshold. `
      + `${drawn.slice(0, 5).map((d) => `${d.name} ${d.words}${d.drifted ? ', drifted' : ''}.`).join(' ')}`,
    key: [{ mark: 'bad-dot', text: 'drifted' }, { mark: 'accent-dot', text: 'stable' }, { mark: 'dashed-line', text: 'threshold' }],
    drawing: await draw({
      ...frame({ height: 56 + 24 * drawn.length, left, right: 78, top: 6 }),
      data: [{ name: 'columns', values: drawn }],
      scales: [
        { name: 'x', type: 'sqrt', range: 'width', domain: [0, Math.max(1.5, ...drawn.map((d) => d.ratio))] },
        { name: 'y', type: 'band', range: 'height', padding: 0.35, domain: { data: 'columns', field: 'i' } },
      ],
      axes: [
        xAxis({ values: [0, 1, 2, 5, 10], title: 'multiples of the threshold' }),
        namesAxis('columns'),
      ],
      marks: [
        mark('rect', {
          x: fixed('x', 0), x2: at('x', 'ratio'), y: at('y', 'i'), height: { scale: 'y', band: 1 },
          fill: { signal: `datum.drifted ? '${BAD}' : '${ACCENT}'` },
        }, 'columns'),
        upright(1, { stroke: MUTED, strokeDash: [4, 3] }),
        wordsBeside('columns', at('y', 'i', { band: 0.5 })),
      ],
    }),
    table: {
      head: ['column', 'test', 'statistic', 'threshold', 'verdict', 'why'],
      rows: measured.map((d) => [d.column, d.test, exact(d.statistic), exact(d.threshold), d.drifted ? 'drifted' : 'stable', d.reason ?? '']),
      text: [0, 1, 4, 5],
    },
  };
}

/** p-values are as small as they like. */
const exact = (value: number): string => (value !== 0 && Math.abs(value) < 0.001 ? value.toExponential(1) : String(Number(value.toPrecision(3))));
