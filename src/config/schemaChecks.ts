import { z } from 'zod';
import { DEFAULT_CHECKS, LEVELS, type DriftCheck } from '../domain/dataRules';

/** How a model's data are checked before training, beside the rules of its source. */

const level = z.enum(LEVELS);

const driftCheck = (standard: DriftCheck, between: string) => z.strictObject({
  level: level.default(standard.level).describe(`What it does when so many columns moved ${between}; a single one is a warning.`),
  share: z.number().gt(0).max(1).default(standard.share).describe('The share of columns from which they count as moved as a whole.'),
  distance: z.number().gt(0).default(standard.distance)
    .describe('Above 1,000 rows on both sides: the Wasserstein distance in standard deviations, or the Jensen-Shannon distance, above which a column moved.'),
  pValue: z.number().gt(0).lt(1).default(standard.pValue)
    .describe('Otherwise: the p-value of the Kolmogorov-Smirnov or chi-squared test below which a column moved.'),
  minRows: z.int().min(2).default(standard.minRows).describe('With fewer rows on either side there is no verdict.'),
});

const leakage = DEFAULT_CHECKS.leakage;
export const checks = z.strictObject({
  inferred: level.default(DEFAULT_CHECKS.inferred)
    .describe('The most that a rule inferred from the first good snapshot can do. With `block` clear breakage blocks, the rest warns.'),
  leakage: z.strictObject({
    level: level.default(leakage.level).describe('The most that it can do.'),
    warnAt: z.number().gt(0).max(1).default(leakage.warnAt).describe('It warns from this R2 (of classes: AUC) of one input alone.'),
    blockAt: z.number().gt(0).default(leakage.blockAt).describe('It blocks from this one, and where an input is a copy of the target.'),
  }).prefault({}).describe('Inputs that know the target.'),
  drift: driftCheck(DEFAULT_CHECKS.drift, 'since the champion\'s snapshot').prefault({}).describe('Inputs and target against the champion\'s snapshot.'),
  skew: driftCheck(DEFAULT_CHECKS.skew, 'between training and recent requests').prefault({}).describe('Inputs against recent requests.'),
}).optional().describe('How its data are checked before training.');

