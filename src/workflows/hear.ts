import { log, patched, setHandler, type SignalDefinition } from '@temporalio/workflow';
import type { Ignored } from './messages';
import { mistakeIn, type Shape } from './shapes';

/** Before, whatever came was taken. */
const IGNORES = 'ignores-what-is-no-message';

/**
 * Hears a signal. Anybody may send anything, from the Temporal UI or from another language, and nobody waits for an answer: what is no such message changes
 * nothing, and is said in the log and to `ignore`. An error here would stop the workflow for ever.
 */
export function hear<T>(signal: SignalDefinition<[T]>, shape: Shape, take: (message: T) => void | Promise<void>, ignore?: (ignored: Ignored) => void): void {
  setHandler(signal, (message) => {
    const why = mistakeIn('its data', message, shape);
    if (why === undefined || !patched(IGNORES)) return take(message);
    log.warn(`the signal ${signal.name} is ignored`, { signal: signal.name, reason: why });
    ignore?.({ at: new Date().toISOString(), signal: signal.name, why });
  });
}
