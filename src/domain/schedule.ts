/** A Temporal Schedule that the project calls for; plain JSON. */
export interface ScheduleSpec {
  id: string;
  /** For people: what it does, in a sentence. */
  note: string;
  /** When: cron expressions in a time zone, or an interval. */
  when: { cron: string[]; timezone: string } | { everyMs: number };
  /** A random delay of each start, so that schedules do not all start at once. */
  jitterMs: number;
  /** What is done when the run before is still under way. */
  overlap: 'skip' | 'bufferOne' | 'allowAll';
  /** How late a start may be made good after the server was away. */
  catchUpMs: number;
  /** After a run that failed, nothing is started until a person resumes it. */
  pauseOnFailure: boolean;
  workflow: { type: string; args: unknown[]; summary: string };
}
