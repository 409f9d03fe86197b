import { refuse } from './failures';
import { CHAIN_DEFINITION, LIFECYCLE_INPUT, MODEL_DEFINITION, RUN_ASKED } from './messageShapes';
import type { ChainDefinition, LifecycleInput, ModelDefinition, RunAsked } from './messages';
import { mistakeIn } from './shapes';

/** What a program in another language need not say. */
export const ASKED_BY_PROGRAM = { trigger: 'code', reason: 'asked by a program', by: 'a program', alongside: [] } as const satisfies RunAsked;

/** Turns away what is no request, before the workflow's history holds it. @throws REQUEST_ROW */
export function requireAsked(asked: RunAsked | null | undefined): void {
  const mistake = asked === null || asked === undefined ? undefined : mistakeIn('A request for a run', asked, RUN_ASKED);
  if (mistake) throw refuse('REQUEST_ROW', `${mistake}. Send {"reason": "...", "by": "..."}, or nothing.`);
}

/** @throws COMMAND_REFUSED */
export function requireRun(input: LifecycleInput): void {
  const mistake = mistakeIn('A run', input, LIFECYCLE_INPUT);
  if (mistake) throw refuse('COMMAND_REFUSED', `${mistake}. A model's own workflow starts its runs: ask it by \`shoal train\`, or by its update \`requestRun\`.`);
}

/** A workflow that began with a broken definition, or took one or another's, would be of no use any more. @throws CONFIG */
export function requireModel(next: ModelDefinition, present = next): void {
  requireDefinition(mistakeIn('A definition', next, MODEL_DEFINITION) ?? another('model', next.model.name, present.model.name));
}

/** @throws CONFIG */
export function requireChain(next: ChainDefinition, present = next): void {
  requireDefinition(mistakeIn('A definition', next, CHAIN_DEFINITION) ?? another('chain', next.spec.name, present.spec.name));
}

const another = (kind: string, name: string, own: string) => (name === own ? undefined : `This is the ${kind} ${own}, not ${name}`);

function requireDefinition(mistake: string | undefined): void {
  if (mistake) throw refuse('CONFIG', `${mistake}. \`shoal up\` and \`shoal train\` tell it how it is defined in temporal.yaml.`);
}

/** What a program says of new data, whatever it left out or got wrong: the data are looked at in any case. */
export function saidByProgram(said: unknown): { reason: string; by: string } {
  const { reason, by, rows } = (typeof said === 'object' && said !== null ? said : {}) as Record<string, unknown>;
  const text = (value: unknown, otherwise: string) => (typeof value === 'string' && value.trim() !== '' ? value : otherwise);
  return { reason: text(reason, typeof rows === 'number' ? `${rows} new rows` : 'a program says there are new data'), by: text(by, ASKED_BY_PROGRAM.by) };
}
