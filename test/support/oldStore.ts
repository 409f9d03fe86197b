import { readdirSync, statSync, utimesSync } from 'node:fs';
import path from 'node:path';

/** Makes all in a folder look so many days older. */
export function age(folder: string, days: number): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) age(file, days);
    // A file in the making may be gone by now.
    const stat = statSync(file, { throwIfNoEntry: false });
    if (!stat) continue;
    const time = stat.mtimeMs / 1000 - days * 86_400;
    utimesSync(file, time, time);
  }
}
