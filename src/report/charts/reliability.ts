import type { ClassificationDiagnosis } from '../../domain/diagnosis-classification';
import { ACCENT, draw, frame, MUTED } from '../draw';
import type { Figure } from '../figure';
import { at, diagonal, mark, xAxis, yAxis } from '../marks';
import { count, percent } from '../words';

/** Whether what is said with 70% is right in 70 of 100 cases. */
export async function reliability({ reliability: bins, rows, accuracy }: ClassificationDiagnosis): Promise<Figure> {
  const mean = (f: (bin: (typeof bins)[number]) => number): number => bins.reduce((sum, bin) => sum + f(bin) * bin.rows, 0) / rows;
  const said = mean((bin) => bin.said);
  const gap = mean((bin) => Math.abs(bin.said - bin.right.value));
  const lean = Math.abs(said - accuracy) < 0.01 ? '' : said > accuracy ? ', and lean to overconfidence' : ', and lean to caution';
  const points = bins.map((bin) => ({ said: bin.said, value: bin.right.value, low: bin.right.low, high: bin.right.high, rows: bin.rows }));
  return {
    id: 'reliability',
    title: `Probabilities are off by ${percent(gap)} on average${lean}`,
    note: 'Share of right answers by the probability of the answer. On the line, probabilities mean what they say; the larger the dot, the more rows.',
    alt: `Reliability diagram in ${bins.length} bins. Answers are given a mean probability of ${percent(said)} and are right in ${percent(accuracy)}. `
      + bins.map((bin) => `At ${percent(bin.said, 0)}, ${percent(bin.right.value, 0)} are right.`).join(' '),
    key: [{ mark: 'accent-dot', text: 'right answers, with their 95% interval' }, { mark: 'dashed-line', text: 'as said' }],
    drawing: await draw({
      ...frame({ height: 370, left: 56, right: 20 }),
      data: [{ name: 'points', values: points }],
      scales: [
        { name: 'x', type: 'linear', range: 'width', domain: [0, 1] },
        { name: 'y', type: 'linear', range: 'height', domain: [0, 1] },
        { name: 'size', type: 'linear', range: [16, 160], domain: [0, Math.max(...bins.map((bin) => bin.rows))] },
      ],
      axes: [xAxis({ grid: true, format: '~%', title: 'probability of the answer' }), yAxis({ format: '~%', title: 'right answers' })],
      marks: [
        diagonal({ stroke: MUTED, strokeDash: [4, 3] }),
        mark('rule', { x: at('x', 'said'), y: at('y', 'low'), y2: at('y', 'high'), stroke: ACCENT, strokeWidth: 1.5 }, 'points'),
        mark('symbol', { x: at('x', 'said'), y: at('y', 'value'), size: at('size', 'rows'), fill: ACCENT }, 'points'),
      ],
    }),
    table: {
      head: ['probability', 'rows', 'mean probability', 'right', '95% interval'],
      rows: bins.map(({ from, to, rows: n, said: mean, right }) => [
        `${percent(from)} to ${percent(to)}`, count(n), percent(mean), percent(right.value), `${percent(right.low)} to ${percent(right.high)}`,
      ]),
    },
  };
}
