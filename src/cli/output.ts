import Table from 'cli-table3';
import { stripVTControlCharacters, styleText } from 'node:util';

/** What commands print with: words and tables for people, one JSON document for programs. */

const WIDTH = () => Math.min(process.stdout.columns ?? 80, 120);

export const bold = (text: string) => styleText('bold', text);
export const dim = (text: string) => styleText('dim', text);
export const green = (text: string) => styleText('green', text);
export const red = (text: string) => styleText('red', text);
export const yellow = (text: string) => styleText('yellow', text);

export const print = (text = '') => void process.stdout.write(`${text}\n`);
export const printJson = (value: unknown) => print(JSON.stringify(value, null, 2));

/** Plain columns under a rule. The text of the column `wrap` is broken into lines, so that the table fits the terminal. */
export function table(head: string[], rows: string[][], options: { right?: number[]; wrap?: number } = {}): string {
  const { wrap } = options;
  const widths = head.map((_, i) => Math.max(...[head, ...rows].map((row) => stripVTControlCharacters(row[i] ?? '').length)) + 2);
  const others = widths.reduce((sum, width, i) => (i === wrap ? sum : sum + width), 0);
  const t = new Table({
    ...(wrap !== undefined && { colWidths: widths.map((width, i) => (i === wrap ? Math.max(20, Math.min(width, WIDTH() - others)) : width)), wordWrap: true }),
    head: head.map((h) => dim(h)),
    colAligns: head.map((_, i) => (options.right?.includes(i) ? 'right' : 'left')),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2, compact: true },
    chars: { top: '', 'top-mid': '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-mid': '', 'bottom-left': '', 'bottom-right': '', left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '', middle: '' },
  });
  t.push(...rows);
  return t.toString().split('\n').map((line) => line.trimEnd()).join('\n');
}

export const rule = (title: string) => `${bold(title)} ${dim('─'.repeat(Math.max(0, WIDTH() - title.length - 1)))}`;

export function bytes(count: number): string {
  return count >= 1e6 ? `${(count / 1e6).toFixed(1)} MB` : `${Math.max(1, Math.round(count / 1e3))} kB`;
}
