import type { Shoal } from '../../src/client';
import { ShoalError } from '../../src/domain/errors';
import type { ChainAnswer, Row } from '../../src/domain/prediction';
import { flats } from './smallProject';

export interface Answered { id: string; key: string; sentAt: number; answer: ChainAnswer; /** How often the server was not there to take it. */ retries: number }

const PAUSE_MS = 60;
/** A worker that is gone is noticed after ten seconds, and may be gone again. */
const PATIENCE_MS = 240_000;

/** A client that asks for one prediction after another, each until it is answered, and then records what came of it. */
export class Traffic {
  readonly answered: Answered[] = [];
  private readonly rows = rowsOf(flats(500, { seed: 77, firstId: 9_000_000 }));
  private sent = 0;
  private ending = false;
  private running: Promise<void> | undefined;

  constructor(private readonly shoal: Shoal, private readonly chain: string) {}

  start(): void {
    this.running = (async () => {
      while (!this.ending) {
        await this.ask();
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
    })();
    this.running.catch(() => undefined);
  }

  /** Rejects with the first error that was not the absence of a server. */
  async stop(): Promise<void> {
    this.ending = true;
    await this.running;
  }

  /** So many more answers. */
  async more(count: number): Promise<void> {
    const enough = this.answered.length + count;
    while (this.answered.length < enough) await Promise.race([this.running, new Promise((resolve) => setTimeout(resolve, 20))]);
  }

  private async ask(): Promise<void> {
    const number = this.sent++;
    const { rent, condition: _condition, ...row } = this.rows[number % this.rows.length]!;
    const [id, key] = [`t${number}`, `flat-${number}`];
    const sentAt = Date.now();
    for (let retries = 0; ; retries++) {
      try {
        const answer = await this.shoal.predict(this.chain, [row], { id, keys: [key], timeoutMs: PATIENCE_MS });
        this.answered.push({ id, key, sentAt, answer, retries });
        break;
      } catch (error) {
        if (!(error instanceof ShoalError) || error.code !== 'SERVER_UNREACHABLE') throw error;
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    }
    await this.shoal.recordOutcomes(this.chain, [{ key, value: rent as number }]);
  }
}

function rowsOf(csv: string): Row[] {
  const [header, ...lines] = csv.trim().split('\n').map((line) => line.split(','));
  return lines.map((cells) => Object.fromEntries(cells.map((cell, i) => [header![i]!, ['size', 'rent'].includes(header![i]!) ? Number(cell) : cell])));
}
