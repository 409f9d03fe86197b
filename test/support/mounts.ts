import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const mount = (...args: string[]): void => void execFileSync('mount', args, { stdio: 'pipe' });
const unmount = (folder: string): void => void execFileSync('umount', ['--lazy', folder], { stdio: 'pipe' });

/** Whether this process may mount file systems: root may, outside a container that forbids it. */
export const canMount: boolean = (() => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'shoal-mount-'));
  try {
    mount('-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder);
    unmount(folder);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
})();

/** Puts a disk of so many bytes over a folder. */
export function smallDisk(folder: string, size: string): { remove(): void } {
  mount('-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder);
  return { remove: () => unmount(folder) };
}

/** Lets a folder be read and no longer written, as a disk that went read-only does. */
export function readOnly(folder: string): { remove(): void } {
  mount('--bind', folder, folder);
  mount('-o', 'remount,bind,ro', folder);
  return { remove: () => unmount(folder) };
}
