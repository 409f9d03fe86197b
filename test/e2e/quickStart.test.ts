import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { shoal, type Ended } from '../support/cli';

jest.setTimeout(900_000);

const ROOT = path.resolve(__dirname, '../..');
const MODELS = ['title-embedding', 'genre', 'market', 'gross', 'one-big-network'];

/** The quick start's project in a folder of its own: temporal.yaml as it is, and the films. */
const folder = mkdtempSync(path.join(os.tmpdir(), 'shoal-quick-start-'));
let first: Ended;
let second: Ended;

const up = () => shoal(['up', '--exit'], { cwd: folder, env: { SHOAL_PORT: '27300', TEMPORAL_ADDRESS: '' } });

beforeAll(async () => {
  copyFileSync(path.join(ROOT, 'temporal.yaml'), path.join(folder, 'temporal.yaml'));
  symlinkSync(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'));
  first = await up();
  second = await up();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What is shown at the end, after the lines of progress. */
const tables = (ended: Ended) => ended.stdout.slice(ended.stdout.indexOf('models ─'));

/** The numbers of the first line of the tables that starts with a name. */
function figures(ended: Ended, name: string): number[] {
  const line = tables(ended).split('\n').find((l) => new RegExp(`^${name}\\s.*\\d\\.\\d{3}`).test(l));
  if (!line) throw new Error(`No line of figures begins with ${name} in:\n${ended.stdout}\n${ended.stderr}`);
  return (line.match(/-?\d+\.\d{3}/g) ?? []).map(Number);
}

describe('the quick start', () => {
  it('ends well, and shows every model, the chain and predictions of films it never saw', () => {
    expect(first).toMatchObject({ status: 0, stderr: '' });
    for (const model of MODELS) expect(first.stdout).toMatch(new RegExp(`^${model} .*passed`, 'm'));
    expect(first.stdout).toMatch(/box-office, release 1/);
    expect(first.stdout.match(/true:/g)).toHaveLength(3);
    expect(first.stdout).toMatch(/workflows\/release%2Fbox-office/);
  });

  it('fits a terminal of 80 columns', () => {
    expect(tables(first).split('\n').filter((line) => line.length > 80 && !line.includes('http'))).toEqual([]);
  });

  it('reaches the quality it promises, on rows that no model was trained on', () => {
    const [accuracy, majority] = figures(first, 'genre');
    expect(accuracy).toBeGreaterThanOrEqual(0.48);
    expect(majority).toBeLessThan(0.3);
    const [mase, naive] = figures(first, 'market');
    expect(mase).toBeLessThan(naive!);
    const [recall, chance] = figures(first, 'title-embedding');
    expect(recall).toBeGreaterThan(chance!);
    const [r2, , bigR2] = figures(first, 'r2');
    expect(r2).toBeGreaterThanOrEqual(0.66);
    expect(bigR2).toBeGreaterThan(0);
    const [coverage] = figures(first, 'coverage');
    expect(Math.abs(coverage! - 0.8)).toBeLessThan(0.05);
  });

  it('makes nothing anew the second time', () => {
    expect(second).toMatchObject({ status: 0, stderr: '' });
    for (const model of MODELS) expect(second.stdout).toMatch(new RegExp(`^${model} .*unchanged`, 'm'));
    expect(second.stdout).toMatch(/box-office, release 1 /);
  });

  it('leaves no process behind', () => {
    const left = readdirSync('/proc').filter((pid) => {
      if (!/^\d+$/.test(pid)) return false;
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(folder);
      } catch {
        return false;
      }
    });
    expect(left).toEqual([]);
  });
});
