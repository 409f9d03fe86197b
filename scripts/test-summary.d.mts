export interface JestReport {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numTodoTests: number;
  numRuntimeErrorTestSuites: number;
}
export function summary(results: { checks: Record<string, boolean>; jest: JestReport | undefined; jestPassed: boolean }): { line: string; ok: boolean };
