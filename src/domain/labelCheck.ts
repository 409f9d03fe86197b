import type { Agreement } from './agreement';
import { figure } from './headline';
import type { LabelsSpec } from './spec';
import { SUSPECT_REASONS, type SuspectReason } from './suspects';

/** Labels that came after the champion was trained, or have changed since, beside those that it was trained on. */
export interface FreshLabels {
  /** The champion's version. */
  since: string;
  rows: number;
  /** Between the fresh labels and what champion and newcomer say of their rows: the better of both. */
  agreement: Agreement;
  /** Between the champion's labels and its own cross-fitted outputs. */
  before: Agreement;
  /** Shares of suspects among the fresh rows, and among all others. */
  suspects: { fresh: number; others: number };
}

export interface SuspectExample { key: string; heldOut: boolean; given: string; suggested: string; quality: number; why: string }

export interface LabelFindings {
  /** Rows trained on that have a label, and those of them that have one of the reasons that count. */
  rows: number;
  suspects: number;
  /** Rows trained on by what was found, whether that counts or not. */
  byReason: Record<SuspectReason, number>;
  /** The same of the holdout, which stays as it is. */
  heldOut: { rows: number; suspects: number };
  /** Between the labels and the cross-fitted outputs; absent where either does not vary. */
  agreement?: Agreement;
  fresh?: FreshLabels;
  /** The worst first, a few. */
  examples: SuspectExample[];
}

/**
 * An honest relation would be seen as at least this much, when the interval is narrow enough to exclude it: cross-fitted predictions of
 * shuffled labels have none.
 */
const VISIBLE = 0.2;

/**
 * Whether the labels may be used. They may not when those of the rows that are new go with the predictions so much less than the old ones
 * did as if more than `maxShuffled` of them were shuffled, even at the kind ends of both intervals; when no relation of labels and inputs
 * is to be seen at all, though there are rows enough to see one; and when more than `maxShare` are suspects.
 *
 * The first is a comparison of a model with itself, so that honest labels that are hard to predict pass; and as the newcomer has learnt
 * from the new rows too, so do labels whose relation to the inputs has become another.
 */
export function labelVerdict(findings: LabelFindings, spec: LabelsSpec): { passed: boolean; reason: string } {
  const { rows, suspects, fresh, agreement } = findings;
  const share = rows === 0 ? 0 : suspects / rows;
  const refused = (reason: string) => ({ passed: false, reason: `${reason}${inExamples(findings)}` });
  if (fresh && spec.maxShuffled < 1 && fresh.agreement.high < (1 - spec.maxShuffled) * fresh.before.low) {
    const shuffled = Math.min(1, Math.max(0, 1 - fresh.agreement.value / fresh.before.value));
    return refused(`The labels of the ${count(fresh.rows)} rows that are new or changed since version ${fresh.since} look shuffled: they agree with `
      + `what is predicted from their inputs by ${inWords(fresh.agreement)}, those it was trained on by ${inWords(fresh.before)}, as if `
      + `${percent(shuffled)} of them were shuffled (at most ${percent(spec.maxShuffled)} may seem so). `
      + `${percent(fresh.suspects.fresh)} of them are suspects, of the others ${percent(fresh.suspects.others)}.`);
  }
  if (agreement && spec.maxShuffled < 1 && agreement.low <= 0 && agreement.high < VISIBLE) {
    return refused(`The labels look shuffled: nothing of them can be predicted from the inputs. Cross-fitted predictions of ${count(agreement.rows)} rows `
      + `agree with them by ${inWords(agreement)}; 0 is chance.`);
  }
  if (share > spec.maxShare) {
    return refused(`${percent(share)} of the labels are suspects (${count(suspects)} of ${count(rows)}: ${byReasonInWords(findings)}); `
      + `at most ${percent(spec.maxShare)} may be.`);
  }
  return { passed: true, reason: summary(findings) };
}

/** `31 of 2,210 labels are suspects (1.4%): label 28, conflict 3; of 716 held-out ones 9; agreement with the predictions 0.52 [0.49, 0.55]` */
export function summary(findings: LabelFindings): string {
  const { rows, suspects, heldOut, agreement, fresh } = findings;
  const found = byReasonInWords(findings);
  return [
    `${count(suspects)} of ${count(rows)} labels are suspects (${percent(rows === 0 ? 0 : suspects / rows)})${found && `: ${found}`}`,
    heldOut.suspects > 0 && `of ${count(heldOut.rows)} held-out ones ${count(heldOut.suspects)}`,
    agreement && `agreement with the predictions ${inWords(agreement)}`,
    fresh && `${count(fresh.rows)} labels are new since version ${fresh.since}: agreement ${inWords(fresh.agreement)}, before ${inWords(fresh.before)}`,
  ].filter(Boolean).join('; ');
}

/** `31 of 2,210 suspect, agreement 52%, of 358 new ones 54%`: for a line of progress. */
export function inBrief({ rows, suspects, agreement, fresh }: LabelFindings): string {
  return [
    `${count(suspects)} of ${count(rows)} suspect`,
    agreement && `agreement ${percent(agreement.value)}`,
    fresh && `of ${count(fresh.rows)} new ones ${percent(fresh.agreement.value)}`,
  ].filter(Boolean).join(', ');
}

const byReasonInWords = ({ byReason }: LabelFindings): string =>
  SUSPECT_REASONS.filter((reason) => byReason[reason] > 0).map((reason) => `${reason} ${count(byReason[reason])}`).join(', ');

const inExamples = ({ examples }: LabelFindings): string =>
  (examples.length === 0 ? '' : ` For instance ${examples.map((e) => `${e.key} is labelled ${e.given} (${e.why})`).join('; ')}.`);

const inWords = ({ value, low, high }: Agreement): string => `${figure(value)} [${figure(low)}, ${figure(high)}]`;
const count = (n: number): string => n.toLocaleString('en-US');
export const percent = (share: number): string => `${Number((100 * share).toFixed(share < 0.1 ? 1 : 0))}%`;
