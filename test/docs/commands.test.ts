import { cpSync } from 'node:fs';
import path from 'node:path';
import { stringify } from 'yaml';
import { TestServer } from '../support/server';
import { blocksOf, isExcused, PAGES, ROOT, shown, type Block } from './pages';
import { projectOfPages } from './projects';
import { Shell } from './shell';

jest.setTimeout(600_000);

/** A port for what `shoal up` starts, apart from those of other test processes. */
const PORT = 28_000 + (process.pid % 300) * 6;
const EXAMPLE = path.join(ROOT, 'examples/flats');

const commandsOf = (page: string): Block[] => blocksOf(page).filter((block) => block.language === 'sh' && !isExcused(block));
const run = new Set<string>();

/** Each command of the pages, in their order, in one folder. */
function follow(pages: string[], shell: () => Shell, see: Record<string, (said: string) => void> = {}): void {
  for (const block of pages.flatMap(commandsOf)) {
    run.add(shown(block));
    it(`${shown(block)}: ${block.text.trim().split('\n')[0]}`, async () => {
      const said = await shell().run(block);
      for (const [command, check] of Object.entries(see)) if (block.text.includes(command)) check(said);
    });
  }
}

/** A folder as the pages suppose it: their project, a year of flats, and what was done before. */
function live(pages: string[], { files = {}, before = 'npx shoal up' }: { files?: Record<string, string>; before?: string } = {}): () => Shell {
  let shell: Shell;
  beforeAll(async () => {
    shell = new Shell({ SHOAL_PORT: String(PORT), TEMPORAL_ADDRESS: '' });
    cpSync(path.join(EXAMPLE, 'flats-2024.csv'), path.join(shell.folder, 'data/flats-2024.csv'));
    shell.write('temporal.yaml', stringify(projectOfPages(pages)));
    for (const [name, text] of Object.entries(files)) shell.write(name, text);
    await shell.run({ page: pages[0]!, line: 0, text: before });
  });
  afterAll(() => shell?.close());
  return () => shell;
}

describe('beginning with data of one\'s own', () => {
  let shell: Shell;
  beforeAll(() => { shell = new Shell({ SHOAL_PORT: String(PORT), TEMPORAL_ADDRESS: '' }); });
  afterAll(() => shell?.close());
  follow(['docs/start.md'], () => shell, {
    'shoal init': (said) => expect(said).toMatch(/models: condition → rent/),
    'shoal up': (said) => expect(said).toMatch(/flats, release 1/),
    'shoal predict': (said) => expect(said).toMatch(/"low":\d+.*"value":\d+/),
    'shoal train': (said) => expect(said).toMatch(/release 2 is in place/),
    'shoal explain': (said) => expect(said).toMatch(/flats 2: promoted, in place/),
  });
});

describe('a project that is up', () => {
  const pages = ['README.md', 'docs/releases.md', 'docs/schedules.md', 'docs/rollback.md'];
  // Two releases: there is one to go back to.
  const before = 'npx shoal up; cp node_modules/shoal/examples/flats/flats-2025.csv data/; npx shoal train';
  follow(pages, live(pages, { files: { 'outcomes.csv': 'id,rent\n1001,1999\n' }, before }));
});

describe('a canary', () => {
  follow(['docs/canary.md'], live(['docs/canary.md']), {
    'shoal train': (said) => expect(said).toMatch(/candidate 2 answers unseen/),
    // How many requests the judge wants depends on what it sees.
    'traffic.mjs flats-2025.csv 500': (said) => expect(said).toMatch(/canary 50% \(\d+\s+requests\)/),
  });
});

describe('production', () => {
  let server: TestServer;
  let shell: Shell;
  beforeAll(async () => {
    server = await TestServer.start({ namespaces: 1 });
    shell = new Shell({}, { 'temporal.example.com:7233': server.address, 'TEMPORAL_NAMESPACE=shoal': `TEMPORAL_NAMESPACE=${server.namespace()}` });
    cpSync(path.join(EXAMPLE, 'flats-2024.csv'), path.join(shell.folder, 'data/flats-2024.csv'));
    shell.write('temporal.yaml', stringify(projectOfPages(['docs/production.md'])));
  });
  afterAll(async () => {
    await shell?.close();
    await server?.stop();
  });
  follow(['docs/production.md'], () => shell);
});

test('no command of any page is left out', () => {
  expect(PAGES.flatMap(commandsOf).map(shown).filter((where) => !run.has(where))).toEqual([]);
});
