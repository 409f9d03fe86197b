import { z } from 'zod';
import { COSTS } from '../domain/spec';
import { DEFAULT_SERVABLE, DEFAULT_SLICE_ROWS, DEFAULT_WORTH } from './defaults';

/** What decides whether a version or a release may have its place. */

const sliceSchema = z.strictObject({
  column: z.string().min(1).optional().describe('A column of the source: every value it has is a slice.'),
  where: z.string().min(1).optional().describe('SQL (DuckDB\'s) that is true for the slice\'s rows of `source`; it has the limits of a source\'s `sql`.'),
  name: z.string().min(1).optional().describe('What `where` means, for reasons.'),
  minRows: z.int().min(2).default(DEFAULT_SLICE_ROWS).describe('Slices with fewer judged rows are not judged.'),
}).refine((slice) => (slice.column === undefined) !== (slice.where === undefined), { message: 'a slice needs either `column` or `where`' })
  .refine((slice) => slice.column === undefined || slice.name === undefined, { message: '`name` goes with `where`: the slices of a column have its values\' names' });

type Gate = { metric: string; against: string; min?: number; max?: number; confidence?: number; inDoubt?: string; slice?: unknown };

/** What is wrong with a gate as a whole. */
const RULES: [holds: (gate: Gate) => boolean, message: string][] = [
  [({ min, max }) => min !== undefined || max !== undefined, 'a gate needs `min` or `max`'],
  [({ min = -Infinity, max = Infinity }) => min <= max, 'nothing is at least `min` and at most `max`'],
  [({ inDoubt, confidence, slice }) => inDoubt === undefined || confidence !== undefined || slice !== undefined, '`inDoubt` needs `confidence`: without, the estimate decides'],
  [({ metric, against }) => metric !== 'coverage' || against === 'value', 'more coverage is not a gain: compare `coverage_gap`, its distance from the interval\'s nominal share'],
  [({ metric, against }) => !isCost(metric) || against !== 'baseline', 'the baseline has no file and takes no time'],
  [({ metric, slice }) => !isCost(metric) || slice === undefined, 'size and time are not measured by slice'],
  [({ metric, confidence }) => !isCost(metric) || confidence === undefined, 'size and time are measured once: there is no confidence to ask for'],
];
const isCost = (metric: string): boolean => Object.hasOwn(COSTS, metric);

export const gateSchema = <M extends string>(metrics: readonly M[]) => z.strictObject({
  metric: z.enum(metrics).describe('The metric that is judged.'),
  against: z.enum(['value', 'baseline', 'champion']).default('value')
    .describe('`value` bounds the metric itself; the others bound the gain over that predictor (positive is better).'),
  min: z.number().optional().describe('The least that passes.'),
  max: z.number().optional().describe('The most that passes.'),
  confidence: z.number().gt(0.5).lt(1).optional()
    .describe('One-sided, such as 0.95. When absent the estimate itself is held against the bounds; for slices 0.95.'),
  inDoubt: z.enum(['refuse', 'pass']).optional()
    .describe('With a confidence: `refuse` what does not surely hold (the default), or `pass` what does not surely fail (the default for slices).'),
  slice: sliceSchema.optional().describe('Judged on parts of the rows rather than on all.'),
}).superRefine((gate: Gate, context) => {
  const broken = RULES.find(([holds]) => !holds(gate));
  if (broken) context.addIssue({ code: 'custom', message: broken[1] });
});

export const worthSchema = z.strictObject({
  minGain: z.number().min(0).lt(1).default(DEFAULT_WORTH.minGain)
    .describe('What a model is to take off the chain\'s headline metric, as a share of what that is without it.'),
}).prefault({}).describe('When a model of the chain is worth what it costs. One that is not is named; nothing is refused.');

export const servableSchema = z.strictObject({
  memoryMb: z.number().gt(0).default(DEFAULT_SERVABLE.memoryMb).describe('The most memory that a process may take that serves the release alone, in MB.'),
  latencyMs: z.number().gt(0).default(DEFAULT_SERVABLE.latencyMs).describe('The 95th percentile of the time that one row may take, in milliseconds.'),
  loadSeconds: z.number().gt(0).default(DEFAULT_SERVABLE.loadSeconds).describe('How long all its versions together may take to load.'),
}).prefault({}).describe('Limits of the check that a release must pass in a fresh process before any request reaches it.');
