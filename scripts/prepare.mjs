import { explain, setUp, stopAll } from './setup/index.mjs';

/** Set-up for a script: says what failed and ends; interrupted, it takes its commands down with it. */
export async function prepare(options) {
  const interrupted = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 };
  const handlers = Object.entries(interrupted).map(([signal, status]) => {
    const handler = () => {
      stopAll();
      process.exit(status);
    };
    process.once(signal, handler);
    return [signal, handler];
  });
  try {
    return await setUp(options);
  } catch (error) {
    console.error(`\n${explain(error)}`);
    process.exit(1);
  } finally {
    for (const [signal, handler] of handlers) process.off(signal, handler);
  }
}
