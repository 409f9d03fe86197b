import type { BootstrapOptions } from './bootstrap';
import { metricsOf, score, type Scored } from './evaluate';
import type { GateSpec, ModelSpec, SliceSpec } from './spec';
import { takeColumn, takeRows } from './table';
import type { SliceResult } from './version';

/** A part of the judged rows. */
export interface Slice {
  /** In words: `city = Bern`. */
  name: string;
  /** Numbers of the judged rows; of a forecast, of the cells of its target: row x horizon + step. Ascending. */
  rows: ArrayLike<number>;
}

export const DEFAULT_SLICE_ROWS = 30;
export const DEFAULT_SLICE_CONFIDENCE = 0.95;

/** Names what makes the slices: results of the same key belong to one gate. */
export const sliceKey = ({ column, where }: SliceSpec): string => (column !== undefined ? `column ${column}` : `where ${where}`);

export interface Certainty {
  /** One-sided; undefined when the estimate itself is judged. */
  confidence: number | undefined;
  inDoubt: 'refuse' | 'pass';
}

/**
 * How sure a gate wants to be. On all rows: as sure as it says, and what is in doubt is refused. On slices: refused is what is worse
 * with confidence (0.95 when nothing is said), and what is in doubt passes; for slices are small and many, and by chance alone some
 * always look worse.
 */
export const certaintyOf = ({ confidence, inDoubt, slice }: GateSpec): Certainty => (slice
  ? { confidence: confidence ?? DEFAULT_SLICE_CONFIDENCE, inDoubt: inDoubt ?? 'pass' }
  : { confidence, inDoubt: inDoubt ?? 'refuse' });

/**
 * The confidence asked for on each of a gate's slices, so that the gate as a whole has its own. Where doubt passes, one slice is enough to
 * refuse: each is given its share of the error (Bonferroni; Dunn, 1961), so that a newcomer that is no worse on any slice is refused with
 * a probability of about 1 - confidence, however many slices there are. Where doubt refuses, all slices must pass, and that needs no
 * correction (intersection-union test; Berger, 1982).
 */
export function sliceConfidence(gate: GateSpec, slices: number): number {
  const { confidence, inDoubt } = certaintyOf(gate);
  return inDoubt === 'refuse' ? confidence! : 1 - (1 - confidence!) / Math.max(1, slices);
}

/** The slices on which a gate is judged: those of its kind with enough rows. */
export const judgedSlices = ({ slice }: GateSpec, results: readonly SliceResult[]): SliceResult[] =>
  results.filter(({ by, rows }) => by === sliceKey(slice!) && rows >= slice!.minRows);

/**
 * Scores what the gates ask for on every slice, with the bounds they need: newcomer, champion and baseline on the same rows. Slices with
 * too few rows for every gate, and those without a row that can be judged, have no metrics.
 */
export function evaluateSlices(
  spec: ModelSpec, scored: Scored,
  of: { gates: readonly GateSpec[]; slices: ReadonlyMap<string, readonly Slice[]> },
  options: BootstrapOptions,
): SliceResult[] {
  return [...of.slices].flatMap(([by, slices]) => {
    const gates = of.gates.filter((gate) => gate.slice && sliceKey(gate.slice) === by);
    const parts = slices.map(({ name, rows }) => ({ slice: name, scores: score(spec, restrict(scored, rows), options.seed) }));
    const counted = parts.map(({ slice, scores }): SliceResult => ({ by, slice, rows: scores.rows, metrics: [] }));
    const bounds = [...new Set(gates.map((gate) => sliceConfidence(gate, judgedSlices(gate, counted).length)))];
    const metrics = [...new Set(gates.map((gate) => gate.metric))];
    const fewest = Math.max(1, Math.min(...gates.map((gate) => gate.slice!.minRows)));
    return parts.map(({ scores }, i): SliceResult => (scores.rows < fewest ? counted[i]! : {
      ...counted[i]!, metrics: metricsOf(spec, scores, { ...options, bounds, metrics, champion: scored.champion?.version }),
    }));
  });
}

/** The same predictors on some of the rows. An embedding still looks among all rows for what is like these. */
function restrict(scored: Scored, rows: ArrayLike<number>): Scored {
  const { truth } = scored;
  if (truth.task === 'embedding') return { ...scored, truth: { ...truth, queries: rows } };
  if (truth.task !== 'forecast') return { ...takePredictions(scored, rows), truth: { ...truth, target: takeColumn(truth.target, rows) } };

  const { target, series, origins } = truth.examples;
  const examples = [...new Set(Array.from(rows, (cell) => Math.floor(cell / target.width)))];
  const values = new Float32Array(examples.length * target.width).fill(NaN);
  const position = new Map(examples.map((example, i) => [example, i]));
  for (const cell of Array.from(rows)) values[position.get(Math.floor(cell / target.width))! * target.width + (cell % target.width)] = target.values[cell]!;
  return {
    ...takePredictions(scored, examples),
    truth: {
      ...truth,
      examples: { target: { ...target, values }, series: examples.map((i) => series[i]!), origins: Int32Array.from(examples, (i) => origins[i]!) },
    },
  };
}

function takePredictions({ newcomer, baseline, champion }: Scored, rows: ArrayLike<number>): Omit<Scored, 'truth'> {
  return {
    newcomer: { ...newcomer, outputs: takeRows(newcomer.outputs, rows) },
    ...(baseline && { baseline: { ...baseline, outputs: takeRows(baseline.outputs, rows) } }),
    ...(champion && { champion: { ...champion, outputs: takeRows(champion.outputs, rows) } }),
  };
}
