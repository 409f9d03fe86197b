import net from 'node:net';
import path from 'node:path';
import { startWorkers } from '../../src/cli/workerProcesses';
import { loadProject } from '../../src/config';
import { worker } from '../support/cli';
import { smallProject, twoModels, type SmallProject } from '../support/smallProject';

jest.setTimeout(60_000);

let files: SmallProject;
let taken: net.Server;
beforeAll(async () => {
  taken = net.createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const { port } = taken.address() as net.AddressInfo;
  files = smallProject({ files: { 'broken.yaml': 'name: flats\nmodels: { rent: { task: regresion } }\n' }, models: `${twoModels()}\nworkers:\n  - { name: all, roles: [workflows, train, serve], metrics: ${port} }\n` });
});
afterAll(() => {
  taken?.close();
  files?.remove();
});

const at = (file: string) => path.join(files.folder, file);

describe('a worker that can\'t start', () => {
  it.each<[what: string, args: () => string[], status: number, says: RegExp]>([
    ['a project file with mistakes', () => ['--project', at('broken.yaml'), '--worker', 'all'], 1, /broken\.yaml:2:25 .*did you mean `regression`/s],
    ['a project file that is not there', () => ['--project', at('none.yaml'), '--worker', 'all'], 1, /none\.yaml/],
    ['a worker that is not in it', () => ['--project', files.file, '--worker', 'serve'], 1, /has no worker "serve"\. It has: all\./],
    ['an address for metrics that is taken', () => ['--project', files.file, '--worker', 'all'], 1, /metrics of the worker "all" can't be read/],
    ['an unknown option', () => ['--projcet', files.file], 2, /--projcet/],
  ])('ends as `shoal` would, and says why: %s', async (_what, args, status, says) => {
    const ended = await worker(args());
    expect([ended.status, ended.stderr]).toEqual([status, expect.stringMatching(says)]);
    expect(ended.stderr).not.toMatch(/\n\s+at /);
  });

  it('fails who starts it with the same code', async () => {
    await expect(startWorkers(await loadProject(files.file, {}), files.file, undefined)).rejects.toMatchObject({ code: 'CONFIG', message: expect.stringMatching(/^The worker "all" could not start: .*nobody listens/s) });
  });
});
