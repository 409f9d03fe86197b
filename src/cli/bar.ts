import { dim } from './output';

const CELLS = 24;
const PLAIN_EVERY = 0.25;

/** How far something long is: a bar on a terminal, now and then a line without one. Standard output is left to the result. */
export function progressBar(stream: NodeJS.WriteStream = process.stderr): { show(of: { what: string; done: number; total: number }): void; end(): void } {
  let shown = '';
  let drawn = false;
  return {
    show({ what, done, total }) {
      const share = total > 0 ? Math.min(1, done / total) : 1;
      if (!stream.isTTY) {
        const step = `${what} ${Math.floor(share / PLAIN_EVERY)}`;
        if (step !== shown) stream.write(`${what}: ${Math.round(100 * share)}%\n`);
        shown = step;
        return;
      }
      const full = Math.round(CELLS * share);
      const line = `${what} ${'█'.repeat(full)}${dim('░'.repeat(CELLS - full))} ${String(Math.round(100 * share)).padStart(3)}%`;
      if (line !== shown) stream.write(`\r${line}\u001b[K`);
      shown = line;
      drawn = true;
    },
    end() {
      if (drawn) stream.write('\r\u001b[K');
      drawn = false;
    },
  };
}
