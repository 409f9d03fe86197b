import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { givenServer } from '../../scripts/setup/given-server.mjs';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'shoal-home-'));
});
afterEach(() => rmSync(home, { recursive: true }));

const CONFIG = `
# mine
[profile.default]
namespace = "films"
address = "temporal.example.com:7233"
[profile.default.tls]
disabled = true
[profile."other one"]
address = 'elsewhere:7233'
[profile.bare]
namespace = "x"
`;

test('without a word from the user there is none', () => {
  expect(givenServer({ HOME: home }, 'linux')).toBeUndefined();
});

test('TEMPORAL_ADDRESS names it', () => {
  expect(givenServer({ HOME: home, TEMPORAL_ADDRESS: 'there:7233' }, 'linux')).toEqual({ address: 'there:7233', from: 'TEMPORAL_ADDRESS' });
});

test('so does the profile of the configuration file, where Temporal keeps it', () => {
  for (const [platform, folder] of [['linux', '.config'], ['darwin', join('Library', 'Application Support')]] as const) {
    mkdirSync(join(home, folder, 'temporalio'), { recursive: true });
    const path = join(home, folder, 'temporalio', 'temporal.toml');
    writeFileSync(path, CONFIG);
    expect(givenServer({ HOME: home }, platform)).toEqual({ address: 'temporal.example.com:7233', from: path });
    expect(givenServer({ HOME: home, TEMPORAL_PROFILE: 'other one' }, platform)?.address).toBe('elsewhere:7233');
    expect(givenServer({ HOME: home, TEMPORAL_PROFILE: 'bare' }, platform)).toBeUndefined();
  }
});

test('and TEMPORAL_CONFIG_FILE says which file', () => {
  const path = join(home, 'mine.toml');
  writeFileSync(path, CONFIG);
  expect(givenServer({ HOME: '/nowhere', TEMPORAL_CONFIG_FILE: path }, 'linux')?.address).toBe('temporal.example.com:7233');
});
