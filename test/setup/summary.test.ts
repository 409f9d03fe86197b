import { summary } from '../../scripts/test-summary.mjs';

const report = { numPassedTests: 10, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0, numRuntimeErrorTestSuites: 0 };
const checks = { types: true, lint: true, architecture: true };

test('static checks count as one each', () => {
  expect(summary({ checks, jest: report, jestPassed: true })).toEqual({ line: '13 passed, 0 failed', ok: true });
  expect(summary({ checks: { ...checks, lint: false }, jest: report, jestPassed: true })).toEqual({ line: '12 passed, 1 failed', ok: false });
});

test('skipped tests are said', () => {
  expect(summary({ checks, jest: { ...report, numPendingTests: 2, numTodoTests: 1 }, jestPassed: true }).line).toBe('13 passed, 0 failed, 3 skipped');
});

test('failed tests and files that could not run fail', () => {
  expect(summary({ checks, jest: { ...report, numFailedTests: 2, numRuntimeErrorTestSuites: 1 }, jestPassed: false })).toEqual({ line: '13 passed, 3 failed', ok: false });
});

test('no test at all, or no report, fails', () => {
  expect(summary({ checks: {}, jest: { ...report, numPassedTests: 0 }, jestPassed: true }).ok).toBe(false);
  expect(summary({ checks, jest: undefined, jestPassed: false })).toEqual({ line: '3 passed, 1 failed', ok: false });
  expect(summary({ checks, jest: report, jestPassed: false })).toEqual({ line: '13 passed, 1 failed', ok: false });
});
