import { comparison, confidently, limits, limitsInWords, nameOf, onRows, plural, sliceKind, words, type Limits } from './gateWords';
import { certaintyOf, judgedSlices, sliceConfidence, sliceKey, type Certainty } from './slices';
import type { GateSpec } from './spec';
import type { Bound, GateResult, MetricResult, SliceResult, Unscored, Verdict } from './version';

export interface JudgeContext {
  slices?: readonly SliceResult[];
  /** Why there is no champion to compare with, although one is in place. */
  unscored?: Unscored;
}

/**
 * Whether a version or a release may have its place. Gates on the gain over a champion do not apply without one, nor when it can't answer:
 * it would block its successors for ever. A metric that is missing, or no number, fails its gate. Without bounds, a gate on a gain
 * asks for no loss (min 0), one on a value for a number. With a confidence it is not the estimate that is held against the bounds, but
 * what is certain of it (`certaintyOf`).
 */
export function judge(metrics: readonly MetricResult[], gates: readonly GateSpec[], context: JudgeContext = {}): Verdict {
  const results = gates.map((gate): GateResult => {
    const { margin: _margin, ...result } = gate.slice ? onSlices(metrics, gate, context) : onAll(metrics, gate, context);
    return { gate: nameOf(gate), ...result };
  });
  const failed = results.filter((result) => !result.passed);
  const unscored = context.unscored ? ` The champion, ${context.unscored.version}, could not be scored: ${sentence(context.unscored.reason)}` : '';
  return { passed: failed.length === 0, reason: summary(results, failed) + unscored, gates: results };
}

function summary(results: GateResult[], failed: GateResult[]): string {
  if (results.length === 0) return 'There is no gate to pass.';
  const why = (some: GateResult[]): string => some.map((result) => result.reason).join('; ');
  if (failed.length > 0) return `Refused by ${failed.length} of ${plural(results.length, 'gate')}: ${why(failed)}.`;
  return `Passed ${results.length === 1 ? 'its gate' : `all ${plural(results.length, 'gate')}`}: ${why(results)}.`;
}

const sentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);

interface Ruling extends Omit<GateResult, 'gate'> {
  /** How far within the bounds the estimate lies, in the unit of the metric; outside when negative, unknown where there is nothing to judge. */
  margin?: number;
}

function onAll(metrics: readonly MetricResult[], gate: GateSpec, context: JudgeContext): Ruling {
  const metric = metrics.find((candidate) => candidate.metric === gate.metric);
  if (!metric) {
    return { passed: false, reason: `${gate.metric} was not measured (there are ${metrics.map((m) => m.metric).join(', ') || 'no metrics'})` };
  }
  return rule(metric, gate, { ...certaintyOf(gate), unscored: context.unscored });
}

/** One slice is enough to fail; those that are too small, or on which the metric is not defined, say nothing. */
function onSlices(metrics: readonly MetricResult[], gate: GateSpec, context: JudgeContext): Ruling {
  const whole = metrics.find((candidate) => candidate.metric === gate.metric);
  // What is no number anywhere would be undefined on every slice, and so pass.
  if (!whole || !isNumber(whole.value)) return onAll(metrics, { ...gate, slice: undefined }, context);
  const kind = sliceKind(gate);
  const { rulings, small, unmeasured } = rulingsOf(gate, context);
  const notes = [small > 0 && `${plural(small, 'slice')} with fewer than ${gate.slice!.minRows} rows`, unmeasured > 0 && `${plural(unmeasured, 'slice')} on which it is not defined`].filter(Boolean);
  const noted = notes.length > 0 ? `; not judged: ${notes.join(', ')}` : '';
  const [closest] = rulings;
  if (!closest) return { passed: true, reason: `${gate.metric} has no slice to be judged ${kind}${noted}` };
  const failed = rulings.filter(({ ruling }) => !ruling.passed);
  if (failed.length === 0) {
    const which = rulings.length === 1 ? '' : ` (on all ${rulings.length} slices ${kind}; this is the closest)`;
    return { ...closest.ruling, slice: closest.slice, reason: `${closest.ruling.reason}${which}${noted}` };
  }
  const told = failed.slice(0, MAX_TOLD).map(({ ruling }) => ruling.reason).join('; ');
  return { ...failed[0]!.ruling, slice: failed[0]!.slice, reason: `${told} (fails on ${failed.length} of ${plural(rulings.length, 'slice')} ${kind}${noted})` };
}

const MAX_TOLD = 3;

/** Of the slices that are judged, the clearest failure first, then the closest pass. */
function rulingsOf(gate: GateSpec, { slices = [], unscored }: JudgeContext): { rulings: { slice: string; ruling: Ruling }[]; small: number; unmeasured: number } {
  const judged = judgedSlices(gate, slices);
  const { inDoubt } = certaintyOf(gate);
  const confidence = sliceConfidence(gate, judged.length);
  const all = judged.map(({ slice, metrics }) => {
    const metric = metrics.find((candidate) => candidate.metric === gate.metric);
    const defined = metric && isNumber(metric.value) && (gate.against === 'value' || !metric[gate.against] || isNumber(metric[gate.against]!.gain.value));
    return { slice, ruling: defined ? rule(metric, gate, { confidence, inDoubt, unscored, slice }) : undefined };
  });
  const rulings = all.flatMap(({ slice, ruling }) => (ruling ? [{ slice, ruling }] : []))
    .sort((a, b) => Number(a.ruling.passed) - Number(b.ruling.passed) || (a.ruling.margin ?? Infinity) - (b.ruling.margin ?? Infinity));
  const small = slices.filter(({ by }) => by === sliceKey(gate.slice!)).length - judged.length;
  return { rulings, small, unmeasured: all.length - rulings.length };
}

/** The slices that explain a verdict: of each gate those that fail it, then those that come closest to it; `most` in all. */
export function worstSlices(slices: readonly SliceResult[], gates: readonly GateSpec[], most: number): SliceResult[] {
  const sliced = gates.filter((gate) => gate.slice);
  const worst = sliced.flatMap((gate) => rulingsOf(gate, { slices }).rulings.slice(0, Math.max(1, Math.floor(most / sliced.length)))
    .map(({ slice }) => slices.find((result) => result.slice === slice && result.by === sliceKey(gate.slice!))!));
  return [...new Set(worst)].slice(0, most);
}

function rule(metric: MetricResult, gate: GateSpec, how: Certainty & { unscored?: Unscored; slice?: string }): Ruling {
  const { against } = gate;
  const what = how.slice === undefined ? metric.metric : `${metric.metric} for ${how.slice}`;
  if (!isNumber(metric.value)) return { passed: false, reason: `${what} is not defined on these rows` };
  const bounds = limits(gate);
  if (against === 'value') {
    const margin = marginOf(metric.value, bounds);
    const is = margin >= 0 ? 'is' : 'is not';
    const statement = `${what} ${words(metric.value)} ${is} ${limitsInWords(bounds) || 'a number'}${onRows(metric)}`;
    return { rows: metric.rows, ...decide({ statement, noun: 'it', value: metric.value, known: metric.bounds }, bounds, how) };
  }
  const other = metric[against];
  if (!other && against === 'champion') {
    return { passed: true, reason: how.unscored ? `the champion could not be scored in ${what}` : `there is no champion to beat in ${what}` };
  }
  if (!other || !isNumber(other.gain.value)) return { passed: false, reason: `${what} of the ${against} is not known on these rows` };
  const statement = `${comparison(metric, { what, who: against, value: other.value, gain: other.gain })}${onRows(metric)}`;
  return { rows: metric.rows, ...decide({ statement, noun: 'the gain', value: other.gain.value, known: other.gain.bounds }, bounds, how) };
}

interface Estimate { statement: string; noun: string; value: number; known: readonly Bound[] | undefined }

function decide({ statement, noun, value, known }: Estimate, bounds: Limits, { confidence, inDoubt }: Certainty): Ruling {
  const margin = marginOf(value, bounds);
  const result = (missedBy: number, told: string): Ruling =>
    (missedBy > 0 ? { passed: false, reason: statement + told, missedBy, margin } : { passed: true, reason: statement + told, margin });
  if (confidence === undefined) {
    const demand = noun === 'it' ? '' : `, but ${noun} must be ${limitsInWords(bounds)}`;
    return result(-margin, margin < 0 ? `${demand}${missed(value, bounds)}` : '');
  }
  const sure = known?.find((bound) => bound.confidence === confidence);
  if (!sure || !isNumber(sure.low) || !isNumber(sure.high)) {
    const told = `, but how certain that is can't be told from these rows`;
    return inDoubt === 'pass' ? { passed: true, reason: statement + told, margin } : { passed: false, reason: statement + told, margin };
  }
  const with_ = confidently(confidence);
  if (inDoubt === 'refuse') {
    // The least favourable value that is not ruled out.
    const worst = marginOf(sure.low, bounds) < marginOf(sure.high, bounds) ? sure.low : sure.high;
    const end = `${worst === sure.low ? 'at least' : 'at most'} ${words(worst)}`;
    const told = marginOf(worst, bounds) < 0
      ? `, but ${with_} ${noun} is only ${end}, and must be ${limitsInWords(bounds)}${missed(worst, bounds)}`
      : bounds.min === undefined && bounds.max === undefined ? '' : `, ${with_} ${end}`;
    return result(-marginOf(worst, bounds), told);
  }
  if (margin >= 0) return result(0, '');
  const best = marginOf(sure.low, bounds) > marginOf(sure.high, bounds) ? sure.low : sure.high;
  if (marginOf(best, bounds) >= 0) return result(0, `, which may be chance (${with_})`);
  const end = `${best === sure.low ? 'at least' : 'at most'} ${words(best)}`;
  return result(-margin, `: ${with_} ${noun} is ${end}, and must be ${limitsInWords(bounds)}${missed(value, bounds)}`);
}

/** How far within the bounds a number lies. */
const marginOf = (value: number, { min = -Infinity, max = Infinity }: Limits): number => Math.min(value - min, max - value);

const missed = (value: number, { min = -Infinity, max = Infinity }: Limits): string =>
  (value < min ? ` (short by ${words(min - value)})` : value > max ? ` (over by ${words(value - max)})` : '');

/** After a payload, what was NaN is null. */
const isNumber = (value: number | null | undefined): value is number => typeof value === 'number' && Number.isFinite(value);
