import { createHmac } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { historyToJSON } from '@temporalio/common/lib/proto-utils';
import { Webhook } from 'standardwebhooks';
import type { ShoalEvent } from '../../src/domain/events';
import { KeptWorker } from '../support/processes';
import { TestProject } from '../support/project';
import { freePort, Receiver, type Received } from '../support/receiver';
import { TestServer, until } from '../support/server';
import { twoModels } from '../support/smallProject';

jest.setTimeout(240_000);

const SECRET = `whsec_${Buffer.from('a secret that nobody is to see!!').toString('base64')}`;
const TOKEN = 'Bearer 0123456789abcdef';
const PATH_KEY = 'path-key-4711';

let server: TestServer;
beforeAll(async () => { server = await TestServer.start({ namespaces: 4 }); });
afterAll(() => server.stop());

const eventOf = ({ body }: Received) => JSON.parse(body.toString('utf8')) as ShoalEvent;
const word = { by: 'tester', reason: 'to see what is told' };

/** All that the server keeps of a namespace, payloads in clear. */
async function everything({ shoal }: TestProject): Promise<string> {
  const texts: string[] = [];
  for await (const { workflowId, runId } of shoal.temporal.workflow.list()) {
    const text = historyToJSON(await shoal.temporal.workflow.getHandle(workflowId, runId).fetchHistory());
    texts.push(text, ...[...text.matchAll(/"data":\s*"([A-Za-z0-9+/=]+)"/g)].map(([, data]) => Buffer.from(data!, 'base64').toString('utf8')));
  }
  return texts.join('\n');
}

const EASY = 'gates: [{ metric: rmse, against: baseline, min: -1 }]';
const models = (hooks: string): string => `${twoModels({ condition: 'gates: [{ metric: accuracy, min: 0.1 }]', rent: EASY, chain: 'gates: []\n    rollout: { bake: 0s }' })}
hooks:
${hooks}`;

describe('hooks', () => {
  it('are told, signed, of versions, releases and failures, by whatever they are', async () => {
    const receiver = new Receiver(({ path: asked }, before) => {
      if (asked === '/gone') return { status: 410 };
      if (asked === '/moved') return { status: before === 0 ? 302 : 200, headers: { location: '/elsewhere' } };
      return { status: 204 };
    });
    const port = await receiver.start();
    const project = await TestProject.open(server, {
      rows: 300, maxEpochs: 6,
      models: models(`
  audit: { url: "http://127.0.0.1:${port}/${PATH_KEY}", secret: ${SECRET}, headers: { authorization: "${TOKEN}" } }
  promotions: { url: "http://127.0.0.1:${port}/promotions", secret: ${SECRET}, events: [release.promoted] }
  gone: { url: "http://127.0.0.1:${port}/gone", secret: ${SECRET}, events: [release.rolledBack] }
  moved: { url: "http://127.0.0.1:${port}/moved", secret: ${SECRET}, events: [release.rolledBack] }
  file: { command: [./tell.sh, heard], timeout: 5s, events: [version.made, run.failed] }
`),
    });
    const script = path.join(project.files.folder, 'tell.sh');
    writeFileSync(script, '#!/bin/sh\n{ cat; echo; } >> "$1"; echo "$SHOAL_EVENT_TYPE $SHOAL_EVENT_MODEL $SHOAL_EVENT_VERSION" >> "$1.env"\n');
    chmodSync(script, 0o755);
    try {
      await project.train();
      await project.train();
      const at = `/${PATH_KEY}`;
      await until(() => receiver.at(at).length >= 3);
      const { current } = await project.chain();
      await project.shoal.propose('flats', { rent: current!.versions.rent!.id }, { ...word, force: true });
      await until(async () => (await project.chain()).decisions[0]?.number === 2);
      await project.shoal.rollback('flats', word);
      await project.edit(['path: flats.csv', 'path: nothing.csv']);
      await project.shoal.train(['condition'], word);
      await until(() => receiver.at(at).length >= 6);
      await until(() => receiver.at('/moved').length >= 2);

      const told = receiver.at(at).map(eventOf);
      // Two trainings, and the second told nobody: nothing had changed.
      expect(told.map(({ type, model, chain, release }) => [type, model ?? chain, release]).sort()).toEqual([
        ['release.promoted', 'flats', 1], ['release.promoted', 'flats', 2], ['release.rolledBack', 'flats', 2],
        ['run.failed', 'condition', undefined], ['version.made', 'condition', undefined], ['version.made', 'rent', undefined],
      ]);
      expect(told.find(({ type, model }) => type === 'version.made' && model === 'rent')).toMatchObject({ version: current!.versions.rent!.id, details: { run: 1, metrics: { rmse: expect.any(Number) } } });
      expect(told.find(({ type }) => type === 'release.rolledBack')!.reason).toBe('tester: to see what is told');
      expect(new Set(told.map(({ id }) => id)).size).toBe(told.length);

      for (const { headers, body } of receiver.at(at)) {
        expect(new Webhook(SECRET).verify(body.toString('utf8'), headers as Record<string, string>)).toEqual(JSON.parse(body.toString('utf8')));
        // By hand, as the specification says it.
        const signed = createHmac('sha256', Buffer.from(SECRET.slice('whsec_'.length), 'base64')).update(`${headers['webhook-id']}.${headers['webhook-timestamp']}.`).update(body).digest('base64');
        expect(headers['webhook-signature']).toBe(`v1,${signed}`);
        expect(headers['webhook-id']).toBe((JSON.parse(body.toString('utf8')) as ShoalEvent).id);
        expect(headers.authorization).toBe(TOKEN);
        expect(() => new Webhook(SECRET).verify(body.toString('utf8').replace('"type"', '"tipe"'), headers as Record<string, string>)).toThrow(/No matching signature/);
      }
      expect(receiver.at('/promotions').map((r) => eventOf(r).type)).toEqual(['release.promoted', 'release.promoted']);

      const heard = () => readFileSync(path.join(project.files.folder, 'heard'), 'utf8').trim().split('\n').map((line) => JSON.parse(line) as ShoalEvent);
      await until(() => heard().length === 3);
      expect(heard().map(({ id }) => id).sort()).toEqual(told.filter(({ type }) => ['version.made', 'run.failed'].includes(type)).map(({ id }) => id).sort());
      expect(readFileSync(path.join(project.files.folder, 'heard.env'), 'utf8')).toContain(`version.made rent ${current!.versions.rent!.id}`);

      // A receiver that is gone is given up at once; a redirect is not followed, and tried again.
      const rolledBack = receiver.at(at).find((r) => eventOf(r).type === 'release.rolledBack')!;
      const delivery = project.shoal.temporal.workflow.getHandle(`event/${rolledBack.headers['webhook-id'] as string}`);
      await expect(delivery.result()).rejects.toMatchObject({ cause: { message: expect.stringMatching(/to gone: It answered 410/) as string, type: 'EVENT_UNDELIVERED' } });
      expect(receiver.at('/gone')).toHaveLength(1);
      expect(receiver.at('/elsewhere')).toHaveLength(0);
      expect(new Set(receiver.at('/moved').map((r) => r.headers['webhook-id'])).size).toBe(1);

      const kept = await everything(project);
      expect(kept).toContain('version.made');
      for (const secret of [SECRET, SECRET.slice('whsec_'.length), TOKEN, PATH_KEY]) expect(kept.includes(secret)).toBe(false);
    } finally {
      await project.close();
      await receiver.stop();
    }
  });

  it('that are away, or not there, or take too long hear of it later, the same event by its id', async () => {
    const port = await freePort();
    const project = await TestProject.open(server, {
      models: models(`
  away: { url: "http://127.0.0.1:${port}/${PATH_KEY}", secret: ${SECRET} }
  missing: { command: [./tell.sh] }
  slow: { command: [/bin/sh, -c, 'if [ -e waited ]; then exit 0; fi; touch waited; echo hanging; sleep 60'], timeout: 500ms }
`), files: {},
    });
    const receiver = new Receiver((_request, before) => (before === 0 ? { status: 503, headers: { 'retry-after': '1' } } : { status: 200 }));
    try {
      await project.shoal.train(['condition'], word);
      let id = '';
      const pending = async () => {
        for await (const { workflowId } of project.shoal.temporal.workflow.list({ query: 'WorkflowType = "deliver"' })) id = workflowId;
        if (id === '') return [];
        return (await project.shoal.temporal.workflow.getHandle(id).describe()).raw.pendingActivities ?? [];
      };
      const failures = async () => (await pending()).map((p) => p.lastFailure?.message ?? '').join('\n');
      const seen = new Set<string>();
      await until(async () => {
        const said = await failures();
        for (const part of ['ECONNREFUSED', 'There is no program ./tell.sh', 'took more than 500 ms. It said: hanging']) if (said.includes(part)) seen.add(part);
        return seen.size === 3;
      });
      writeFileSync(path.join(project.files.folder, 'tell.sh'), '#!/bin/sh\nexit 0\n');
      chmodSync(path.join(project.files.folder, 'tell.sh'), 0o755);
      await receiver.start(port);
      const deliveries = await project.shoal.temporal.workflow.getHandle(id).result() as { hook: string; status: string; attempts: number }[];
      expect(deliveries.map(({ hook, status, attempts }) => [hook, status, attempts > 1])).toEqual([['away', 'delivered', true], ['missing', 'delivered', true], ['slow', 'delivered', true]]);
      expect(receiver.received.map((r) => r.headers['webhook-id'])).toEqual([id.slice('event/'.length), id.slice('event/'.length)]);
      expect(await everything(project)).not.toContain(PATH_KEY);
    } finally {
      await project.close();
      await receiver.stop();
    }
  });

  it('are told once more, by the same id, when the worker is killed in the middle of it', async () => {
    const receiver = new Receiver((_request, before) => (before === 0 ? undefined : { status: 200 }));
    const port = await receiver.start();
    const project = await TestProject.open(server, { models: models(`\n  one: { url: "http://127.0.0.1:${port}/x", secret: ${SECRET}, timeout: 1m }`), files: {}, workers: [] });
    const worker = new KeptWorker({ projectFile: project.files.file, address: server.address, env: { ROLES: 'workflows,train,serve', FAULTS: '', STRUCK: path.join(project.files.folder, 'struck') } });
    try {
      await worker.start();
      await project.shoal.train(['condition'], word);
      await until(() => receiver.received.length === 1);
      worker.kill();
      await until(() => receiver.received.length === 2);
      const [first, second] = receiver.received;
      expect(second!.headers['webhook-id']).toBe(first!.headers['webhook-id']);
      expect(second!.body.equals(first!.body)).toBe(true);
      await project.shoal.temporal.workflow.getHandle(`event/${second!.headers['webhook-id'] as string}`).result();
      expect(receiver.received).toHaveLength(2);
      expect(existsSync(path.join(project.files.folder, 'struck'))).toBe(false);
    } finally {
      await worker.stop();
      await project.close();
      await receiver.stop();
    }
  });
});
