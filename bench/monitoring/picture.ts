import { writeFileSync } from 'node:fs';
import type { ObservedWindow } from '../../src/domain/monitor';
import { ACCENT, BAD, draw, frame, INK, MUTED } from '../../src/report/draw';
import { across, at, mark, xAxis, yAxis } from '../../src/report/marks';

/** The reports' colours, where there is no page around a drawing. */
const PALETTE = `<style>svg { --ink: #1c2127; --muted: #59616b; --line: #e2e6ea; --accent: #1b5fae; --bad: #ad2c1d; --paper: #fff; font-family: system-ui, sans-serif; background: var(--paper) }
@media (prefers-color-scheme: dark) { svg { --ink: #e7eaed; --muted: #a2abb5; --line: #2d333a; --accent: #7cb5f5; --bad: #ff9a8b; --paper: #14171b } }</style>`;

/** A metric by day: what was, and what was said of it before outcomes had come. */
export async function drawDays(file: string, { metric, windows }: { metric: string; windows: ObservedWindow[] }): Promise<void> {
  const days = windows.map(({ from, metrics, estimates }) => {
    const [measured, estimated] = [metrics.find((m) => m.metric === metric)!, estimates.find((m) => m.metric === metric)!];
    return { day: Date.parse(from), measured: measured.value, estimated: estimated.value, out: measured.breached ?? false, bound: measured.threshold! };
  });
  const line = (field: string, stroke: string, width: number) => mark('line', { x: at('x', 'day'), y: at('y', field), stroke, strokeWidth: width }, 'days');
  const drawing = await draw({
    ...frame({ height: 240 }),
    data: [{ name: 'days', values: days }, { name: 'out', values: days.filter(({ out }) => out) }],
    scales: [
      { name: 'x', type: 'utc', range: 'width', domain: { data: 'days', field: 'day' } },
      { name: 'y', type: 'linear', range: 'height', nice: true, zero: false, domain: { data: 'days', fields: ['measured', 'estimated', 'bound'] } },
    ],
    axes: [xAxis({ format: '%-d %b', tickCount: { interval: 'week', step: 2 } }), yAxis({ title: metric })],
    marks: [
      ...([['measured', MUTED], ['estimated', ACCENT], ['out of bounds', BAD]] as const).map(([text, fill], i) => mark('text', { x: [30, 110, 190][i]!, y: -12, text, fill })),
      across(days[0]!.bound, { stroke: INK, strokeDash: [4, 4] }),
      line('measured', MUTED, 1.5), line('estimated', ACCENT, 2),
      mark('symbol', { x: at('x', 'day'), y: at('y', 'measured'), size: 40, fill: BAD }, 'out'),
    ],
  });
  writeFileSync(file, drawing.html.replace(/<svg ([^>]*)>/, (_, of: string) => `<svg xmlns="http://www.w3.org/2000/svg" ${of}>${PALETTE}`));
}
