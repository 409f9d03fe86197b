/** @type {import('jest').Config} */
module.exports = {
  globalSetup: '<rootDir>/test/setup/begin.cjs',
  globalTeardown: '<rootDir>/test/setup/end.cjs',
  testEnvironment: '<rootDir>/test/environment.cjs',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  transform: { '^.+\\.[mc]?[jt]s$': ['@swc/jest', { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'commonjs' } }] },
  // Packages that ship as ES modules only.
  transformIgnorePatterns: ['/node_modules/(?!(vega[^/]*|d3-[^/]*|internmap|delaunator|robust-predicates|onnx-buf|@bufbuild|@marcbachmann|listr2|log-update|cli-cursor|restore-cursor|ansi-escapes|slice-ansi|wrap-ansi|string-width|strip-ansi|ansi-regex|ansi-styles|get-east-asian-width|is-fullwidth-code-point|environment|cli-truncate|onetime|mimic-function|eventemitter3|rfdc|colorette)/)'],
  // Its build for Node awaits at the top level, which only a real ES module may; neither finds a canvas.
  moduleNameMapper: { '^vega-canvas$': '<rootDir>/node_modules/vega-canvas/build/vega-canvas.browser.js' },
  testSequencer: '<rootDir>/test/setup/sequencer.cjs',
  testTimeout: 60_000,
  // More than cores: tests that kill workers wait most of the time.
  maxWorkers: 3,
};
