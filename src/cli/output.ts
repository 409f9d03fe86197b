import Table from 'cli-table3';
import { stripVTControlCharacters, styleText } from 'node:util';

/** What commands print with: words and tables for people, one JSON document for programs. */

const MOST_COLUMNS = 120;
const LEAST_COLUMN = 8;
/** Of the terminal, or as the environment says; undefined where neither does. */
const terminalWidth = (): number | undefined => process.stdout.columns ?? (Number(process.env.COLUMNS) || undefined);
export const WIDTH = () => Math.min(terminalWidth() ?? 80, MOST_COLUMNS);
const COLUMN_GAP = 2;

export const bold = (text: string) => styleText('bold', text);
export const dim = (text: string) => styleText('dim', text);
export const green = (text: string) => styleText('green', text);
export const red = (text: string) => styleText('red', text);
export const yellow = (text: string) => styleText('yellow', text);

export const print = (text = '') => void process.stdout.write(`${text}\n`);
export const printJson = (value: unknown) => print(JSON.stringify(value, null, 2));

/**
 * Plain columns under a rule. The text of the column `wrap` is broken into lines, so that the table fits the width; without one, on a terminal, the
 * longest names are cut.
 */
export function table(head: string[], rows: string[][], options: { right?: number[]; wrap?: number } = {}): string {
  const { wrap } = options;
  const widths = fitted(head.map((_, i) => Math.max(...[head, ...rows].map((row) => lengthOf(row[i] ?? ''))) + COLUMN_GAP), options);
  const others = widths.reduce((sum, width, i) => (i === wrap ? sum : sum + width), 0);
  const t = new Table({
    colWidths: widths.map((width, i) => (i === wrap ? Math.max(20, Math.min(width, WIDTH() - others)) : width)),
    ...(wrap !== undefined && { wordWrap: true }),
    head: head.map((h) => dim(h)),
    colAligns: head.map((_, i) => (options.right?.includes(i) ? 'right' : 'left')),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2, compact: true },
    chars: { top: '', 'top-mid': '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-mid': '', 'bottom-left': '', 'bottom-right': '', left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '', middle: '' },
  });
  t.push(...rows);
  return t.toString().split('\n').map((line) => line.trimEnd()).join('\n');
}

const lengthOf = (text: string): number => Math.max(...stripVTControlCharacters(text).split('\n').map((line) => line.length));

/** Takes from the widest columns of names what the terminal has no place for. Numbers are never cut. */
function fitted(widths: number[], { right = [], wrap }: { right?: number[]; wrap?: number }): number[] {
  const place = terminalWidth();
  const fit = [...widths];
  if (place === undefined || wrap !== undefined) return fit;
  const names = fit.map((_, i) => i).filter((i) => !right.includes(i));
  for (let over = fit.reduce((sum, width) => sum + width, 0) - COLUMN_GAP - place; over > 0; over--) {
    const widest = names.reduce((a, b) => (fit[b]! > fit[a]! ? b : a), names[0] ?? 0);
    if (fit[widest] === undefined || fit[widest] <= LEAST_COLUMN + COLUMN_GAP || right.includes(widest)) break;
    fit[widest]--;
  }
  return fit;
}

/** Text in lines of the terminal's width, all after the first one indented. */
export function wrapped(text: string, { indent = 0, width = WIDTH() }: { indent?: number; width?: number } = {}): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const room = width - indent;
    if (line && lengthOf(`${line} ${word}`) > room) {
      lines.push(line);
      line = word;
    } else line = line ? `${line} ${word}` : word;
  }
  return [...lines, line].join(`\n${' '.repeat(indent)}`);
}

/** A word and what is said under it, in lines that begin below each other. */
export function said(word: string, text: string, { column = 11 }: { column?: number } = {}): string {
  return text.split('\n').map((line, i) => (i === 0 ? dim(word.padEnd(column)) : ' '.repeat(column)) + wrapped(line, { indent: column })).join('\n');
}

/** What was decided, by whom and why; who is not named twice where the reason begins with that. */
export const decidedBy = (status: string, { by, reason }: { by?: string; reason: string }): string =>
  `${status}${by && !reason.startsWith(`${by}: `) ? ` by ${by}` : ''}: ${reason}`;

/** `2026-11-26 08:12`, in this machine's time. */
export function when(iso: string): string {
  if (!iso) return 'some time ago';
  const at = new Date(iso);
  const two = (n: number) => String(n).padStart(2, '0');
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}`;
}

/** `12 min`, `3 h`, `2 days` */
export function lasting(ms: number): string {
  const minutes = ms / 60_000;
  if (minutes < 1) return `${Math.max(0, Math.round(ms / 1000))} s`;
  if (minutes < 90) return `${Math.round(minutes)} min`;
  return minutes < 48 * 60 ? `${Math.round(minutes / 60)} h` : `${Math.round(minutes / 1440)} days`;
}

export const rule = (title: string) => `${bold(title)} ${dim('─'.repeat(Math.max(0, WIDTH() - title.length - 1)))}`;

export function bytes(count: number): string {
  return count >= 1e6 ? `${(count / 1e6).toFixed(1)} MB` : `${Math.max(1, Math.round(count / 1e3))} kB`;
}
