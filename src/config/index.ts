export { defineChain, defineModel, defineProject, defineSource } from './define';
export type {
  ChainDefinition, ChainHandle, ColumnDefinition, InputDefinition, ModelDefinition, ModelDefinitionOf, ModelHandle, OutputHandle,
  ProjectDefinition, SourceDefinition, SourceHandle, StageDefinition,
} from './define';
export { loadProject, parseProject } from './load';
export type { LocatedProblem } from './problems';
