/** What programs import from `shoal`. */
export * from './client';
export { defineChain, defineModel, defineProject, defineSource, loadProject, parseProject } from './config';
export { readRows } from './data/rows';
export type { DataCheck, DataFinding, DataRule } from './domain/dataRules';
export { ERRORS, ShoalError, type ErrorCode } from './domain/errors';
export type { ChainAnswer, Row, StageAnswer, StageProvenance } from './domain/prediction';
export type { Collection } from './domain/retention';
export type { ProjectSpec } from './domain/spec';
export type { Card, Manifest, MetricResult, Release, ReleaseEvaluation, VersionRef } from './domain/version';
export type { ModelView, ReleaseView, RunRecord } from './workflows/messages';
