import type { EmbeddingDiagnosis } from '../../domain/diagnosis-embedding';
import { ACCENT, draw, frame, MUTED } from '../draw';
import type { Figure } from '../figure';
import { at, fixed, mark, xAxis, yAxis } from '../marks';
import { count, percent } from '../words';

/** Whether rows that are alike lie nearer to each other than others do. */
export async function similarity({ edges, alike, others, separation, rows }: EmbeddingDiagnosis): Promise<Figure> {
  const share = (counts: number[]): number[] => { const total = counts.reduce((sum, n) => sum + n, 0); return counts.map((n) => n / total); };
  const [near, far] = [share(alike), share(others)];
  const bins = alike.map((_, i) => ({ at: (edges[i]! + edges[i + 1]!) / 2, near: near[i]!, far: far[i]! }));
  const mean = (shares: number[]): number => shares.reduce((sum, s, i) => sum + s * bins[i]!.at, 0);
  const area = (field: string, colour: string) =>
    mark('area', { x: at('x', 'at'), y: at('y', field), y2: fixed('y', 0), interpolate: 'monotone', fill: colour, fillOpacity: 0.22 }, 'bins');
  const line = (field: string, colour: string) =>
    mark('line', { x: at('x', 'at'), y: at('y', field), interpolate: 'monotone', stroke: colour, strokeWidth: 2 }, 'bins');
  return {
    id: 'similarity',
    title: `Alike rows are nearer than others in ${percent(separation)} of comparisons`,
    note: `All pairs of ${count(rows)} held-out rows by the cosine of their vectors. The less the two overlap, the better; by chance it would be `
      + `50%.`,
    alt: `Two distributions of cosine similarity from -1 to 1. Pairs of alike rows average ${mean(near).toFixed(2)}, other pairs `
      + `${mean(far).toFixed(2)}.`,
    key: [
      { mark: 'accent-line', text: `${count(alike.reduce((s, n) => s + n, 0))} pairs of alike rows` },
      { mark: 'muted-line', text: `${count(others.reduce((s, n) => s + n, 0))} other pairs` },
    ],
    drawing: await draw({
      ...frame({ height: 250 }),
      data: [{ name: 'bins', values: bins }],
      scales: [
        { name: 'x', type: 'linear', range: 'width', domain: [-1, 1] },
        {
          name: 'y', type: 'linear', range: 'height', nice: true, zero: true,
          domain: { fields: [{ data: 'bins', field: 'near' }, { data: 'bins', field: 'far' }] },
        },
      ],
      axes: [xAxis({ title: 'cosine' }), yAxis({ format: '~%', title: 'share of pairs' })],
      marks: [area('far', MUTED), area('near', ACCENT), line('far', MUTED), line('near', ACCENT)],
    }),
    table: {
      head: ['cosine', 'pairs of alike rows', 'other pairs'],
      rows: bins.map((_, i) => [`${edges[i]!.toFixed(2)} to ${edges[i + 1]!.toFixed(2)}`.replaceAll('-', '−'), count(alike[i]!), count(others[i]!)]),
    },
  };
}
