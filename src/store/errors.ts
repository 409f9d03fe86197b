import { dirname } from 'node:path';
import { ShoalError, type ErrorCode } from '../domain/errors';

/** A system error on a path of the store, as the error a person can act on. Errors that are one already pass through. */
export function storeError(cause: unknown, path: string, action: string): unknown {
  const errno = errnoOf(cause);
  if (errno === undefined) return cause;
  const fail = (code: ErrorCode, why: string, remedy: string) =>
    new ShoalError(code, `Cannot ${action} ${path}: ${why}.`, { remedy, details: { path, errno }, cause });
  switch (errno) {
    case 'ENOSPC':
    case 'EDQUOT':
    case 'EFBIG':
      return fail('STORE_FULL', 'the disk or quota is full', `Free some space on the disk of ${dirname(path)}.`);
    case 'EACCES':
    case 'EPERM':
      return fail('STORE_READ_ONLY', 'permission denied', 'Give this user write access, or set `store.path` to a writable folder.');
    case 'EROFS':
      return fail('STORE_READ_ONLY', 'the disk is mounted read-only', 'Mount it writable, or set `store.path` to a writable folder.');
    case 'ENOTDIR':
    case 'EEXIST':
      return fail('CONFIG', 'a file is where a folder should be', 'Set `store.path` to a folder that is empty or is a store.');
    case 'ENAMETOOLONG':
      return fail('CONFIG', 'the name is too long', 'Use shorter names.');
    default:
      return fail('STORE_UNAVAILABLE', errno, 'Check that the disk is mounted and sound.');
  }
}

export const hasErrno = (cause: unknown, ...codes: string[]): boolean => codes.includes(errnoOf(cause) ?? '');

/** By shape: errors may come from another realm. */
function errnoOf(cause: unknown): string | undefined {
  if (typeof cause !== 'object' || cause === null || !('syscall' in cause) || !('code' in cause)) return undefined;
  return typeof cause.code === 'string' ? cause.code : undefined;
}
