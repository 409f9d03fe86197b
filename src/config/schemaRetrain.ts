import { z } from 'zod';
import type { RetrainSchedule, RetrainSpec } from '../domain/retrain';
import { expectations } from './expectations';
import { milliseconds, period, share, shareOf } from './schemaRollout';

/** When a model, or a chain's models together, are trained by themselves, as people write it. */

const cron = z.string().regex(/^(@(yearly|monthly|weekly|daily|hourly)|\S+ \S+ \S+ \S+ \S+)$/);
expectations.add(cron, { expects: 'a cron expression of five fields, such as "0 6 * * 1" (Mondays at six), or @daily' });

const timezone = z.string().refine(isTimezone, { message: 'this is no time zone' });
expectations.add(timezone, { expects: 'a time zone, such as UTC or Europe/Zurich' });

const times = {
  timezone: timezone.default('UTC').describe('Time zone of `cron`.'),
  jitter: period.default('30s').describe('A random delay of each start, so that not all start at once.'),
  overlap: z.enum(['skip', 'bufferOne']).default('skip').describe('When the run before is still under way: leave this one out, or start it after that.'),
  catchUp: period.default('1h').describe('How late a start may be made good when the server was away; later ones are left out: the next run sees the same data.'),
  pauseOnFailure: z.boolean().default(false)
    .describe('After a run that failed, start nothing until a person resumes it. Not by default: what failed for a passing reason is made good by the next start.'),
};
const schedule = z.union([
  cron.describe('A cron expression, in UTC.'),
  z.strictObject({ cron: z.union([cron, z.array(cron).min(1)]).describe('One or several cron expressions.'), ...times }).describe('By the calendar.'),
  z.strictObject({ every: period.describe('Time between two starts.'), ...times }).omit({ timezone: true }).describe('By an interval.'),
]);
const scheduled = schedule.optional().describe('When it is trained, new data or not; a run that finds nothing changed makes nothing.');

export const chainRetrainSchema = z.strictObject({ schedule: scheduled }).prefault({})
  .describe('When all models of the chain are trained, together: what came of it moves as one.');

export const retrainSchema = z.strictObject({
  schedule: scheduled,
  newData: z.union([
    z.literal(true).describe('5% of the rows, looked at every 5 minutes.'),
    z.strictObject({
      rows: z.int().min(1).optional().describe('So many rows, new or changed.'),
      share: share.optional().describe('So large a share of the rows, new or changed; 5% when `rows` is absent too.'),
      every: period.default('5m').describe('How often the source is looked at. Files that have not changed are not read.'),
    }),
  ]).optional().describe('How many rows of its source, new or changed since its newest version, start a run.'),
  drift: z.boolean().default(true).describe('Start a run when a chain\'s monitor says that what the model reads has moved.'),
  degradation: z.boolean().default(true).describe('Start a run when a chain\'s monitor says that it has become worse in use.'),
  cooldown: period.default('1h').describe('Least time between the starts of two runs that nobody asked for. What comes earlier is merged into one run, and waits.'),
  budget: z.int().min(1).default(6).describe('Most runs in 24 hours that nobody asked for; what comes beyond waits. People and programs are not held up.'),
}).prefault({}).describe('When it is trained by itself.');

export function resolveRetrain(written: z.output<typeof retrainSchema>): RetrainSpec {
  const { newData, drift, degradation, cooldown, budget } = written;
  const watched = newData === true ? { share: 0.05, every: '5m' } : newData;
  return {
    ...resolveSchedule(written),
    ...(watched && {
      newData: {
        ...(watched.rows !== undefined && { rows: watched.rows }),
        ...(watched.share !== undefined ? { share: shareOf(watched.share) } : watched.rows === undefined && { share: 0.05 }),
        everyMs: milliseconds(watched.every),
      },
    }),
    drift, degradation,
    limits: { cooldownMs: milliseconds(cooldown), budget },
  };
}

export function resolveSchedule({ schedule: written }: { schedule?: z.output<typeof schedule> }): { schedule?: RetrainSchedule } {
  if (written === undefined) return {};
  const { jitter, overlap, catchUp, pauseOnFailure, ...when } = typeof written === 'string' ? withTimes({ cron: written }) : written;
  return {
    schedule: {
      when: 'every' in when ? { everyMs: milliseconds(when.every) } : { cron: [when.cron].flat(), timezone: when.timezone },
      jitterMs: milliseconds(jitter), overlap, catchUpMs: milliseconds(catchUp), pauseOnFailure,
    },
  };
}

const withTimes = (written: { cron: string }) => z.strictObject({ cron, ...times }).parse(written);

function isTimezone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }) !== undefined;
  } catch {
    return false;
  }
}
