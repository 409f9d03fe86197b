// Trains a small model in a process of its own and prints a digest of its weights. Node reads the TypeScript through swc.
const { readFileSync } = require('node:fs');
const { createHash } = require('node:crypto');
const { transformSync } = require('@swc/core');

require.extensions['.ts'] = (module, file) => {
  const { code } = transformSync(readFileSync(file, 'utf8'), {
    filename: file, jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'commonjs' },
  });
  module._compile(code, file);
};
const { categories, classificationSpec, examplesOf, fitted, numbers, texts, uniforms } = require('./examples.ts');

const [a, b] = [uniforms(300, 1), uniforms(300, 2)];
const columns = { a: numbers(a), title: texts(b.map((x) => `word${Math.floor(20 * x)} word${Math.floor(7 * x)}`)) };
const examples = examplesOf(columns, categories(a.map((x, i) => (x + b[i] > 1 ? 'yes' : 'no'))));
fitted(classificationSpec(), examples).then(({ network }) => {
  const hash = createHash('sha256');
  for (const { data } of Object.values(network.weights)) hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  process.stdout.write(`${hash.digest('hex')}\n`);
});
