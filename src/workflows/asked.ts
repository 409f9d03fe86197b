import { refuse } from './failures';
import type { RunAsked } from './messages';

/** What a program in another language need not say. */
export const ASKED_BY_PROGRAM = { trigger: 'code', reason: 'asked by a program', by: 'a program', alongside: [] } as const satisfies RunAsked;

const TEXTS = ['trigger', 'reason', 'by', 'batch'] as const;

/** Turns away what is no request, before the workflow's history holds it. @throws REQUEST_ROW */
export function requireAsked(asked: RunAsked | null | undefined): void {
  if (asked === null || asked === undefined) return;
  const wrong = (what: string, value: unknown) => refuse('REQUEST_ROW', `${what}, not ${JSON.stringify(value)}. Send {"reason": "...", "by": "..."}, or nothing.`);
  if (typeof asked !== 'object' || Array.isArray(asked)) throw wrong('A request for a run is an object', asked);
  for (const name of TEXTS) if (asked[name] !== undefined && typeof asked[name] !== 'string') throw wrong(`\`${name}\` of a request for a run is a text`, asked[name]);
  const { alongside } = asked;
  if (alongside !== undefined && !(Array.isArray(alongside) && alongside.every((model) => typeof model === 'string'))) throw wrong('`alongside` is a list of models', alongside);
}

/** What a program says of new data, whatever it left out or got wrong: the data are looked at in any case. */
export function saidByProgram(said: unknown): { reason: string; by: string } {
  const { reason, by, rows } = (typeof said === 'object' && said !== null ? said : {}) as Record<string, unknown>;
  const text = (value: unknown, otherwise: string) => (typeof value === 'string' && value.trim() !== '' ? value : otherwise);
  return { reason: text(reason, typeof rows === 'number' ? `${rows} new rows` : 'a program says there are new data'), by: text(by, ASKED_BY_PROGRAM.by) };
}
