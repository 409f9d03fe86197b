export function findServer(): Promise<string | undefined>;
