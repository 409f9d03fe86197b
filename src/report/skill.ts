/**
 * How much of another predictor's error is gone: the skill score (Murphy, 1988), gain / (perfect - the other's value). 1 where nothing is left
 * to gain. Perfect is 1 where higher is better, else 0; not finite where the other is perfect already.
 */
export const skill = (gain: number, of: { other: number; better: 'higher' | 'lower' }): number =>
  gain / Math.abs((of.better === 'higher' ? 1 : 0) - of.other);
