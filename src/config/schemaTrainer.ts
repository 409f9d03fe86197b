import { z } from 'zod';
import { DEFAULT_TRAINER_TIMEOUT } from './defaults';
import { expectations } from './expectations';

const duration = z.string().regex(/^\d+(\.\d+)?(ms|s|m|h)$/);
expectations.add(duration, { expects: 'a number and its unit, such as 30s, 10m or 6h' });

/** A model's own trainer: an activity of somebody else's worker, in any language. */
export const trainerSchema = z.strictObject({
  taskQueue: z.string().min(1).describe('The task queue its worker polls.'),
  activity: z.string().min(1).describe('The activity\'s name.'),
  params: z.record(z.string(), z.json()).default({})
    .describe('Handed to the activity as they are. A change of them calls for a new version; a change of the trainer\'s code can\'t be seen, so count it here.'),
  timeout: duration.default(DEFAULT_TRAINER_TIMEOUT).describe('How long one training may take.'),
  heartbeat: duration.optional()
    .describe('After how long without a heartbeat its worker is taken for dead, and the training begun anew; only `timeout` counts when absent.'),
}).describe('Who trains it, in place of Shoal: an activity in any language, see docs/trainers.md.');

export type TrainerDocument = z.output<typeof trainerSchema>;
