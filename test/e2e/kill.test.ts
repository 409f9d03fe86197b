import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { Shoal } from '../../src/client';
import { embeddedEndpoint } from '../../src/client/connect';
import { registerSearchAttributes } from '../../src/client/searchAttributes';
import { startServer } from '../../src/cli/server';
import { loadProject } from '../../src/config';
import { KeptWorker } from '../support/processes';
import { smallProject, type SmallProject } from '../support/smallProject';

jest.setTimeout(300_000);

interface Outcome { versions: Record<string, string>; release: Record<string, string>; runs: string[]; prediction: unknown; deaths: number; resumedAt?: number }

/** Runs a fresh project, on a server of its own, to its first release and one prediction, with whatever disturbs it. */
async function run(options: { env?: (project: SmallProject) => Record<string, string>; maxEpochs?: number; disturb?: (project: SmallProject, worker: KeptWorker) => Promise<void> }): Promise<Outcome> {
  const project = smallProject({ maxEpochs: options.maxEpochs });
  const spec = await loadProject(project.file, {});
  const server = await startServer(project.file, { namespace: 'default', firstPort: 17_300 });
  const worker = new KeptWorker({ projectFile: project.file, address: server.address, env: options.env?.(project) });
  const shoal = await Shoal.connect({ projectFile: project.file, project: spec, endpoint: embeddedEndpoint(spec, server) });
  try {
    await registerSearchAttributes(shoal.temporal, 'default');
    await worker.start();
    const batch = await shoal.train();
    await options.disturb?.(project, worker);
    const status = await shoal.settled(batch);
    const chain = status.chains[0]!;
    const answer = await shoal.predict('flats', [{ size: 80, city: 'Bern', built: '1990-06-01', note: 'bright quiet flat' }]);
    return {
      versions: Object.fromEntries(status.models.map((m) => [m.model, m.latest?.version.id ?? 'none'])),
      release: Object.fromEntries(Object.values(chain.current?.versions ?? {}).map((v) => [v.model, v.id])),
      runs: status.models.flatMap((m) => m.runs.map((r) => `${m.model}: ${r.status}`)).sort(),
      prediction: answer.outputs,
      deaths: worker.deaths,
      resumedAt: status.models.find((m) => m.model === 'condition')!.latest?.training.resumedAtEpoch,
    };
  } finally {
    await worker.stop();
    await shoal.close();
    await server.stop();
    project.remove();
  }
}

describe('a worker that is killed', () => {
  let undisturbed: Outcome;
  beforeAll(async () => { undisturbed = await run({}); });

  it('is not needed for the undisturbed run to end in a release', () => {
    expect(undisturbed.runs).toEqual(['condition: made', 'rent: made']);
    expect(undisturbed.release).toEqual(undisturbed.versions);
  });

  const activities = ['ingest', 'validate', 'train', 'evaluate', 'evaluateRelease', 'publishRelease', 'runSegment'];
  it.each(activities.flatMap((a) => [[`before:${a}`], [`after:${a}`]]))('%s leaves the same versions, release and prediction', async (fault) => {
    const outcome = await run({ env: (project) => ({ FAULT: fault, FAULT_DONE: path.join(project.folder, 'struck') }) });
    expect(outcome).toEqual({ ...undisturbed, deaths: 1 });
  });
});

describe('a training killed in the middle of an epoch', () => {
  it('goes on from its last checkpoint and ends in the version of an undisturbed run', async () => {
    const maxEpochs = 150;
    const undisturbed = await run({ maxEpochs });
    const disturbed = await run({
      maxEpochs,
      disturb: async ({ folder }, worker) => {
        const checkpoints = path.join(folder, '.shoal/store/blobs/checkpoints');
        while (!existsSync(checkpoints) || readdirSync(checkpoints).length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
        worker.kill();
      },
    });
    expect(disturbed).toEqual({ ...undisturbed, deaths: 1, resumedAt: expect.any(Number) });
    expect(disturbed.resumedAt).toBeGreaterThan(1);
  });
});
