import type { MetricResult } from '../../domain/version';
import { ACCENT, BAD, draw, frame, INK, MUTED, textWidth } from '../draw';
import type { Figure } from '../figure';
import { at, mark, upright, wordsBeside, xAxis } from '../marks';
import { skill } from '../skill';
import { figure, isNumber, percent, range, signed, signedPercent } from '../words';

/** Further left, how much worse does not matter. */
const WORST = -1;

/** How much of another predictor's error is gone, metric by metric, so that metrics can stand side by side. */
export async function gains(metrics: readonly MetricResult[], against: 'baseline' | 'champion'): Promise<Figure | undefined> {
  const all = metrics.flatMap((m) => {
    const other = m[against];
    return other && isNumber(other.gain.value) && isNumber(other.gain.low) && isNumber(other.gain.high) ? [{ m, other }] : [];
  });
  const shown = all.flatMap(({ m, other }) => {
    const gone = (gain: number): number => skill(gain, { other: other.value, better: m.better });
    const [value, low, high] = [gone(other.gain.value), gone(other.gain.low), gone(other.gain.high)];
    return !isNumber(value) ? [] : [{ metric: m.metric, value, low, high, clear: low > 0 ? 'better' : high < 0 ? 'worse' : 'unclear', m, other }];
  });
  const first = shown[0];
  if (!first) return undefined;
  const who = against === 'baseline' ? 'the baseline' : `the champion, ${first.m.champion!.version}`;
  const words = first.clear === 'unclear' ? `No clear difference from the ${against} in ${first.metric}`
    : `${percent(Math.abs(first.value))} ${first.value > 0 ? 'less' : 'more'} error than the ${against}, by ${first.metric}`;
  const clamp = (share: number): number => Math.max(WORST, share);
  const drawn = shown.map(({ metric, value, low, high, clear }) => ({
    metric, value: clamp(value), low: clamp(low), high: clamp(high), clear, words: signedPercent(value),
  }));
  const bounds = drawn.flatMap((g) => [g.low, g.high, 0]);
  const colour = { signal: `datum.clear === 'worse' ? '${BAD}' : datum.clear === 'better' ? '${ACCENT}' : '${MUTED}'` };
  const left = Math.max(...shown.map((g) => textWidth(g.metric))) + 16;
  const confidence = Math.round(100 * first.other.gain.confidence);
  return {
    id: `gain-${against}`,
    title: words,
    note: `The share of the error of ${who} that is gone, on the same rows, with its ${confidence}% interval. Right of zero is better.`,
    alt: `Dots with ${confidence}% intervals by metric. `
      + `${shown.map((g) => `${g.metric} ${signedPercent(g.value)}, from ${signedPercent(g.low)} to ${signedPercent(g.high)}.`).join(' ')}`,
    drawing: await draw({
      ...frame({ height: 52 + 30 * shown.length, left, right: 70, top: 6 }),
      data: [{ name: 'gains', values: drawn }],
      scales: [
        { name: 'x', type: 'linear', range: 'width', domain: [Math.min(...bounds), Math.max(...bounds)], nice: true },
        { name: 'y', type: 'band', range: 'height', domain: { data: 'gains', field: 'metric' } },
      ],
      axes: [
        xAxis({ grid: true, format: '~%', tickCount: 4, title: 'share of the error that is gone' }),
        { orient: 'left', scale: 'y', labelColor: INK, labelLimit: 0 },
      ],
      marks: [
        upright(0, { stroke: INK }),
        mark('rule', { x: at('x', 'low'), x2: at('x', 'high'), y: at('y', 'metric', { band: 0.5 }), stroke: colour, strokeWidth: 2 }, 'gains'),
        mark('symbol', { x: at('x', 'value'), y: at('y', 'metric', { band: 0.5 }), size: 52, fill: colour }, 'gains'),
        wordsBeside('gains', at('y', 'metric', { band: 0.5 })),
      ],
    }),
    table: {
      head: ['metric', 'this one', against, 'gain', `${confidence}% interval`, 'error gone'],
      rows: all.map(({ m, other }) => [
        m.metric, figure(m.value), figure(other.value), signed(other.gain.value), range(other.gain.low, other.gain.high),
        signedPercent(shown.find((g) => g.m === m)?.value ?? NaN),
      ]),
    },
  };
}
