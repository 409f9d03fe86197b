import type { ArtifactRef } from './version';

/** What the store keeps of decisions, so that they can be read back when the server has forgotten them: notes by these names. */

export const cardNote = (model: string, version: string): string => `cards/${model}/${version}`;
export const decisionNote = (chain: string, number: number): string => `decisions/${chain}/${number}`;
export const originNote = (snapshot: string): string => `origins/${snapshot}`;

/** What a run was asked for. */
export interface AskedFor { run: number; trigger: string; reason: string; by: string; at: string }

/** A version's card, the run that made it, and the one that evaluated it last. */
export interface CardNote { card: ArtifactRef; made?: AskedFor; evaluated?: AskedFor }

/** `sha256` where reading it again gives the same rows. */
export interface SourceFile { file: string; sha256?: string }

/** What a snapshot was read from, by the source's name. */
export type OriginNote = Record<string, { files: SourceFile[]; sql?: string }>;
