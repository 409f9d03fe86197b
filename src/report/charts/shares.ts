import type { StageShare } from '../data';
import { ACCENT, draw, frame, INK, MUTED, textWidth } from '../draw';
import type { Figure } from '../figure';
import { at, mark, namesAxis, upright, wordsBeside, xAxis } from '../marks';
import { skill } from '../skill';
import { bytes, figure, isNumber, range, short, signed, signedPercent } from '../words';

/** What the chain would lose without each of its stages. */
export async function shares(of: readonly StageShare[]): Promise<Figure | undefined> {
  const sorted = of.filter((s) => isNumber(s.gain) && isNumber(s.without)).sort((a, b) => b.gain - a.gain);
  const first = sorted[0];
  if (!first) return undefined;
  const stages = sorted.map((s, i) => ({
    i, name: short(s.stage, 24), gain: s.gain, idle: s.low <= 0, words: signedPercent(shareOf(s)),
    low: isNumber(s.low) ? s.low : s.gain, high: isNumber(s.high) ? s.high : s.gain,
  }));
  const left = Math.max(...stages.map((s) => textWidth(s.name))) + 16;
  const bounds = [0, ...stages.flatMap((s) => [s.low, s.high])];
  const idle = sorted.filter((s) => s.low <= 0);
  const y = at('y', 'i', { band: 0.5 });
  const colour = { signal: `datum.idle ? '${MUTED}' : '${ACCENT}'` };
  return {
    id: 'shares',
    title: idle.length === 0
      ? `Every stage adds to the chain; ${first.stage} adds most`
      : `${idle.map((s) => s.stage).join(', ')} ${idle.length === 1 ? 'adds' : 'add'} nothing that chance could not explain`,
    note: `What ${first.metric} loses when a stage answers as its trivial predictor does, with a 95% interval; on the right the share of the `
      + `error that it takes away.`,
    alt: `Dots with intervals by stage. `
      + `${sorted.map((s) => `${s.stage} gains ${figure(s.gain)} in ${s.metric}, from ${figure(s.low)} to ${figure(s.high)}.`).join(' ')}`,
    key: [{ mark: 'accent-dot', text: 'adds clearly' }, { mark: 'muted-dot', text: 'may add nothing' }],
    drawing: await draw({
      ...frame({ height: 56 + 30 * stages.length, left, right: 66, top: 6 }),
      data: [{ name: 'stages', values: stages }],
      scales: [
        { name: 'x', type: 'linear', range: 'width', domain: [Math.min(...bounds), Math.max(...bounds)], nice: true },
        { name: 'y', type: 'band', range: 'height', domain: { data: 'stages', field: 'i' } },
      ],
      axes: [
        xAxis({ grid: true, tickCount: 4, title: `gain in ${first.metric}` }),
        namesAxis('stages'),
      ],
      marks: [
        upright(0, { stroke: INK }),
        mark('rule', { x: at('x', 'low'), x2: at('x', 'high'), y, stroke: colour, strokeWidth: 2 }, 'stages'),
        mark('symbol', { x: at('x', 'gain'), y, size: 52, fill: colour }, 'stages'),
        wordsBeside('stages', y),
      ],
    }),
    table: {
      head: ['stage', `${first.metric} without it`, 'gain of having it', '95% interval', 'as a share', 'training', 'ONNX', 'worth its cost'],
      rows: sorted.map((s) => [
        s.stage, figure(s.without), signed(s.gain), range(s.low, s.high), signedPercent(shareOf(s)),
        s.seconds === undefined ? '' : `${s.seconds.toFixed(1)} s`, bytes(s.bytes),
        s.worth === undefined ? '' : s.worth ? 'yes' : 'no',
      ]),
      text: [0, 7],
    },
  };
}

/** Of the error that the chain would have without the stage. */
export const shareOf = ({ gain, without, better }: StageShare): number => skill(gain, { other: without, better });
