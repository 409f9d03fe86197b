import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  confidentJoint, confidentThresholds, likeliest, normalisedMargin, selfConfidence, wrongLabels, type LabelledAnswers,
} from '../../src/domain/confidentLearning';

interface Reference {
  classes: number; labels: number[]; probabilities: number[];
  expected: { thresholds: number[]; joint: number[][]; suspects: number[]; self_confidence: number[]; normalized_margin: number[] };
}
const { classification } = JSON.parse(readFileSync(join(__dirname, 'reference/labels.json'), 'utf8')) as { classification: Record<string, Reference> };
const answersOf = ({ classes, probabilities, labels }: Reference): LabelledAnswers => ({ classes, probabilities, labels: Int32Array.from(labels) });

describe.each(Object.keys(classification))('as cleanlab has it, of %s', (name) => {
  const reference = classification[name]!;
  const answers = answersOf(reference);

  test('the thresholds, the confident joint and the suspects', () => {
    confidentThresholds(answers).forEach((threshold, k) => expect(threshold).toBeCloseTo(reference.expected.thresholds[k]!, 12));
    expect(confidentJoint(answers)).toEqual(reference.expected.joint);
    expect([...wrongLabels(answers)]).toEqual(reference.expected.suspects);
  });

  test('the quality of each label', () => {
    selfConfidence(answers).forEach((quality, row) => expect(quality).toBeCloseTo(reference.expected.self_confidence[row]!, 9));
    normalisedMargin(answers).forEach((quality, row) => expect(quality).toBeCloseTo(reference.expected.normalized_margin[row]!, 9));
  });
});

const anyAnswers = fc.integer({ min: 2, max: 5 }).chain((classes) => fc.array(fc.record({
  label: fc.integer({ min: 0, max: classes - 1 }),
  weights: fc.array(fc.integer({ min: 0, max: 50 }), { minLength: classes, maxLength: classes }),
}), { minLength: 1, maxLength: 60 }).map((rows): LabelledAnswers => ({
  classes,
  labels: Int32Array.from(rows, (row) => row.label),
  probabilities: rows.flatMap(({ weights }) => {
    const total = weights.reduce((sum, w) => sum + w, 0);
    return weights.map((w) => (total === 0 ? 1 / classes : w / total));
  }),
})));

test('the joint has as many rows of each given class as there are, in whole numbers', () => {
  fc.assert(fc.property(anyAnswers, (answers) => {
    const joint = confidentJoint(answers);
    joint.forEach((row, given) => {
      expect(row.every((count) => Number.isInteger(count) && count >= 0)).toBe(true);
      expect(row.reduce((sum, count) => sum + count, 0)).toBe(answers.labels.filter((label) => label === given).length);
    });
  }));
});

test('a suspect is never labelled with its likeliest class, and no class loses all its rows', () => {
  fc.assert(fc.property(anyAnswers, (answers) => {
    const suspects = wrongLabels(answers);
    const likely = likeliest(answers);
    for (const row of suspects) expect(likely[row]).not.toBe(answers.labels[row]);
    for (const given of new Set(answers.labels)) {
      const all = answers.labels.filter((label) => label === given).length;
      if (all === 1) expect([...suspects].filter((row) => answers.labels[row] === given)).toEqual([]);
    }
    expect([...suspects]).toEqual([...new Set(suspects)].sort((a, b) => a - b));
  }));
});

test('labels that are all predicted with certainty have no suspects', () => {
  const labels = Int32Array.from({ length: 30 }, (_, i) => i % 3);
  const probabilities = Array.from(labels).flatMap((label) => [0, 1, 2].map((k) => (k === label ? 1 : 0)));
  expect([...wrongLabels({ classes: 3, labels, probabilities })]).toEqual([]);
});
