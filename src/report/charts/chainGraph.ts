import type { ReleaseStage, StageShare } from '../data';
import { ACCENT, draw, INK, LINE, MUTED, PAPER } from '../draw';
import type { Figure } from '../figure';
import { mark } from '../marks';
import { bytes, short, signedPercent } from '../words';
import { shareOf } from './shares';

const BOX = { width: 116, height: 62 };
const GAP = { x: 26, y: 18 };

interface Placed { stage: string; x: number; y: number; name: string; task: string; share: string; part: number; version: string; output: boolean }

/** The chain as it is composed: each stage with what it adds. From left to right, each after those it needs. */
export async function chainGraph(of: { stages: readonly ReleaseStage[]; outputStage: string; shares?: readonly StageShare[] }): Promise<Figure> {
  const { stages, outputStage, shares = [] } = of;
  const placed = place(stages, outputStage, new Map(shares.map((s) => [s.stage, s])));
  const at = new Map(placed.map((p) => [p.stage, p]));
  const links = stages.flatMap((s) => s.needs.flatMap((need) => (at.has(need) ? [path(at.get(need)!, at.get(s.stage)!)] : [])));
  const width = Math.max(...placed.map((p) => p.x)) + BOX.width;
  const height = Math.max(...placed.map((p) => p.y)) + BOX.height;
  const text = (field: string, dy: number, more: object) =>
    mark('text', { x: { field: 'x' }, dx: 8, y: { field: 'y' }, dy, text: { field }, fontSize: 11, ...more }, 'stages');
  const wide = width > 400;
  return {
    id: 'chain-graph',
    wide,
    title: stages.length === 1 ? 'One model is the whole chain' : `${stages.length} models make the prediction, ${outputStage} the last of them`,
    note: shares.length > 0
      ? 'The bar and the figure in a box: the share of the error that the stage takes away.'
      : 'An arrow: the outputs of one are inputs of the other.',
    alt: `Diagram of the chain. ${stages.map((s) => `${s.stage}, ${s.task}, takes ${s.needs.join(' and ') || 'the request only'}.`).join(' ')} `
      + `${outputStage} answers.`,
    drawing: await draw({
      // As wide as other charts at least, so that its text is no larger than theirs.
      width: wide ? width : 400, height, autosize: 'none', padding: { left: 4, right: 16, top: 6, bottom: 6 },
      data: [{ name: 'stages', values: placed }, { name: 'links', values: links.map((d) => ({ d })) }],
      marks: [
        mark('path', { path: { field: 'd' }, stroke: MUTED, strokeWidth: 1.5 }, 'links'),
        mark('rect', {
          x: { field: 'x' }, y: { field: 'y' }, width: BOX.width, height: BOX.height, cornerRadius: 6, fill: PAPER,
          stroke: { signal: `datum.output ? '${ACCENT}' : '${LINE}'` }, strokeWidth: { signal: 'datum.output ? 2 : 1.5' },
        }, 'stages'),
        mark('rect', {
          x: { signal: 'datum.x + 8' }, y: { signal: `datum.y + ${BOX.height - 10}` }, width: { signal: `datum.part * ${BOX.width - 16}` }, height: 4,
          cornerRadius: 2, fill: ACCENT,
        }, 'stages'),
        text('name', 18, { fontWeight: 600, fill: INK }),
        text('task', 33, { fill: MUTED }),
        text('share', 47, { fill: INK }),
      ],
    }),
    table: {
      head: ['stage', 'task', 'version', 'takes', 'when it fails', 'ONNX', 'takes away of the error'],
      rows: stages.map((s, i) => [
        s.stage, s.task, s.version, s.needs.join(', ') || 'the request', s.fallback ?? 'the chain fails', bytes(s.onnxBytes), placed[i]!.share,
      ]),
      text: [0, 1, 2, 3, 4],
    },
  };
}

function place(stages: readonly ReleaseStage[], outputStage: string, shares: Map<string, StageShare>): Placed[] {
  const column = columnsOf(stages);
  const columns = [...Array(1 + Math.max(...column.values())).keys()].map((c) => stages.filter((s) => column.get(s.stage) === c));
  const tallest = Math.max(...columns.map((c) => c.length));
  const largest = Math.max(0, ...[...shares.values()].map(shareOf));
  return stages.map((s) => {
    const c = column.get(s.stage)!;
    const share = shares.get(s.stage);
    return {
      stage: s.stage,
      x: c * (BOX.width + GAP.x),
      y: (columns[c]!.indexOf(s) + (tallest - columns[c]!.length) / 2) * (BOX.height + GAP.y),
      name: short(s.stage, 15),
      task: s.task,
      share: share ? `${signedPercent(shareOf(share)).replace('+', '')} of error` : '',
      part: share && largest > 0 ? Math.max(0, shareOf(share)) / largest : 0,
      version: s.version,
      output: s.stage === outputStage,
    };
  });
}

/** As far right as what takes its outputs allows, so that arrows are short and pass no other box. */
function columnsOf(stages: readonly ReleaseStage[]): Map<string, number> {
  const back = new Map<string, number>();
  for (const { stage } of [...stages].reverse()) {
    back.set(stage, Math.max(0, ...stages.filter((s) => s.needs.includes(stage)).map((s) => (back.get(s.stage) ?? 0) + 1)));
  }
  const last = Math.max(...back.values());
  return new Map([...back].map(([stage, steps]) => [stage, last - steps]));
}

/** A curve from box to box, with a head. */
function path(from: Placed, to: Placed): string {
  const [x1, y1, x2, y2] = [from.x + BOX.width, from.y + BOX.height / 2, to.x - 2, to.y + BOX.height / 2];
  const bend = (x2 - x1) / 2;
  return `M${x1},${y1}C${x1 + bend},${y1},${x2 - bend},${y2},${x2},${y2}M${x2 - 6},${y2 - 4}L${x2},${y2}L${x2 - 6},${y2 + 4}`;
}
