import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { progressBar } from '../../src/cli/bar';
import { completionOf } from '../../src/cli/completion';
import { cliPage, errorPage } from '../../src/cli/document';
import { program } from '../../src/cli/main';
import { table, wrapped } from '../../src/cli/output';
import { morning } from '../../src/cli/status';
import { ShoalError } from '../../src/domain/errors';
import { exitCodeOf } from '../../src/domain/exitCodes';
import type { ModelView, ReleaseView, RunRecord } from '../../src/workflows/messages';
import { shoal } from '../support/cli';

describe('tables and texts', () => {
  const columns = process.env.COLUMNS;
  afterEach(() => { if (columns === undefined) delete process.env.COLUMNS; else process.env.COLUMNS = columns; });
  const long = () => table(['model', 'why', 'value'], [['a-model-with-a-name-that-goes-on-and-on-and-on', 'another long text that is in a column', '123.456']], { right: [2] });

  it('fit the width: the longest names are cut, numbers never', () => {
    process.env.COLUMNS = '50';
    expect(long().split('\n').every((line) => line.length <= 50)).toBe(true);
    expect(long()).toMatch(/…/);
    expect(long()).toMatch(/123\.456$/);
    delete process.env.COLUMNS;
    expect(long()).not.toMatch(/…/);
  });

  it('are wrapped at words', () => {
    expect(wrapped('one two three four', { width: 9 })).toBe('one two\nthree\nfour');
    expect(wrapped('one two three', { width: 9, indent: 2 })).toBe('one two\n  three');
  });
});

describe('the screen of the morning', () => {
  const now = new Date('2026-03-02T08:00:00.000Z');
  const ago = (hours: number) => new Date(now.getTime() - hours * 3_600_000).toISOString();
  const request = { trigger: 'schedule' as const, reason: 'every night', by: 'shoal', batch: 'b', alongside: [] };
  const run = (more: Partial<RunRecord>): RunRecord => ({ run: 7, request, startedAt: ago(6), endedAt: ago(5), status: 'made', reason: 'rmse 0.5 beats the champion\'s 0.6 by 0.1', ...more });
  const metrics = [{ metric: 'rmse', value: 0.5, better: 'lower' as const, baseline: { value: 1, gain: { value: 0.5, low: 0.4, high: 0.6, confidence: 0.95 } } }];
  const well = { chain: 'box-office', current: { number: 4 }, evaluation: { metrics }, activity: 'release 4 is in place', idle: true, decisions: [], actions: [], models: { gross: { batches: [] } } } as unknown as ReleaseView;
  const model = (more: Partial<ModelView>): ModelView => ({ model: 'gross', task: 'regression', runs: [], settled: [], ...more });
  const screen = (models: ModelView[], chains: ReleaseView[], steps = {}) => morning({ models, chains }, { now, steps });

  it('says one line for each chain when all is well', () => {
    expect(screen([model({ runs: [run({ status: 'unchanged' })] })], [well])).toBe('box-office  release 4  rmse 0.500 (baseline 1.000)');
  });

  it('says the most pressing first, in 80 columns, with the commands to copy', () => {
    const text = screen(
      [
        model({ runs: [run({ status: 'failed', reason: 'Column budget is missing from films.csv, which the model takes as an input.' })] }),
        model({ model: 'genre', runs: [run({ status: 'refused', reason: 'accuracy 0.3 is worse than the champion\'s' })], running: { run: 8, request, startedAt: ago(1), workflowId: 'w' } }),
      ],
      [{ ...well, rollout: { number: 5, phase: 'approval', phaseAt: ago(2), evaluation: { metrics, verdict: { reason: 'better end to end by far, on a great many rows that nobody had seen' } } } } as unknown as ReleaseView],
      { genre: [{ name: 'validate', status: 'done', warnings: ['drift (built in): budget has moved', 'b', 'c'] }] },
    );
    const order = ['waits for a person', 'npx shoal approve box-office -r "why"', 'went wrong', 'gross: run 7 failed 5 h ago', 'npx shoal explain gross', 'data warnings', 'budget has moved', 'and 1 more', 'runs', 'genre: run 8 for 60 min', 'decided since yesterday', 'genre, run 7, refused', 'box-office  release 4'];
    const places = order.map((part) => text.indexOf(part));
    expect(places.every((place) => place >= 0)).toBe(true);
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(text.split('\n').filter((line) => line.length > 80)).toEqual([]);
  });

  it('shows a chain\'s health and held runs where they are told', () => {
    const text = screen([model({ held: { until: ago(-3), why: 'two runs in a day are enough', request: { trigger: 'drift', reason: 'budget has moved' } } } as Partial<ModelView>)], [{ ...well, health: { state: 'degraded', since: ago(20), reason: 'rmse 0.9 in 3 of 5 windows' } } as ReleaseView]);
    expect(text).toMatch(/went wrong\n {2}box-office: degraded since .*: rmse 0\.9 in 3 of 5 windows/);
    expect(text).toMatch(/next\n {2}gross: a run waits until .*: two runs in a day are enough; for\s+drift: budget has moved/);
    expect(text).toMatch(/box-office.*degraded$/);
  });
});

describe('completion', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'shoal-completion-'));
  beforeAll(() => {
    writeFileSync(path.join(folder, 'temporal.yaml'), 'models: { genre: {}, gross: {} }\nchains: { box-office: {} }\n');
    writeFileSync(path.join(folder, 'other.yaml'), 'models: { rent: {} }\n');
    writeFileSync(path.join(folder, 'rows.csv'), '');
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('in a real bash knows commands, options, names and files', async () => {
    const { status, stdout } = await shoal(['completion', 'bash']);
    expect(status).toBe(0);
    writeFileSync(path.join(folder, 'completion.bash'), stdout);
    const complete = (...words: string[]) => execFileSync('bash', ['--norc', '-c', 'source ./completion.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _shoal; printf "%s\\n" "${COMPREPLY[@]}"', 'bash', 'shoal', ...words], { cwd: folder, encoding: 'utf8' }).trim().split('\n');
    expect(complete('exp')).toEqual(['explain']);
    expect(complete('train', 'g')).toEqual(['genre', 'gross']);
    expect(complete('train', 'genre', 'g')).toEqual(['genre', 'gross']);
    expect(complete('approve', 'b')).toEqual(['box-office']);
    expect(complete('explain', 'g')).toEqual(['genre', 'gross']);
    expect(complete('train', '--no')).toEqual(['--no-wait']);
    expect(complete('approve', 'box-office', '--rea')).toEqual(['--reason']);
    expect(complete('predict', 'box-office', '--input', 'ro')).toEqual(['rows.csv']);
    expect(complete('import', 'gross', 'ro')).toEqual(['rows.csv']);
    expect(complete('-p', 'other.yaml', 'train', '')).toContain('rent');
    expect(complete('completion', 'f')).toEqual(['fish']);
    expect(complete('approve', 'box-office', '-r', 'x')).toEqual(['']);
  });

  it('is there for zsh and fish', () => {
    expect(completionOf('zsh', program)).toMatch(/bashcompinit[\s\S]*complete -F _shoal shoal/);
    expect(completionOf('fish', program)).toMatch(/__fish_use_subcommand -a train /);
  });
});

describe('what the command line says of itself', () => {
  it.each([['docs/cli.md', () => cliPage(program)], ['docs/errors.md', errorPage]] as const)('%s is made from the code as it is: `npm run document`', (file, page) => {
    expect(page()).toBe(readFileSync(path.resolve(__dirname, '../..', file), 'utf8'));
  });

  it('helps with what is misspelt, and ends as documented', async () => {
    expect(await shoal(['trian'])).toMatchObject({ status: 2, stdout: '', stderr: expect.stringMatching(/Did you mean train\?[\s\S]*See `shoal --help`/) });
    expect(await shoal(['train', '--no-wiat'])).toMatchObject({ status: 2, stderr: expect.stringMatching(/Did you mean --no-wait\?/) });
    expect(await shoal(['approve', 'c'])).toMatchObject({ status: 2, stderr: expect.stringMatching(/required option '-r, --reason <text>'/) });
    expect(await shoal(['--help'])).toMatchObject({ status: 0, stderr: '' });
    expect((['CONFIG', 'DATA_REFUSED', 'COMMAND_REFUSED', 'TIMED_OUT', 'SERVER_UNREACHABLE'] as const).map((code) => exitCodeOf(new ShoalError(code, '')))).toEqual([1, 3, 3, 4, 4]);
  });

  it('shows how far it is: a bar on a terminal, a few lines without one', () => {
    const written = (isTTY: boolean) => {
      const said: string[] = [];
      const bar = progressBar({ isTTY, write: (text: string) => said.push(text) } as unknown as NodeJS.WriteStream);
      for (let done = 0; done <= 100; done++) bar.show({ what: 'copying', done, total: 100 });
      bar.end();
      return said;
    };
    expect(written(false)).toEqual(['copying: 0%\n', 'copying: 25%\n', 'copying: 50%\n', 'copying: 75%\n', 'copying: 100%\n']);
    expect(written(true).at(-2)).toMatch(/^\rcopying █+ 100%/);
    expect(written(true).at(-1)).toBe('\r\u001b[K');
  });
});
