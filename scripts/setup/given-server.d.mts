export function givenServer(env?: NodeJS.ProcessEnv, platform?: NodeJS.Platform): { address: string; from: string } | undefined;
