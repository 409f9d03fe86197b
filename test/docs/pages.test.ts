import { existsSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { program } from '../../src/cli/main';
import { parseProject } from '../../src/config';
import { anchorsOf, blocksOf, inlineOf, isExcused, PAGES, ROOT, shown, textOf, type Block } from './pages';
import { projectOf } from './projects';

const blocks = PAGES.flatMap(blocksOf);
const checked = blocks.filter((block) => !isExcused(block));
const of = (language: string): [string, Block][] => checked.filter((block) => block.language === language).map((block) => [shown(block), block]);

test('every block is run or checked, or says why not', () => {
  const unknown = checked.filter(({ language }) => !['sh', 'yaml', 'ts', 'json', 'text'].includes(language));
  expect(unknown.map((block) => `${shown(block)}: \`${block.language}\` is neither run nor checked; what may stand above it is in test/docs/pages.ts`)).toEqual([]);
  const elsewhere = blocks.flatMap((block) => /^run by (test\/\S+)$/.exec(block.marker ?? '')?.[1] ?? []);
  for (const file of elsewhere) expect(existsSync(path.join(ROOT, file))).toBe(true);
});

test.each(of('yaml'))('%s is, or is part of, a project that is right', (_where, block) => {
  parseProject(projectOf(block), { file: path.join(ROOT, 'temporal.yaml'), env: { HOOK_SECRET: `whsec_${Buffer.alloc(32).toString('base64')}`, HOOK_TOKEN: 'token' } });
});

test.each(of('json'))('%s is JSON', (_where, { text }) => {
  expect(() => JSON.parse(text) as unknown).not.toThrow();
});

test('every program in TypeScript is right', () => {
  const programs = new Map(of('ts').map(([, block]) => [path.join(ROOT, 'test/docs', `${block.page.replace(/\W/g, '-')}-${block.line}.ts`), block]));
  expect(programs.size).toBeGreaterThan(2);
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler, strict: true, noEmit: true,
    skipLibCheck: true, types: ['node'], typeRoots: [path.join(ROOT, 'node_modules/@types')], paths: { shoal: [path.join(ROOT, 'dist/index.d.ts')] },
  };
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile } = host;
  // Each is a module of its own, though it imports nothing.
  const source = (file: string) => programs.get(file) && `${programs.get(file)!.text}\nexport {};\n`;
  host.fileExists = (file) => programs.has(file) || fileExists.call(host, file);
  host.readFile = (file) => source(file) ?? readFile.call(host, file);
  const getSourceFile = host.getSourceFile.bind(host);
  host.getSourceFile = (file, language) => (programs.has(file) ? ts.createSourceFile(file, source(file)!, language) : getSourceFile(file, language));
  const mistakes = ts.getPreEmitDiagnostics(ts.createProgram([...programs.keys()], options, host)).map(({ file, start, messageText }) => {
    const block = file && programs.get(path.normalize(file.fileName));
    const line = file && start !== undefined ? file.getLineAndCharacterOfPosition(start).line : 0;
    return `${block ? `${block.page}:${block.line + 1 + line}` : file?.fileName ?? ''}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
  });
  expect(mistakes).toEqual([]);
});

test.each(PAGES)('the links of %s lead somewhere', (page) => {
  const broken = inlineOf(page).links.filter((link) => !/^[a-z]+:/.test(link)).filter((link) => {
    const [file = '', anchor] = link.split('#');
    const target = file === '' ? page : path.posix.normalize(path.posix.join(path.posix.dirname(page), file));
    if (!existsSync(path.join(ROOT, target))) return true;
    return anchor !== undefined && !anchorsOf(target).has(anchor);
  });
  expect(broken).toEqual([]);
});

test('every page is named by the table of contents', () => {
  const contents = inlineOf('docs/README.md').links.map((link) => `docs/${link.split('#')[0]}`);
  expect(PAGES.filter((page) => page.startsWith('docs/') && page !== 'docs/README.md' && !contents.includes(page))).toEqual([]);
});

/** The options a command knows, its parents' too. */
function optionsOf(names: string[]): Set<string> | undefined {
  let command = program;
  const known = new Set(['--help', '-h', ...program.options.flatMap(({ short, long }) => [short, long])].filter((name): name is string => !!name));
  for (const name of names) {
    const next = command.commands.find((sub) => sub.name() === name || sub.aliases().includes(name));
    if (!next) return command.commands.length > 0 && command === program ? undefined : known;
    command = next;
    for (const { short, long } of command.options) for (const option of [short, long]) if (option) known.add(option);
  }
  return known;
}

test.each(PAGES)('the commands that %s names are commands, with options they have', (page) => {
  const spoken = [...inlineOf(page).code, ...blocksOf(page).filter(({ language }) => language === 'sh').flatMap(({ text }) => text.replaceAll('\\\n', ' ').split('\n'))];
  const wrong = spoken.flatMap((text) => [...text.matchAll(/(?:^|\s|\()shoal ((?:-p \S+ )?[a-z][^|#`;&)]*)/g)].flatMap(([, words]) => {
    const names = words!.trim().replace(/^-p \S+ /, '').split(/\s+/);
    const known = optionsOf(names.slice(0, 2).filter((name) => /^[a-z]+$/.test(name)));
    if (!known) return [`shoal ${words}`];
    const options = words!.replaceAll(/"[^"]*"|'[^']*'/g, 'text').match(/(?<=^|\s|\[)--?[a-z][a-z-]*/g) ?? [];
    return options.filter((option) => !known.has(option)).map((option) => `shoal ${words}: ${option}`);
  }));
  expect(wrong).toEqual([]);
});

test('no page says what only its writers could know', () => {
  const found = PAGES.filter((page) => /\/(home|root|work|tmp)\/\w/.test(textOf(page)));
  expect(found).toEqual([]);
});
