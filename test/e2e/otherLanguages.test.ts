import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { findServer } from '../../scripts/setup/server.mjs';
import { TestProject } from '../support/project';
import { execute, pythonPackages } from '../support/python';
import { REQUIREMENTS } from '../support/pythonWorker';
import { TestServer, until } from '../support/server';

jest.setTimeout(900_000);

const PAGE = readFileSync(path.resolve(__dirname, '../../docs/other-languages.md'), 'utf8');
/** The page's programs and commands in a language, in its order. */
const snippets = (language: string): string[] => [...PAGE.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(([, text]) => text!);

let server: TestServer;
let project: TestProject;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'shoal-languages-'));
  server = await TestServer.start({ namespaces: 1 });
  project = await TestProject.open(server);
  await project.train();
});
afterAll(async () => {
  await project?.close();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** A snippet for the server of this test. */
function here(snippet: string): string {
  expect(snippet).toContain('localhost:7233');
  return snippet.replaceAll('localhost:7233', server.address).replaceAll('--namespace default', `--namespace ${project.namespace}`)
    .replaceAll('namespace="default"', `namespace="${project.namespace}"`).replaceAll('Namespace: "default"', `Namespace: "${project.namespace}"`);
}

const FLAT = { size: 80, city: 'Bern', built: '1990-06-01', note: 'bright quiet flat' };
const ownRent = async (): Promise<number> => Number((await project.shoal.predict('flats', [FLAT])).outputs![0]!.value);
const runsOf = async (model: string) => (await project.model(model)).runs;

describe('the Temporal command line', () => {
  const [predict, start, describeChain, requestRun] = snippets('sh') as [string, string, string, string];
  /** Runs shell commands with `temporal` being the server's own executable. */
  async function sh(commands: string): Promise<string> {
    const binary = process.env.SHOAL_TEMPORAL_BINARY ?? (await findServer())!;
    return new Promise((resolve, reject) => {
      execFile('sh', ['-ec', `temporal() { "${binary}" "$@"; }\n${here(commands)}`], (error, stdout, stderr) => (error ? reject(new Error(`${stderr}\n${stdout}`)) : resolve(stdout)));
    });
  }

  it('predicts', async () => {
    const { status, result } = JSON.parse(await sh(predict)) as { status: string; result: { release: number; outputs: { value: number }[] } };
    expect(status).toBe('COMPLETED');
    expect(result.release).toBe(1);
    expect(result.outputs[0]!.value).toBeCloseTo(await ownRent(), 6);
  });

  it('starts a prediction, and gets its answer later', async () => {
    const text = await sh(start);
    const { result } = JSON.parse(text.slice(text.indexOf('{'))) as { result: { rows: number; outputs: { value: number }[] } };
    expect(result.rows).toBe(1);
    expect(result.outputs[0]!.value).toBeGreaterThan(0);
  });

  it('asks what a chain is at', async () => {
    const { queryResult } = JSON.parse(await sh(describeChain)) as { queryResult: { chain: string; current: { number: number } }[] };
    expect(queryResult[0]).toMatchObject({ chain: 'flats', current: { number: 1 } });
  });

  it('asks for a run, with its reason', async () => {
    const before = (await runsOf('rent')).length;
    const { result } = JSON.parse(await sh(requestRun)) as { result: { run: number; status: string } };
    expect(result).toEqual({ run: before + 1, status: 'started' });
    await until(async () => (await runsOf('rent')).length === before + 1);
    expect((await runsOf('rent'))[0]).toMatchObject({ status: 'unchanged', request: { trigger: 'code', reason: 'new prices came in', by: 'the nightly import' } });
  });

  it('is told of a request that can\'t be answered in words, with a code', async () => {
    await expect(sh(predict.replace('"rows"', '"row"').replace('flat-17', 'flat-21'))).rejects.toThrow(/chain \\*"flats\\*" has neither rows nor a file/);
    await expect(sh(predict.replace(/--input '.*'/, '--input null').replace('flat-17', 'flat-23'))).rejects.toThrow(/names no chain/);
    await expect(sh(requestRun.replace(/--input '.*'/, '--input 5'))).rejects.toThrow(/A request for a run is an object, not 5/);
    await expect(sh(requestRun.replace(/--input '.*'/, `--input '{"alongside": 3}'`))).rejects.toThrow(/`alongside` is a list of models, not 3/);
    await expect(sh(predict.replace('"size": 80', '"size": "large"').replace('flat-17', 'flat-22'))).rejects.toThrow(/expected a number, found .*large/);
  });
});

describe('Python', () => {
  it('predicts, asks what a chain is at, and asks for a run', async () => {
    const [program] = snippets('python');
    const file = path.join(folder, 'rents.py');
    writeFileSync(file, here(program!));
    const before = (await runsOf('rent')).length;
    const said = await execute([file], { PYTHONPATH: await pythonPackages(REQUIREMENTS) });
    const [, rent] = /^rent: ([\d.]+) of release 1$/m.exec(said)!;
    expect(Number(rent)).toBeCloseTo(await ownRent(), 6);
    expect(said).toMatch(/^condition: good$/m);
    expect(said).toMatch(/^scores: {.*'rmse': [\d.]+/m);
    expect(said).toMatch(new RegExp(`^run ${before + 1} is started$`, 'm'));
    await until(async () => (await runsOf('rent')).length === before + 1);
    expect((await runsOf('rent'))[0]).toMatchObject({ status: 'unchanged', request: { reason: 'new prices came in', by: 'a program' } });
  });
});

const haveGo = (() => {
  try {
    return existsSync(execFileSync('go', ['env', 'GOROOT'], { encoding: 'utf8' }).trim());
  } catch {
    return false;
  }
})();

/** Where there is no Go, nobody calls Shoal from it. */
(haveGo ? describe : describe.skip)('Go', () => {
  it('predicts', async () => {
    const [program] = snippets('go');
    const [, sdk] = /`go get (\S+)`/.exec(PAGE)!;
    writeFileSync(path.join(folder, 'main.go'), here(program!));
    const go = (...args: string[]) => new Promise<string>((resolve, reject) => {
      execFile('go', args, { cwd: folder }, (error, stdout, stderr) => (error ? reject(new Error(stderr)) : resolve(stdout)));
    });
    await go('mod', 'init', 'rents');
    await go('get', sdk!);
    await go('mod', 'tidy');
    const said = await go('run', '.');
    const [, rent] = /^rent: ([\d.]+) of release 1$/m.exec(said)!;
    expect(Number(rent)).toBeGreaterThan(0);
  });
});
