import type { CanaryLook } from '../data';
import { ACCENT, BAD, draw, frame, INK, MUTED } from '../draw';
import type { Figure } from '../figure';
import { across, at, fixed, mark, xAxis, yAxis } from '../marks';
import { count, isNumber, signed } from '../words';

/** Before there are a few requests, the sequence is as wide as the sky. */
const WIDEST = 6;

const CHECK_WORDS: Record<string, string> = {
  failures: 'failed requests', latency: 'time to answer', output: 'what is answered', loss: 'error where outcomes are known',
};

/** One figure for each check: what was known of the candidate's effect at each look of the judge. */
export async function canary(looks: readonly CanaryLook[]): Promise<Figure[]> {
  const checks = [...new Set(looks.map((look) => look.check))];
  const figures = await Promise.all(checks.map((check) => {
    const known = looks.filter((l) => l.check === check && isNumber(l.effect));
    return one(check, known.sort((a, b) => Date.parse(a.at) - Date.parse(b.at)));
  }));
  return figures.filter((figure) => figure !== undefined);
}

async function one(check: string, looks: CanaryLook[]): Promise<Figure | undefined> {
  const last = looks[looks.length - 1];
  if (!last) return undefined;
  const reach = WIDEST * Math.max(last.tolerance, Math.abs(last.effect), (last.high - last.low) / 2) || 1;
  const clamp = (value: number): number => Math.min(reach, Math.max(-reach, value));
  const drawn = looks.map((l) => ({ time: Date.parse(l.at), effect: clamp(l.effect), low: clamp(l.low), high: clamp(l.high) }));
  const words = CHECK_WORDS[check] ?? check;
  const said = { pass: 'no worse than tolerated', fail: 'worse than tolerated', inconclusive: 'not decided' }[last.verdict];
  const x = at('x', 'time');
  const colour = last.verdict === 'fail' ? BAD : ACCENT;
  return {
    id: `canary-${check.replace(/[^a-z0-9]+/gi, '-').toLowerCase()}`,
    title: `${words[0]!.toUpperCase()}${words.slice(1)}: ${said} after ${count(looks.length)} look${looks.length === 1 ? '' : 's'}`,
    note: 'The candidate’s effect beside the current release, with its confidence sequence, at each look of the judge. Above zero is worse.',
    alt: `Line chart over time with a band. At the last look, ${last.at}, the effect is ${signed(last.effect)}, from ${signed(last.low)} to `
      + `${signed(last.high)}; ${signed(last.tolerance)} is tolerated.`,
    key: [
      { mark: 'accent-line', text: 'effect' }, { mark: 'accent-band', text: 'confidence sequence' },
      { mark: 'dashed-line', text: `tolerated: ${signed(last.tolerance)}` },
    ],
    drawing: await draw({
      ...frame({ height: 230, left: 56 }),
      data: [{ name: 'looks', values: drawn }],
      scales: [
        { name: 'x', type: 'utc', range: 'width', domain: { data: 'looks', field: 'time' } },
        {
          name: 'y', type: 'linear', range: 'height', nice: true,
          domain: [Math.min(0, ...drawn.map((l) => l.low)), Math.max(last.tolerance * 1.2, ...drawn.map((l) => l.high))],
        },
      ],
      axes: [xAxis({ tickCount: 4, labelOverlap: true, title: 'UTC' }), yAxis({ format: '~g', title: 'effect' })],
      marks: [
        mark('area', { x, y: at('y', 'low'), y2: at('y', 'high'), fill: ACCENT, fillOpacity: 0.18 }, 'looks'),
        across(0, { stroke: INK }),
        across(last.tolerance, { stroke: MUTED, strokeDash: [4, 3] }),
        mark('line', { x, y: at('y', 'effect'), stroke: ACCENT, strokeWidth: 2 }, 'looks'),
        mark('symbol', { x: fixed('x', drawn[drawn.length - 1]!.time), y: fixed('y', drawn[drawn.length - 1]!.effect), size: 52, fill: colour }),
      ],
    }),
    table: {
      head: ['at', 'effect', 'low', 'high', 'tolerated', 'verdict'],
      rows: looks.map((l) => [l.at, signed(l.effect), signed(l.low), signed(l.high), signed(l.tolerance), l.verdict]), text: [0, 5],
    },
  };
}
