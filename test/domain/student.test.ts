import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { normalQuantile, studentQuantile } from '../../src/domain/student';

const reference = JSON.parse(readFileSync(join(__dirname, 'reference', 'student.json'), 'utf8')) as {
  probabilities: number[]; normal: number[]; degrees: number[]; student: number[][];
};
const relative = (a: number, b: number): number => Math.abs(a - b) / Math.max(1e-3, Math.abs(b));

test('normal quantiles are scipy\'s', () => {
  reference.probabilities.forEach((p, i) => {
    expect(relative(normalQuantile(p), reference.normal[i]!)).toBeLessThan(1e-6);
    expect(normalQuantile(1 - p)).toBeCloseTo(-normalQuantile(p), 6);
  });
  // Beyond five standard deviations another formula holds.
  expect(normalQuantile(1e-13)).toBeCloseTo(-7.348796, 5);
});

test('Student\'s quantiles are scipy\'s', () => {
  reference.degrees.forEach((degrees, d) => reference.probabilities.forEach((p, i) => {
    expect(relative(studentQuantile(p, degrees), reference.student[d]![i]!)).toBeLessThan(5e-4);
    expect(studentQuantile(1 - p, degrees)).toBeCloseTo(-studentQuantile(p, degrees), 6);
  }));
});
