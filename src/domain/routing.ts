import { unitHash } from './hash';

/**
 * Which release answers a live request: the candidate for a share `weight` of the keys, the same ones every time. Who has it at a small
 * weight has it at every larger one; with another salt (chain and candidate) it is other keys.
 */
export function routeTo(key: string, of: { weight: number; salt: string }): 'candidate' | 'current' {
  return unitHash(JSON.stringify([of.salt, key])) < of.weight ? 'candidate' : 'current';
}
