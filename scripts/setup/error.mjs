/** A set-up that cannot go on: what is wrong and where in `message`, what to do about it in `remedy`. */
export class SetupError extends Error {
  constructor(message, remedy, options) {
    super(message, options);
    this.name = 'SetupError';
    this.remedy = remedy;
  }
}

/** The person's view of any failure: no stack for what we foresaw. */
export function explain(error) {
  if (error instanceof SetupError) return error.remedy ? `${error.message}\n${error.remedy}` : error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** Turns a full or read-only disk into a sentence; anything else is returned as it came. */
export function diskError(error, path) {
  if (error?.code === 'ENOSPC' || error?.code === 'EDQUOT') {
    const remedy = 'Free some space, or set SHOAL_CACHE to a folder on a larger disk.';
    return new SetupError(`No space left on the disk for ${path}.`, remedy, { cause: error });
  }
  if (error?.code === 'EROFS' || error?.code === 'EACCES' || error?.code === 'EPERM') {
    const remedy = 'Set SHOAL_CACHE to a folder that you may write to.';
    return new SetupError(`${path} cannot be written (${error.code}).`, remedy, { cause: error });
  }
  return error;
}
