export interface Progress {
  step<T>(title: string, work: (report: (text: string) => void) => Promise<T>): Promise<T>;
  print(text: string): void;
}
export interface SetUp {
  server: { kind: 'given'; address: string; from: string } | { kind: 'binary'; path: string };
  /** The cache folder. */
  cache: string;
}
export function setUp(options?: { server?: 'unless-given' | 'always'; compile?: boolean; progress?: Progress }): Promise<SetUp>;
/** What to show a person for a failed set-up. */
export function explain(error: unknown): string;
export function stopAll(signal?: NodeJS.Signals): void;
export class SetupError extends Error {
  readonly remedy: string | undefined;
}
