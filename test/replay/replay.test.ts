import { Worker } from '@temporalio/worker';
import { readdirSync, readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils';
import { prebuiltWorkflows } from '../../src/workers/worker';

jest.setTimeout(120_000);

const HISTORIES = path.join(__dirname, 'histories');
const files = readdirSync(HISTORIES).filter((file) => file.endsWith('.json'));
const read = (file: string) => readFileSync(path.join(HISTORIES, file), 'utf8');
const idOf = (file: string) => file.replace('.json', '');

/** What a history says of every payload, in clear. */
const payloads = (text: string) => [...text.matchAll(/"data":"([A-Za-z0-9+/=]+)"/g)].map(([, data]) => Buffer.from(data!, 'base64').toString('utf8')).join('\n');

describe('workflows as they are now', () => {
  it('go on from every history that earlier ones left', async () => {
    const histories = files.map((file) => ({ workflowId: idOf(file), history: historyFromJSON(JSON.parse(read(file))) }));
    const results: Record<string, string> = {};
    for await (const { workflowId, error } of Worker.runReplayHistories({ workflowBundle: await prebuiltWorkflows() }, histories)) results[workflowId] = error?.message ?? 'replays';
    expect(results).toEqual(Object.fromEntries(files.map((file) => [idOf(file), 'replays'])));
  });

  it('are noticed when they would do something else', async () => {
    const history = JSON.parse(read('lifecycle-made.json')) as { events: { activityTaskScheduledEventAttributes?: { activityType: { name: string } } }[] };
    const scheduled = history.events.find((e) => e.activityTaskScheduledEventAttributes?.activityType.name === 'validate')!;
    scheduled.activityTaskScheduledEventAttributes!.activityType.name = 'somethingElse';
    await expect(Worker.runReplayHistory({ workflowBundle: await prebuiltWorkflows() }, historyFromJSON(history), 'lifecycle-made')).rejects.toThrow(/[Nn]ondetermin/);
  });

  it.each(['model', 'lifecycle', 'release', 'chain'])('are covered: %s', (workflow) => {
    expect(files.some((file) => read(file).includes(`"workflowType":{"name":"${workflow}"}`))).toBe(true);
  });

  it.each<[file: string, holds: string[]]>([
    ['release-people', ['"name":"approve"', '"name":"pause"', '"name":"setWeight"', '"name":"rollback"', '"name":"propose"', '"promoted"', '"rolled back"']],
    ['release-forced', ['"name":"refuse"', '"refused"', '"promoted"']],
    ['release-canary', ['"name":"look"', '"promoted"', '"refused"', 'Worse than the current release', 'No worse than tolerated']],
    ['release-bake', ['"name":"look"', '"rolled back"', 'Worse than the current release']],
    ['release-cascade', ['"signalName":"cascade"', '"signalName":"rejected"', '"promoted"']],
    ['model-cascade', ['"signalName":"cascade"']],
    ['chain-abandoned', ['its artifact is broken', '"activity_type":"logFailure"']],
    ['lifecycle-data-refused', ['DATA_REFUSED']],
    ['lifecycle-labels-refused', ['LABELS_REFUSED']],
  ])('have gone down this way: %s', (file, holds) => {
    const text = read(`${file}.json`);
    for (const part of holds) expect(text + payloads(text)).toContain(part);
  });

  it.each(files)('%s names no machine', (file) => {
    const text = read(file) + payloads(read(file));
    for (const name of [os.homedir() + path.sep, process.cwd(), `@${os.hostname()}`]) expect(text.includes(name)).toBe(false);
    expect(text).not.toMatch(/"identity":"(?!worker")/);
    expect(read(file).length).toBeLessThan(200_000);
  });
});
