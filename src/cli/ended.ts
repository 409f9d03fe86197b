/** Settles when the person, or whoever runs it, asks it to end. */
export const onceEnded = () => new Promise<void>((resolve) => {
  process.once('SIGINT', () => resolve());
  process.once('SIGTERM', () => resolve());
  process.once('SIGHUP', () => resolve());
});
