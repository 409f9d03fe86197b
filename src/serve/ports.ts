import type { InferenceSession } from 'onnxruntime-node';
import type { Port } from '../domain/trainer';
import { loadOnnxRuntime } from '../native';

/** What an ONNX file takes and gives, by its own word. Throws what ONNX Runtime says when it can't load it. */
export async function readPorts(file: Uint8Array): Promise<{ inputs: Port[]; outputs: Port[] }> {
  const session = await loadOnnxRuntime().InferenceSession.create(file, { intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 3 });
  try {
    return { inputs: session.inputMetadata.map(portOf), outputs: session.outputMetadata.map(portOf) };
  } finally {
    await session.release();
  }
}

function portOf(metadata: InferenceSession.ValueMetadata): Port {
  if (!metadata.isTensor) return { name: metadata.name, element: 'no tensor', shape: [] };
  return { name: metadata.name, element: metadata.type, shape: metadata.shape.map((size) => (typeof size === 'number' && size >= 0 ? size : undefined)) };
}
