import type { Around } from '../domain/around';

let taken: Around | undefined;

/** Said by the interceptors, when the run is one of a trace. */
export function takeSpans(around: Around): void {
  taken = around;
}

/** Puts a span around a step of a workflow whose run is traced. */
export const around: Around = (name, attributes, work) => (taken ? taken(name, attributes, work) : work());
