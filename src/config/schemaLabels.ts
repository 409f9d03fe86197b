import { z } from 'zod';
import type { LabelsSpec } from '../domain/spec';
import { SUSPECT_REASONS } from '../domain/suspects';

/** Of a model that blocks on suspects and does not say from which share on; one that does not block has no such share. */
const MAX_SHARE_TO_BLOCK = 0.1;

export const labelsSchema = z.strictObject({
  check: z.boolean().default(true).describe('Whether labels are checked after training; `false` takes them as they are.'),
  suspects: z.enum(['report', 'exclude', 'downweight', 'block']).default('report')
    .describe('`report` lists them; `exclude` trains again without them, `downweight` with `weight`; `block` refuses the version when they are too many.'),
  reasons: z.array(z.enum(SUSPECT_REASONS)).min(1).default(['label', 'conflict', 'duplicate'])
    .describe('What makes a row a suspect: a `label` that the model, trained without the row, does not believe; a `conflict` with rows of the same inputs; ' +
      'a `duplicate` of a held-out row; an `outlier`.'),
  maxShare: z.number().min(0).max(1).optional()
    .describe(`Share of suspects above which a version is refused; ${MAX_SHARE_TO_BLOCK} with \`block\` when absent, else none.`),
  maxShuffled: z.number().min(0).max(1).default(0.5)
    .describe('Refuse labels of which surely more than this share looks shuffled, by how much less new ones agree with the predictions than old ones do; 1 never refuses.'),
  weight: z.number().gt(0).lt(1).default(0.25).describe('How much a suspect counts with `downweight`, where other rows count 1.'),
}).prefault({}).describe('How its labels are checked, and what is done about suspects.');

export const resolveLabels = (labels: z.output<typeof labelsSchema>): LabelsSpec =>
  ({ ...labels, maxShare: labels.maxShare ?? (labels.suspects === 'block' ? MAX_SHARE_TO_BLOCK : 1) });
