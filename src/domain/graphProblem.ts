import { nearest, oneOf } from './nearest';

/** A mistake in how models and chains fit together. `path` is its place in the project, as the document writes it. */
export interface GraphProblem {
  path: (string | number)[];
  at?: 'key';
  message: string;
  expected?: string;
  suggestion?: string;
  remedy?: string;
  /** Characters into an expression. */
  offset?: number;
}

/** A mistake, its place still to be said. */
export type Finding = Omit<GraphProblem, 'path'>;

/** A name that nothing has. */
export function unknown(kind: string, name: string, known: readonly string[], where = ''): Finding {
  const suggestion = nearest(name, known);
  return {
    message: `there is no ${kind} \`${name}\`${where}`,
    expected: known.length > 0 && known.length <= 12 ? oneOf(known) : undefined,
    suggestion,
  };
}
