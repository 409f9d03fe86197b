import { z } from 'zod';
import { DEFAULT_RETENTION, LEAST_UNUSED_MS, type RetentionSpec } from '../domain/retention';
import { expectations } from './expectations';
import { milliseconds } from './schemaRollout';

/** How long the store keeps what nothing in use needs, as people write it. */

const time = z.string().regex(/^\d+(\.\d+)?(m|h|d)$/);
expectations.add(time, { expects: 'a number and its unit, such as 12h or 30d' });
const unused = time.refine((text) => !/^[\d.]+[mhd]$/.test(text) || milliseconds(text) >= LEAST_UNUSED_MS, { message: 'must be 1h or more, so that nothing goes that a run has just begun to use' });

const inDays = (ms: number): string => `${ms / 86_400_000}d`;
const keep = (of: RetentionSpec['versions'], what: string) => z.strictObject({
  keep: z.int().min(1).default(of.keep).describe(`The newest so many ${what}.`),
  for: time.default(inDays(of.forMs)).describe('And all that are younger.'),
});

const { versions, releases, requestsMs, outcomesMs, snapshotsMs, checkpointsMs, scratchMs, unusedMs } = DEFAULT_RETENTION;

export const retentionSchema = z.strictObject({
  versions: keep(versions, 'of each model').prefault({}).describe('Versions that stay beside those that a kept release has.'),
  releases: keep(releases, 'of each chain').prefault({}).describe('Releases that were in use, and can be rolled back to.'),
  requests: time.default(inDays(requestsMs)).describe('Recorded requests and answers.'),
  outcomes: time.default(inDays(outcomesMs)).describe('What came of predictions.'),
  snapshots: time.default(inDays(snapshotsMs)).describe('Copies of sources that no kept version was trained on.'),
  checkpoints: time.default(inDays(checkpointsMs)).describe('Of trainings that never ended.'),
  scratch: time.default(inDays(scratchMs)).describe('Files in the making, of processes that ended in the middle.'),
  unused: unused.default(inDays(unusedMs)).describe('All else that nothing names any more, from when it was last read: results of `score`, reports on refused data.'),
}).describe('How long the store keeps what nothing in use needs. What a kept release, a run under way or a rule needs always stays.');

export function resolveRetention(written: z.output<typeof retentionSchema>): RetentionSpec {
  return {
    versions: { keep: written.versions.keep, forMs: milliseconds(written.versions.for) },
    releases: { keep: written.releases.keep, forMs: milliseconds(written.releases.for) },
    requestsMs: milliseconds(written.requests),
    outcomesMs: milliseconds(written.outcomes),
    snapshotsMs: milliseconds(written.snapshots),
    checkpointsMs: milliseconds(written.checkpoints),
    scratchMs: milliseconds(written.scratch),
    unusedMs: milliseconds(written.unused),
  };
}
