import { ApplicationFailure } from '@temporalio/common';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { findReport } from '../../src/client/reports';
import type { ArtifactRef } from '../../src/domain/version';
import { describeLifecycle, lifecycleWorkflowId } from '../../src/workflows/messages';
import { activitiesOf, TestProject } from '../support/project';
import { TestServer } from '../support/server';
import { twoModels } from '../support/smallProject';

jest.setTimeout(180_000);

let server: TestServer;
beforeAll(async () => { server = await TestServer.start({ namespaces: 2 }); });
afterAll(() => server?.stop());

const sections = (text: string) => [...text.matchAll(/<section id="([^"]*)"/g)].map(([, id]) => id);
const figures = (text: string) => [...text.matchAll(/<figure id="([^"]*)"/g)].map(([, id]) => id);

describe('a run', () => {
  let project: TestProject;
  beforeAll(async () => {
    project = await TestProject.open(server, { models: twoModels({ maxEpochs: 6 }), reports: 'http://127.0.0.1:9' });
    await project.train();
  });
  afterAll(() => project?.close());

  it('ends with a report of its version, found by its name', async () => {
    for (const name of ['condition', 'rent']) {
      const { made, status } = await project.lastRun(name);
      expect(status).toBe('made');
      const report = await project.shoal.report({ model: name });
      expect(report).toMatchObject({ of: { model: name, version: made!.version.id }, ref: made!.report, url: `http://127.0.0.1:9/versions/${name}/${made!.version.id}` });
      expect(report.file).toMatch(/\.html$/);
      expect(await project.shoal.report({ model: name, version: made!.version.id.slice(0, 5) })).toEqual(report);
      const text = (await project.store.read(report.ref)).toString('utf8');
      expect(sections(text)).toEqual(['judgement', 'predictions', 'training', 'labels', 'made-from']);
      expect(figures(text)).toEqual(expect.arrayContaining(name === 'rent' ? ['gain-baseline', 'predicted-actual', 'residuals', 'coverage', 'learning-curve'] : ['confusion', 'reliability', 'learning-curve']));
      const size = made!.training.rows.toLocaleString('en-US');
      expect(text).toContain(`<dd>${size} rows</dd>`);
    }
  });

  it('links to it in the UI, from the run and from the model', async () => {
    const { made, run } = await project.lastRun('rent');
    const link = `[report](http://127.0.0.1:9/versions/rent/${made!.version.id})`;
    const details = async (id: string) => ((await project.shoal.temporal.workflow.getHandle(id).query('__temporal_workflow_metadata')) as { currentDetails: string }).currentDetails;
    expect(await details('model/rent')).toContain(`Newest version \`${made!.version.id}\` (${link})`);
    expect(await details(lifecycleWorkflowId('rent', run))).toMatch(/\| report \| ✓ \| [\d.]+ \| \[report\]/);
  });

  it('draws the same report again for the same version, and once only', async () => {
    const before = (await project.lastRun('rent')).made!;
    await project.train();
    const after = await project.lastRun('rent');
    expect(after.status).toBe('unchanged');
    expect(after.made!.report).toBeDefined();
    const notes = await project.store.listNotes('reports/versions/rent/');
    expect(notes).toEqual([`reports/versions/rent/${before.version.id}`]);
    expect(await project.store.readNote<ArtifactRef>(notes[0]!)).toEqual(after.made!.report);
  });

  it('says which reports there are when the one asked for is not there', async () => {
    await expect(project.shoal.report({ model: 'rent', version: 'ffffffffffff' })).rejects.toMatchObject({ code: 'NO_REPORT', message: expect.stringContaining((await project.lastRun('rent')).made!.version.id) as string });
    await expect(project.shoal.report({ chain: 'flats', number: 99 })).rejects.toMatchObject({ code: 'NO_REPORT' });
    await expect(project.shoal.report({ model: 'rend' })).rejects.toMatchObject({ code: 'UNKNOWN_MODEL' });
    const nothing = { store: project.store, newest: () => Promise.resolve(undefined) };
    await expect(findReport({ model: 'other' }, nothing)).rejects.toMatchObject({ code: 'NO_REPORT', message: expect.stringContaining('shoal status') as string });
  });

  it('leaves a release whose report shows the chain, its predictions and what each model adds', async () => {
    const { current } = await project.chain();
    const found = await project.shoal.report({ chain: 'flats' });
    const text = (await project.store.read(found.ref)).toString('utf8');
    expect(sections(text)).toEqual(expect.arrayContaining(['chain', 'judgement', 'predictions']));
    expect(text).toContain(`<h1>flats, release ${current!.number}</h1>`);
    expect(figures(text)).toContain('shares');
    expect((await project.shoal.report({ chain: 'flats', number: current!.number })).ref).toEqual(found.ref);
    expect(activitiesOf(await project.history('release/flats')).filter((name) => name === 'reportRelease')).toHaveLength(1);
  });
});

describe('a report that can\'t be drawn', () => {
  it('is noted, and its version is made, judged and released all the same', async () => {
    const broken: ActivityInterceptorsFactory = ({ info }) => ({
      inbound: { execute: (input, next) => { if (info.activityType === 'reportVersion') throw ApplicationFailure.nonRetryable('no ink'); return next(input); } },
    });
    const project = await TestProject.open(server, { models: twoModels({ maxEpochs: 4 }), activityInterceptors: [broken] });
    try {
      await project.train();
      const { made, status } = await project.lastRun('rent');
      expect([status, made!.report]).toEqual(['made', undefined]);
      expect((await project.chain()).current!.versions.rent).toEqual(made!.version);
      const lifecycle = project.shoal.temporal.workflow.getHandle(lifecycleWorkflowId('rent', 1));
      expect((await lifecycle.query(describeLifecycle)).steps.find((s) => s.name === 'report')).toMatchObject({ status: 'failed', note: 'no ink' });
      expect(activitiesOf(await project.history(lifecycle.workflowId)).slice(-2)).toEqual(['evaluate', 'reportVersion']);
    } finally {
      await project.close();
    }
  });
});
