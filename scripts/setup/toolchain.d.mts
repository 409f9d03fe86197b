export function checkNode(version?: string): void;
export function checkPlatform(platform?: string, arch?: string): void;
export function compiler(env?: NodeJS.ProcessEnv): string;
export function python(env?: NodeJS.ProcessEnv): Promise<string>;
