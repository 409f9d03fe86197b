import { WorkflowUpdateFailedError, type WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { temporal } from '@temporalio/proto';
import { ERRORS } from '../../src/domain/errors';
import * as workflows from '../../src/workflows';
import * as messages from '../../src/workflows/messages';
import { lifecycleWorkflowId, type ModelView, type ReleaseView } from '../../src/workflows/messages';
import { TestProject } from '../support/project';
import { RawMessages, UNREADABLE } from '../support/rawMessages';
import { TestServer, until } from '../support/server';
import { twoModels } from '../support/smallProject';
import { GOOD, spoilt } from './goodMessages';

jest.setTimeout(240_000);

const { CommandType } = temporal.api.enums.v1;
const EASY = (metric: string) => `gates: [{ metric: ${metric}, against: baseline, min: 0 }]`;
const OFTEN = 'retrain: { cooldown: 1s, budget: 100 }';
const MODELS = twoModels({ maxEpochs: 2, condition: `${EASY('accuracy')}\n    ${OFTEN}`, rent: `${EASY('rmse')}\n    ${OFTEN}`, chain: EASY('rmse') }) + '\nhooks:\n  pager: { command: ["true"], events: [drift] }\n';

let server: TestServer;
let project: TestProject;
let raw: RawMessages;
beforeAll(async () => {
  server = await TestServer.start({ namespaces: 1 });
  project = await TestProject.open(server, { models: MODELS });
  raw = new RawMessages(project.shoal.temporal.workflow, project.namespace);
  await project.train();
});
afterAll(async () => {
  await project?.close();
  await server?.stop();
});

const RUBBISH: unknown[] = [null, 5, 'text', true, [], [[1], null], {}, { model: { name: 7 }, seen: [], version: 'x', request: null, definition: 0 }];
const SIGNALS = {
  'model/rent': ['modelSettled', 'promoted', 'rejected', 'pardoned', 'cascade', 'retrain'],
  'release/flats': ['modelSettled', 'observed'],
} as const;
/** Heard whatever they say: that they come is all that matters. */
const HEARD_ANYHOW = ['newData'];
const UPDATES = {
  'model/rent': ['requestRun', 'define'],
  'release/flats': ['configure', 'propose', 'approve', 'refuse', 'pause', 'resume', 'setWeight', 'force', 'rollback'],
};

const handleOf = (id: string): WorkflowHandle => project.shoal.temporal.workflow.getHandle(id);
const viewOf = (id: string) => handleOf(id).query<ModelView | ReleaseView>('describe');
const detailsOf = async (id: string): Promise<string> => (await handleOf(id).query<{ currentDetails: string }>('__temporal_workflow_metadata')).currentDetails;

/** What an update failed with; nothing when it did not. */
const refusalOf = (id: string, update: string, args: unknown[]): Promise<unknown> =>
  handleOf(id).executeUpdate(update, { args: args as [unknown] }).then(() => undefined, (e: unknown) => (e instanceof WorkflowUpdateFailedError ? e.cause : e));

/** Its tasks that failed, with why. */
const failures = async (id: string): Promise<unknown[]> =>
  (await project.history(id)).events!.flatMap(({ workflowTaskFailedEventAttributes: failed }) => (failed ? [failed.failure?.message] : []));

/** Something else than a message of its own, where `null` may stand for none. */
const rubbishFor = (update: string) => RUBBISH.filter((value) => update !== 'requestRun' || (value !== null && (typeof value !== 'object' || Array.isArray(value))));

describe('every signal and update', () => {
  it('of the long-lived workflows is among those that are tried here', () => {
    const defined = (type: string) => Object.values(messages).flatMap((m) => (typeof m === 'object' && 'type' in m && m.type === type ? [m.name] : []));
    expect(defined('signal').sort()).toEqual([...new Set([...Object.values(SIGNALS).flat(), ...HEARD_ANYHOW, 'runEnded', 'upstreamAnswered'])].sort());
    expect(defined('update').sort()).toEqual(Object.values(UPDATES).flat().sort());
  });
});

describe.each(Object.keys(workflows))('the workflow %s', (type) => {
  it('that is started with what is no message of its own fails in words', async () => {
    const { taskQueue } = project.spec.temporal;
    const says = ['model', 'release'].includes(type)
      ? { type: 'CONFIG', message: expect.stringMatching(/ is .*, not .*`shoal up` and `shoal train` tell it/) }
      : { type: expect.stringMatching(/^(COMMAND_REFUSED|UNKNOWN_CHAIN)$/), message: expect.stringMatching(/ is told |A run is |`\w+` is |The request /) };
    await Promise.all([[], [null], [5], [[]], [{}], [{ model: { name: 7 }, spec: [] }]].map(async (args, i) => {
      const started = project.shoal.temporal.workflow.execute(type, { workflowId: `${type}-by-hand-${i}`, taskQueue, args });
      await expect(started).rejects.toMatchObject({ cause: says });
      expect(await failures(`${type}-by-hand-${i}`)).toEqual([]);
    }));
  });
});

describe.each(Object.keys(SIGNALS) as (keyof typeof SIGNALS)[])('%s', (id) => {
  it('ignores signals that are no messages, and says so', async () => {
    const { ignored: _none, ...before } = await viewOf(id);
    for (const signal of SIGNALS[id]) {
      const broken = [...RUBBISH, ...spoilt(GOOD[signal]).map(({ message }) => message)];
      await Promise.all([...broken.map((message) => handleOf(id).signal(signal, message)), handleOf(id).signal(signal)]);
      await handleOf(id).signal(signal, { secret: 'a | b' });
      const { ignored, ...after } = await viewOf(id);
      expect(after).toEqual(before);
      expect(ignored).toHaveLength(5);
      expect(ignored![0]).toEqual({ at: expect.any(String), signal, why: expect.stringMatching(/^`\w+` is .*, not left out$/) });
    }
    await handleOf(id).signal(SIGNALS[id][0], 'a | b');
    expect(await detailsOf(id)).toMatch(new RegExp(`Signals that were ignored:\\n\\n.*\\n.*\\n\\| \\S+ \\| ${SIGNALS[id][0]} \\| its data is an object, not "a \\\\\\| b" \\|\\n`));
    expect(await failures(id)).toEqual([]);
  });

  it('ignores signals whose data can\'t be read, and says so', async () => {
    const { ignored: _before, ...before } = await viewOf(id);
    for (const signal of SIGNALS[id]) {
      for (const payload of Object.values(UNREADABLE)) await raw.signal(id, signal, payload);
      const { ignored, ...after } = await viewOf(id);
      expect(after).toEqual(before);
      expect(ignored!.slice(0, 3).map(({ why }) => why)).toEqual([
        expect.stringMatching(/data that can't be read \(Unknown encoding: \)$/), expect.stringMatching(/data that can't be read \(.*JSON/), expect.stringMatching(/\(Unknown encoding: binary\/encrypted\)$/),
      ]);
    }
    expect(await failures(id)).toEqual([]);
  });

  it('refuses updates that are no messages in words', async () => {
    const { ignored: _before, ...before } = await viewOf(id);
    for (const update of UPDATES[id]) {
      for (const message of [...rubbishFor(update), ...(update === 'requestRun' ? [] : [undefined])]) {
        const failure = await refusalOf(id, update, message === undefined ? [] : [message]);
        expect(failure).toBeInstanceOf(ApplicationFailure);
        expect(Object.keys(ERRORS)).toContain((failure as ApplicationFailure).type);
        expect((failure as ApplicationFailure).message).not.toMatch(/Cannot read|undefined|is not a function|not iterable/);
      }
      for (const payload of Object.values(UNREADABLE)) expect(await raw.update(id, update, payload)).toMatch(/data that can't be read|^Say who and why/);
    }
    const { ignored: _after, ...after } = await viewOf(id);
    expect(after).toEqual(before);
    expect(await failures(id)).toEqual([]);
  });
});

describe('a definition', () => {
  it('that is broken, or another\'s, is refused whichever way it comes', async () => {
    const { model } = (await viewOf('model/rent')) as ModelView;
    expect(model).toBe('rent');
    const definition = messagesOf('model/condition');
    const refused = async (update: string, args: unknown[], says: RegExp) =>
      expect(await refusalOf('model/rent', update, args)).toMatchObject({ type: 'CONFIG', message: expect.stringMatching(says) });
    const ours = (await definition)!;
    await refused('define', [ours], /^This is the model rent, not condition\./);
    await refused('requestRun', [null, ours], /^This is the model rent, not condition\./);
    await refused('requestRun', [{}, 0], /^A definition is an object, not 0\./);
    for (const { path, message } of spoilt(ours).filter(({ path: at }) => /^(model\.(name|task|inputs)|source\.name|downstream|chains|trainQueue|dataQueue)/.test(at) && !/^model\.inputs\.\d+\.(column|type|model|output)/.test(at))) {
      await refused('define', [message], new RegExp(`^\`${path.replace(/\.\d+/g, '').split('.')[0]}`));
    }
  });

  /** As the workflow was told it first. */
  async function messagesOf(id: string): Promise<messages.ModelDefinition | undefined> {
    const { events } = await project.history(id);
    const payload = events![0]!.workflowExecutionStartedEventAttributes!.input!.payloads![0]!;
    return JSON.parse(Buffer.from(payload.data!).toString()) as messages.ModelDefinition;
  }
});

describe('workflows that wait for an answer', () => {
  const rubbish = async (id: string, signal: string) => {
    for (const message of RUBBISH) await handleOf(id).signal(signal, message);
    for (const payload of Object.values(UNREADABLE)) await raw.signal(id, signal, payload);
  };

  it('go on waiting for a right one', async () => {
    const { runs } = await project.model('rent');
    const alone = { reason: 'waits for the other', by: 'tester', batch: 'together', alongside: ['condition', 'rent'] };
    const { run } = await handleOf('model/rent').executeUpdate<messages.RunAnswer, [object]>('requestRun', { args: [alone] });
    const lifecycle = lifecycleWorkflowId('rent', run);
    await until(async () => (await project.model('rent')).running?.workflowId === lifecycle);
    await rubbish(lifecycle, 'upstreamAnswered');
    const { temporal } = project.shoal;
    const retraining = await temporal.workflow.start('retrain', { taskQueue: project.spec.temporal.taskQueue, workflowId: 'a-retraining', args: [{ what: 'rent', models: ['rent'] }] });
    await rubbish('a-retraining', 'runEnded');
    expect(await failures(lifecycle)).toEqual([]);
    expect((await handleOf(lifecycle).describe()).status.name).toBe('RUNNING');

    await handleOf('model/condition').executeUpdate('requestRun', { args: [alone] });
    expect(await retraining.result()).toMatchObject({ runs: { rent: { status: 'unchanged' } } });
    expect((await project.model('rent')).runs.slice(0, 2).map((r) => r.status)).toEqual(['unchanged', 'unchanged']);
    expect((await project.model('rent')).runs).toHaveLength(runs.length + 2);
    expect(await failures('a-retraining')).toEqual([]);
  });
});

describe('after all that', () => {
  it('good messages are heard', async () => {
    const now = new Date().toISOString();
    await handleOf('release/flats').signal('observed', { ...GOOD.observed, seen: { ...GOOD.observed.seen, at: now } });
    expect((await project.chain()).health).toMatchObject({ at: now, drift: [{ column: 'size' }] });
    await handleOf('model/rent').signal('newData', { reason: 'it came', by: 'tester' });
    await until(async () => (await project.model('rent')).runs.some(({ request }) => request.reason === 'it came'));

    project.files.addFlats(300);
    await project.train();
    const { current } = await project.chain();
    expect(current!.number).toBeGreaterThan(1);
    expect((await project.model('rent')).champion).toEqual(current!.versions.rent);
  });

  it('a look at which a great many columns have moved is told as one event', async () => {
    const [alert] = GOOD.observed.seen.alerts;
    const at = new Date().toISOString();
    const alerts = Array.from({ length: 80 }, (_, i) => ({ ...alert!, subject: `input a column with a long name ${i}`, verdict: 'raise' as const, models: [] }));
    await handleOf('release/flats').signal('observed', { models: [], seen: { ...GOOD.observed.seen, release: (await project.chain()).current!.number, at, alerts } });
    expect((await project.chain()).health).toMatchObject({ at, state: 'drift' });
    expect(await failures('release/flats')).toEqual([]);
    const { events } = await project.history('release/flats');
    expect(events!.filter((e) => e.startChildWorkflowExecutionInitiatedEventAttributes?.workflowId?.includes(at))).toHaveLength(1);
  });

  it('new data are looked at whatever the signal says, and if nobody can read it', async () => {
    const asked = async () => JSON.stringify(await project.model('condition')).split('a program says there are new data').length - 1;
    const { runs } = await project.model('condition');
    for (const message of RUBBISH) await handleOf('model/condition').signal('newData', message);
    for (const payload of Object.values(UNREADABLE)) await raw.signal('model/condition', 'newData', payload);
    expect(await asked()).toBeGreaterThan(0);
    await until(async () => (await project.model('condition')).running === undefined);
    expect((await project.model('condition')).runs.length).toBeLessThanOrEqual(runs.length + 2);
    expect(await failures('model/condition')).toEqual([]);
  });

  it('a request with a very long reason, or a batch named as a property of every object, is taken', async () => {
    const { runs } = await project.model('condition');
    await handleOf('model/condition').executeUpdate('requestRun', { args: [{ reason: 'long '.repeat(5_000), batch: 'constructor' }] });
    await until(async () => (await project.model('condition')).settled.includes('constructor'));
    expect((await project.model('condition')).runs.length).toBeGreaterThan(runs.length);
    expect(await failures('model/condition')).toEqual([]);
  });
});

describe('data that can\'t be read', () => {
  const [encrypted] = Object.values(UNREADABLE);

  it('ends a prediction in words', async () => {
    const { workflowService } = project.shoal.temporal.workflow;
    const workflowId = 'unreadable-request';
    await workflowService.startWorkflowExecution({
      namespace: project.namespace, workflowId, workflowType: { name: 'chain' }, taskQueue: { name: project.spec.temporal.taskQueue }, requestId: workflowId, identity: 'a test', input: { payloads: [encrypted!] },
    });
    await expect(handleOf(workflowId).result()).rejects.toMatchObject({ cause: { type: 'UNKNOWN_CHAIN' } });
  });

  it('is refused by activities and programs as before', async () => {
    await raw.play('played', [
      [{
        commandType: CommandType.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK,
        scheduleActivityTaskCommandAttributes: {
          activityId: '1', activityType: { name: 'ingest' }, taskQueue: { name: messages.dataQueue(project.spec.temporal.taskQueue) }, input: { payloads: [encrypted!] },
          startToCloseTimeout: { seconds: 20 as never }, scheduleToCloseTimeout: { seconds: 20 as never }, retryPolicy: { maximumAttempts: 1 },
        },
      }],
      [{ commandType: CommandType.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION, completeWorkflowExecutionCommandAttributes: { result: { payloads: [encrypted!] } } }],
    ]);
    const failed = (await project.history('played')).events!.flatMap((e) => e.activityTaskFailedEventAttributes?.failure ?? []);
    expect(failed).toEqual([expect.objectContaining({ message: expect.stringContaining('Unknown encoding: binary/encrypted') })]);
    await expect(handleOf('played').result()).rejects.toThrow('Unknown encoding: binary/encrypted');
  });
});
