import { readFile } from 'node:fs/promises';

/** Reads the file of a pointer again and again, as many processes do, and notes whatever nobody should ever see. */
export class PointerWatch {
  readonly faults: string[] = [];
  /** Numbers of the current releases seen, in order. */
  readonly releases: number[] = [];
  reads = 0;
  private revision = 0;
  private ending = false;
  private running: Promise<void> | undefined;

  constructor(private readonly file: string, private readonly everyMs = 5) {}

  start(): void {
    this.running = (async () => {
      while (!this.ending) {
        await this.look();
        await new Promise((resolve) => setTimeout(resolve, this.everyMs));
      }
    })();
  }

  async stop(): Promise<void> {
    this.ending = true;
    await this.running;
  }

  private async look(): Promise<void> {
    const text = await readFile(this.file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') this.faults.push(String(error));
      return undefined;
    });
    this.reads++;
    if (text === undefined) {
      if (this.revision > 0) this.faults.push(`gone after revision ${this.revision}`);
      return;
    }
    try {
      const { revision, current } = JSON.parse(text) as { revision: number; current: { number: number } };
      if (!(revision >= this.revision)) this.faults.push(`revision ${revision} after ${this.revision}`);
      this.revision = revision;
      if (this.releases.at(-1) !== current.number) this.releases.push(current.number);
    } catch {
      this.faults.push(`not JSON: ${text.slice(0, 100)}`);
    }
  }
}
