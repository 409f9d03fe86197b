export interface Lock {
  lockfileVersion: number;
  packages: Record<string, { version?: string; integrity?: string; dependencies?: Record<string, string> }>;
}
export function nativesLock(root: string): Lock;
