// A process that writes objects, notes and blobs as fast as it can, until it is killed.
const swc = require('@swc/core');
const { readFileSync } = require('node:fs');
require.extensions['.ts'] = (module, file) =>
  module._compile(swc.transformSync(readFileSync(file, 'utf8'), { filename: file, jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'commonjs' } }).code, file);
const { openStore } = require('../../src/store/fileStore.ts');

async function main() {
  const [path, writer] = process.argv.slice(2);
  const store = await openStore({ path });
  process.send('ready');
  for (let i = 0; ; i++) {
    const bytes = Buffer.alloc(300_000 + (i % 7) * 50_000, `${i % 40}`);
    await store.put(bytes, 'bin');
    await store.writeNote('shared', { writer, i, filler: 'x'.repeat(100_000) });
    await store.writeBlob('shared', Buffer.alloc(200_000, String(i % 10)));
    await store.writeNote(`own/${writer}`, { i });
  }
}
main().catch((error) => {
  console.error(error);
  process.exit(1);
});
