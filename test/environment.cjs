// ONNX Runtime and tfjs check typed arrays with `instanceof`, so tests must see the outer realm's classes.
const { TestEnvironment } = require('jest-environment-node');

const SHARED = ['ArrayBuffer', 'Uint8Array', 'Int8Array', 'Uint16Array', 'Int16Array', 'Uint32Array', 'Int32Array', 'Uint8ClampedArray',
  'Float32Array', 'Float64Array', 'BigInt64Array', 'BigUint64Array'];

module.exports = class extends TestEnvironment {
  async setup() {
    await super.setup();
    for (const name of SHARED) this.global[name] = globalThis[name];
  }
};
