import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { shoal } from '../support/cli';

jest.setTimeout(1_500_000);

const folder = mkdtempSync(path.join(os.tmpdir(), 'shoal-story-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('the story of `npm start -- --story` goes as it is told: what is good goes through, what is bad is stopped or taken back', async () => {
  // The story's own project lies beside the one it is told of.
  writeFileSync(path.join(folder, 'temporal.yaml'), 'name: films\n');
  const { status, stderr, json } = await shoal(['story', '--json'], { cwd: folder, env: { SHOAL_PORT: '27900' } });
  const told = status === 0 ? '' : stderr;
  expect(told).toBe('');
  expect(json<{ scenes: { name: string; found: string }[] }>().scenes.map(({ name, found }) => [name, found])).toEqual([
    ['the first release', 'promoted'],
    ['a good challenger', 'promoted'],
    ['a poisoned batch', 'release 2 stays'],
    ['shuffled labels', 'release 2 stays'],
    ['good on the holdout, bad in use', 'rolled back'],
    ['an embedding that moves', 'promoted'],
  ]);
  expect(stderr).toMatch(/refused\s+by\s+a\s+rule.*budget\s+is\s+not\s+at\s+least\s+100,000/s);
  expect(stderr).toMatch(/look\s+shuffled/);
});
