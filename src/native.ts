import { createRequire } from 'node:module';
import { join } from 'node:path';
import { ShoalError } from './domain/errors';
import { nativesFolder } from '../scripts/setup/folders.mjs';

/** TensorFlow.js on its native backend. Loaded once a process; the first call takes about a second. */
export function loadTensorflow(): typeof import('@tensorflow/tfjs-node') {
  // Read when the library is opened: without it every process prints its CPU's instruction sets.
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
  return load('@tensorflow/tfjs-node') as typeof import('@tensorflow/tfjs-node');
}

export function loadOnnxRuntime(): typeof import('onnxruntime-node') {
  return load('onnxruntime-node') as typeof import('onnxruntime-node');
}

/**
 * The native packages are optional to npm, which drops them where their downloads are blocked; `shoal setup` then puts them
 * into the cache. So: the installed package if it works, else the cached one.
 *
 * @throws ShoalError NATIVE_MISSING, with both reasons in `details`
 */
function load(name: string): unknown {
  const reasons: string[] = [];
  for (const from of [__filename, join(nativesFolder(), 'package.json')]) {
    try {
      return createRequire(from)(name);
    } catch (error) {
      reasons.push(error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error));
    }
  }
  throw new ShoalError('NATIVE_MISSING', `${name} cannot be loaded on ${process.platform}-${process.arch}, Node ${process.version}.`, {
    remedy: 'Run `npx shoal setup`, which fetches and builds the native parts.',
    details: { package: name, reasons },
  });
}
