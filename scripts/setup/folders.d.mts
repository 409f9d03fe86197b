export const ROOT: string;
export function cacheFolder(env?: NodeJS.ProcessEnv, platform?: NodeJS.Platform): string;
export function nativeVersions(): Record<string, string>;
export function nativesFolder(): string;
