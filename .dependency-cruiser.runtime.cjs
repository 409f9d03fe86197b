// What is imported when the program runs: types are gone, and so workflows reach nothing of the activities they name.
const builtins = require('node:module').builtinModules.map((name) => name.replace('/', '\\/')).join('|');
const { options } = require('./.dependency-cruiser.cjs');

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'no-node-in-workflows',
      comment: 'Nothing that workflow code reaches may use a Node built-in: there is none in the sandbox.',
      severity: 'error',
      from: { path: '^src/workflows/' },
      to: { path: `^(node:)?(${builtins})$`, reachable: true },
    },
    {
      name: 'no-cycles',
      comment: 'Two files that import each other are one file, or miss a third.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'natives-through-native',
      comment: 'The native packages come through src/native.ts, so that a missing one is explained.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/native\\.ts$' },
      to: { path: '^node_modules/(@tensorflow/|onnxruntime-)' },
    },
  ],
  options: { ...options, tsPreCompilationDeps: false },
};
