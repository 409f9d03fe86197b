import { summary } from '../../scripts/test-summary.mjs';

const report = { numPassedTests: 10, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0, numRuntimeErrorTestSuites: 0 };
const checks = { types: true, lint: true, architecture: true };

const told = (checked: Record<string, boolean>, changes: Partial<typeof report>, jestPassed: boolean) =>
  summary({ checks: checked, jest: { ...report, ...changes }, jestPassed });

test('static checks count as one each', () => {
  expect(summary({ checks, jest: report, jestPassed: true })).toEqual({ line: '13 passed, 0 failed', ok: true });
  expect(told({ ...checks, lint: false }, {}, true)).toEqual({ line: '12 passed, 1 failed', ok: false });
});

test('skipped tests are said', () => {
  expect(told(checks, { numPendingTests: 2, numTodoTests: 1 }, true).line).toBe('13 passed, 0 failed, 3 skipped');
});

test('failed tests and files that could not run fail', () => {
  expect(told(checks, { numFailedTests: 2, numRuntimeErrorTestSuites: 1 }, false)).toEqual({ line: '13 passed, 3 failed', ok: false });
});

test('no test at all, or no report, fails', () => {
  expect(summary({ checks: {}, jest: { ...report, numPassedTests: 0 }, jestPassed: true }).ok).toBe(false);
  expect(summary({ checks, jest: undefined, jestPassed: false })).toEqual({ line: '3 passed, 1 failed', ok: false });
  expect(summary({ checks, jest: report, jestPassed: false })).toEqual({ line: '13 passed, 1 failed', ok: false });
});
