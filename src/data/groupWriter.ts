import type { Store } from '../store/store';
import { writeLines } from './journal';

/** A line to be, and the folder of the journal that it goes to. `writtenAt`: milliseconds since 1970. */
export interface PendingLine { folder: string; line(writtenAt: number): string }

interface Waiting { lines: readonly PendingLine[]; resolve(): void; reject(error: unknown): void }

/**
 * Group commit: while one group of lines is being written, the next one gathers, whoever its lines are from. One caller waits for one
 * write, and of any number at once nobody for more than two.
 */
export class GroupWriter {
  private waiting: Waiting[] = [];
  private writing = false;

  constructor(private readonly store: Store, private readonly now: () => number) {}

  /** Returns when the lines are on the disk. */
  append(lines: readonly PendingLine[]): Promise<void> {
    if (lines.length === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.waiting.push({ lines, resolve, reject });
      if (!this.writing) void this.write();
    });
  }

  private async write(): Promise<void> {
    this.writing = true;
    // Those who call in the same turn come along.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.waiting.length > 0) {
      const group = this.waiting;
      this.waiting = [];
      await this.writeGroup(group);
    }
    this.writing = false;
  }

  private async writeGroup(group: readonly Waiting[]): Promise<void> {
    const writtenAt = this.now();
    const folders = new Map<string, { lines: string[]; of: Set<Waiting> }>();
    for (const waiting of group) {
      for (const { folder, line } of waiting.lines) {
        let into = folders.get(folder);
        if (!into) folders.set(folder, into = { lines: [], of: new Set() });
        into.lines.push(line(writtenAt));
        into.of.add(waiting);
      }
    }
    await Promise.all([...folders].map(async ([folder, { lines, of }]) => {
      await writeLines(this.store, { folder, lines, writtenAt }).catch((error: unknown) => of.forEach((waiting) => waiting.reject(error)));
    }));
    // Of those that were rejected this changes nothing.
    for (const waiting of group) waiting.resolve();
  }
}
