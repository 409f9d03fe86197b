import { ShoalError, type ErrorCode } from './errors';

/** What the status of `shoal`, and of a worker, says when it has ended. */
export const EXIT = {
  ok: { code: 0, says: 'It is done.' },
  failed: { code: 1, says: 'It could not be done, or a run that was waited for failed. The same again would end the same.' },
  usage: { code: 2, says: 'The command is not as it should be: an unknown command, option or argument.' },
  refused: { code: 3, says: 'It was refused: a version by a gate, data or labels by a check, a command because it is not the time for it.' },
  unavailable: { code: 4, says: 'The server, its workers or the store did not answer. Trying again may help.' },
  interrupted: { code: 130, says: 'It was interrupted (Ctrl-C). What it had asked for goes on.' },
} as const;

const REFUSED: readonly ErrorCode[] = ['DATA_REFUSED', 'LABELS_REFUSED', 'COMMAND_REFUSED'];

export function exitCodeOf(error: unknown): number {
  if (!(error instanceof ShoalError)) return EXIT.failed.code;
  if (REFUSED.includes(error.code)) return EXIT.refused.code;
  return error.retryable ? EXIT.unavailable.code : EXIT.failed.code;
}
