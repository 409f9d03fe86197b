/** What an activity is about, by the shapes of what activities are asked: for log lines and spans. */
export interface Subject { model?: string; chain?: string; version?: string; release?: number; hook?: string }

export function subjectOf([input]: readonly unknown[]): Subject {
  const asked = record(input);
  const job = record(asked.job);
  const release = [asked.release, asked.candidate, record(asked.routing).current].map(record).find(({ chain }) => chain !== undefined) ?? {};
  const event = record(asked.event);
  const version = record(asked.version ?? job.version);
  const entry = record(asked.entry);
  return {
    model: text(record(asked.model ?? job.model).name, version.model, event.model),
    chain: text(asked.chain, release.chain, record(asked.routing).chain, entry.chain, event.chain),
    version: text(version.id, event.version),
    release: number(release.number, entry.release, event.release),
    hook: text(asked.hook),
  };
}

const record = (value: unknown): Record<string, unknown> => (typeof value === 'object' && value !== null ? value as Record<string, unknown> : {});
const text = (...values: unknown[]): string | undefined => values.find((value) => typeof value === 'string') as string | undefined;
const number = (...values: unknown[]): number | undefined => values.find((value) => typeof value === 'number') as number | undefined;
