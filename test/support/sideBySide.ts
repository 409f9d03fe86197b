/** Starts works in their order, so many at once. A work that fails is an error of whoever awaits it, and of nobody else. */
export function sideBySide<T>(works: Record<string, () => Promise<T>>, atOnce: number): Record<string, Promise<T>> {
  const waiting: (() => void)[] = [];
  let running = 0;
  return Object.fromEntries(Object.entries(works).map(([name, work]) => {
    const result = (async () => {
      if (running >= atOnce) await new Promise<void>((resolve) => waiting.push(resolve));
      else running++;
      try {
        return await work();
      } finally {
        const next = waiting.shift();
        if (next) next();
        else running--;
      }
    })();
    result.catch(() => undefined);
    return [name, result];
  }));
}
