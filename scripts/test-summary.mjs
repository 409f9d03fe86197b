/**
 * The closing line of `npm test`. Each static check counts as one, and so does a test file that could not be run at all.
 *
 * @param checks whether each passed, by name
 * @param jest jest's report; undefined when it ended without one
 * @param jestPassed whether jest's status was 0
 */
export function summary({ checks, jest, jestPassed }) {
  const outcomes = Object.values(checks);
  const passed = outcomes.filter(Boolean).length + (jest?.numPassedTests ?? 0);
  let failed = outcomes.filter((each) => !each).length + (jest?.numFailedTests ?? 0) + (jest?.numRuntimeErrorTestSuites ?? 0);
  // Jest can fail without a failed test: no test was found, a threshold was missed, it crashed.
  if (!jestPassed && failed === outcomes.filter((each) => !each).length) failed += 1;
  const skipped = (jest?.numPendingTests ?? 0) + (jest?.numTodoTests ?? 0);
  const ran = (jest?.numPassedTests ?? 0) + (jest?.numFailedTests ?? 0) > 0;
  return {
    line: `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`,
    ok: failed === 0 && ran,
  };
}
