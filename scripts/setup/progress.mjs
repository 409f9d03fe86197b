// What a person sees while set-up runs: one line a step. Live on a terminal, plain lines elsewhere.
import { isStopped } from './run.mjs';

const HEARTBEAT_SECONDS = 30;

/**
 * `step(title, work)` runs `work(report)` and shows it. `report(text)` says what it is doing now. A step that never reports had
 * nothing to do and leaves no line behind.
 */
export function createProgress(stream = process.stderr) {
  const live = Boolean(stream.isTTY) && !process.env.CI;
  const active = new Set();
  let drawn = 0;
  let timer;

  const width = () => Math.max(40, Math.min(stream.columns || 80, 120)) - 1;
  const seconds = (since) => `${((Date.now() - since) / 1000).toFixed(1)} s`;
  const line = (mark, state, text) => fit(`  ${mark} ${state.title.padEnd(18)} ${seconds(state.since).padStart(8)}  ${text}`, width());

  const erase = () => {
    if (drawn > 0) stream.write(`\u001b[${drawn}A\u001b[J`);
    drawn = 0;
  };
  const draw = () => {
    if (!live) return;
    const shown = [...active].filter((state) => state.text !== undefined);
    for (const state of shown) stream.write(`${line('.', state, state.text)}\n`);
    drawn = shown.length;
  };
  const print = (text) => {
    erase();
    stream.write(`${text}\n`);
    draw();
  };
  const tick = () => {
    if (live) {
      erase();
      draw();
      return;
    }
    for (const state of active) {
      if (state.text !== undefined && Date.now() - state.shown >= HEARTBEAT_SECONDS * 1000) {
        state.shown = Date.now();
        print(line('.', state, state.text));
      }
    }
  };

  async function step(title, work) {
    const state = { title, since: Date.now(), shown: Date.now(), text: undefined };
    const report = (text) => {
      state.text = text.trim();
    };
    active.add(state);
    timer ??= setInterval(tick, live ? 120 : 1000);
    try {
      const result = await work(report);
      active.delete(state);
      if (state.text !== undefined) print(line('+', state, ''));
      return result;
    } catch (error) {
      active.delete(state);
      print(line('x', state, isStopped() ? 'stopped' : 'failed'));
      throw error;
    } finally {
      if (active.size === 0) {
        clearInterval(timer);
        timer = undefined;
      }
    }
  }

  return { step, print };
}

function fit(text, width) {
  const flat = text.trimEnd();
  return flat.length <= width ? flat : `${flat.slice(0, width - 3)}...`;
}
