import type { RequestLog } from '../data/requestLog';
import type { LogEntry } from '../domain/requestLog';

export const createLogFailure = ({ log }: { log: RequestLog }) => ({
  /** Logs that a request was not answered. (An answer is logged where it is made.) */
  logFailure: ({ entry }: { entry: LogEntry }): Promise<void> => log.append([entry]),
});
