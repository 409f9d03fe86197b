import type { Axis, EncodeEntry, Mark } from 'vega';
import { INK } from './draw';

/** Vega's marks and axes in fewer words: a plain number or string stands for a fixed value. */

type Encoding = Record<string, unknown>;

export const mark = (type: Mark['type'], encoding: Encoding, data?: string): Mark => ({
  type, ...(data !== undefined && { from: { data } }), encode: { enter: encoded(encoding) },
} as Mark);

/** The value of a field, on a scale. */
export const at = (scale: string, field: string, more: object = {}) => ({ scale, field, ...more });
/** A fixed value, on a scale. */
export const fixed = (scale: string, value: number) => ({ scale, value });

/** Lines through the whole chart, at one place of a scale. */
export const across = (y: number, style: Encoding): Mark => mark('rule', { x: 0, x2: { field: { group: 'width' } }, y: fixed('y', y), ...style });
export const upright = (x: number, style: Encoding): Mark => mark('rule', { x: fixed('x', x), y: 0, y2: { field: { group: 'height' } }, ...style });
/** From the lower left to the upper right. */
export const diagonal = (style: Encoding): Mark =>
  mark('rule', { x: 0, y: { field: { group: 'height' } }, x2: { field: { group: 'width' } }, y2: 0, ...style });

/** Beside a chart of rows: the field `words` of each, right of the marks. */
export const wordsBeside = (data: string, y: object): Mark =>
  mark('text', { x: { field: { group: 'width' } }, dx: 8, y, baseline: 'middle', fill: INK, text: { field: 'words' } }, data);

export const xAxis = (of: Partial<Axis>): Axis => ({ orient: 'bottom', scale: 'x', tickCount: 5, ...of });

/** Its title is above it, to be read without turning the head. */
export const yAxis = (of: Partial<Axis>): Axis => ({
  orient: 'left', scale: 'y', grid: true, tickCount: 5,
  titleAngle: 0, titleAlign: 'left', titleAnchor: 'end', titleBaseline: 'bottom', titleX: -40, titleY: -10, ...of,
});

/** Of a chart of rows, which are numbered: the field `name` of each. */
export const namesAxis = (data: string): Axis => ({
  orient: 'left', scale: 'y', labelColor: INK, labelLimit: 0, labelOverlap: false, encode: namesOf(data),
});

export const namesOf = (data: string): NonNullable<Axis['encode']> => ({ labels: { update: { text: { signal: `data('${data}')[datum.value].name` } } } });

function encoded(encoding: Encoding): EncodeEntry {
  const isValue = (of: unknown): boolean => typeof of !== 'object' || Array.isArray(of);
  return Object.fromEntries(Object.entries(encoding).map(([channel, of]) => [channel, isValue(of) ? { value: of } : of])) as EncodeEntry;
}
