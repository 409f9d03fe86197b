import { loadOnnxRuntime, loadTensorflow } from '../../src/native';

test('the native packages load in one process and compute', async () => {
  const tf = loadTensorflow();
  expect(tf.getBackend()).toBe('tensorflow');
  expect(Array.from(tf.matMul(tf.tensor2d([[1, 2], [3, 4]]), tf.tensor2d([[5, 6], [7, 8]])).dataSync())).toEqual([19, 22, 43, 50]);
  const ort = loadOnnxRuntime();
  expect(new ort.Tensor('float32', Float32Array.of(1, 2), [2]).dims).toEqual([2]);
});
