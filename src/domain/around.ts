/** Puts a span around a piece of work, where traces are taken. */
export type Around = <T>(name: string, attributes: Record<string, string | number>, work: () => Promise<T>) => Promise<T>;

/** No traces are taken. */
export const untraced: Around = (_name, _attributes, work) => work();
