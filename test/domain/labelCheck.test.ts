import type { Agreement } from '../../src/domain/agreement';
import { inBrief, labelVerdict, type LabelFindings } from '../../src/domain/labelCheck';
import type { LabelsSpec } from '../../src/domain/spec';

const SPEC: LabelsSpec = { check: true, suspects: 'report', reasons: ['label'], maxShare: 1, maxShuffled: 0.5, weight: 0.25 };
const agreement = (value: number, spread: number, rows = 1_000): Agreement => ({ value, low: value - spread, high: value + spread, rows });
const findings = (over: Partial<LabelFindings> = {}): LabelFindings => ({
  rows: 2_000, suspects: 600, byReason: { label: 600, conflict: 0, duplicate: 3, outlier: 0 }, heldOut: { rows: 700, suspects: 200 },
  agreement: agreement(0.5, 0.03),
  examples: [{ key: '17', heldOut: false, given: 'Drama', suggested: 'Comedy', quality: 0.02, why: 'Comedy is 95% likely, Drama 1%' }],
  ...over,
});
const fresh = (now: Agreement, before: Agreement) => findings({
  fresh: { since: 'abc', rows: now.rows, agreement: now, before, suspects: { fresh: 0.7, others: 0.3 } },
});

test('many suspects among labels that are hard to predict do no harm by themselves', () => {
  expect(labelVerdict(findings(), SPEC)).toEqual({
    passed: true,
    reason: '600 of 2,000 labels are suspects (30%): label 600, duplicate 3; of 700 held-out ones 200; agreement with the predictions 0.500 [0.470, 0.530]',
  });
});

test('a share of suspects is refused where one is given', () => {
  expect(labelVerdict(findings(), { ...SPEC, maxShare: 0.3 }).passed).toBe(true);
  expect(labelVerdict(findings(), { ...SPEC, maxShare: 0.25 })).toEqual({
    passed: false,
    reason: '30% of the labels are suspects (600 of 2,000: label 600, duplicate 3); at most 25% may be. For instance 17 is labelled Drama (Comedy is 95% likely, Drama 1%).',
  });
});

test.each([
  ['as well as before', agreement(0.5, 0.05), true],
  ['less, as drift would have it', agreement(0.35, 0.05), true],
  ['half as well', agreement(0.25, 0.05), true],
  ['perhaps not at all, but they are few', agreement(0, 0.4, 20), true],
  ['hardly', agreement(0.05, 0.05), false],
  ['not at all', agreement(-0.02, 0.06), false],
])('new labels that go with the predictions %s: passed %s', (_, now, passed) => {
  expect(labelVerdict(fresh(now, agreement(0.5, 0.02)), SPEC).passed).toBe(passed);
  expect(labelVerdict(fresh(now, agreement(0.5, 0.02)), { ...SPEC, maxShuffled: 1 }).passed).toBe(true);
});

test('the refusal of new labels says how they differ from the old, and how sure that is', () => {
  expect(labelVerdict(fresh(agreement(0.05, 0.05), agreement(0.5, 0.02)), SPEC).reason).toBe(
    'The labels of the 1,000 rows that are new or changed since version abc look shuffled: they agree with what is predicted from their inputs by 0.050 [0.000, 0.100], '
    + 'those it was trained on by 0.500 [0.480, 0.520], as if 90% of them were shuffled (at most 50% may seem so). 70% of them are suspects, of the others 30%. '
    + 'For instance 17 is labelled Drama (Comedy is 95% likely, Drama 1%).');
});

test.each([
  ['none, on many rows', agreement(0.01, 0.03), false],
  ['none, on few rows', agreement(0.01, 0.3), true],
  ['little, but surely some', agreement(0.04, 0.03), true],
  ['the wrong way round', agreement(-0.1, 0.05), false],
])('where the relation of labels to predictions is %s: passed %s', (_, all, passed) => {
  expect(labelVerdict(findings({ agreement: all }), SPEC).passed).toBe(passed);
});

test('in brief it is one short line', () => {
  expect(inBrief(findings())).toBe('600 of 2,000 suspect, agreement 50%');
  expect(inBrief(fresh(agreement(0.05, 0.05), agreement(0.5, 0.02)))).toBe('600 of 2,000 suspect, agreement 50%, of 1,000 new ones 5%');
});

test('what cannot be measured refuses nothing', () => {
  expect(labelVerdict(findings({ agreement: undefined, rows: 0, suspects: 0 }), SPEC).passed).toBe(true);
});
