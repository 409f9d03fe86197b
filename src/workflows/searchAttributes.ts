import { defineSearchAttributeKey } from '@temporalio/common';

/** Registered at set-up; in the Temporal UI: `ShoalModel = "genre" AND ShoalVerdict = "refused"`. */
export const SHOAL_MODEL = defineSearchAttributeKey('ShoalModel', 'KEYWORD');
export const SHOAL_CHAIN = defineSearchAttributeKey('ShoalChain', 'KEYWORD');
export const SHOAL_VERSION = defineSearchAttributeKey('ShoalVersion', 'KEYWORD');
export const SHOAL_TRIGGER = defineSearchAttributeKey('ShoalTrigger', 'KEYWORD');
export const SHOAL_VERDICT = defineSearchAttributeKey('ShoalVerdict', 'KEYWORD');

export const SEARCH_ATTRIBUTES = [SHOAL_MODEL, SHOAL_CHAIN, SHOAL_VERSION, SHOAL_TRIGGER, SHOAL_VERDICT];
