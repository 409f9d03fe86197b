/**
 * Settles when the person, or whoever runs it, asks it to end. It goes on listening: libraries that restore the terminal end the process on a
 * signal that nobody else listens to any more.
 */
export const onceEnded = () => new Promise<void>((resolve) => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve());
});
