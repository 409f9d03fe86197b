import { ApplicationFailure } from '@temporalio/common';
import type { LogEntry } from '../../src/domain/requestLog';
import { createRequestLog } from '../../src/data/requestLog';
import { Fault, idsOf, liveOn, trainTwice, type Live, type Trained } from '../support/liveProject';
import { TestServer, until } from '../support/server';

jest.setTimeout(240_000);

let server: TestServer;
let trained: Trained;
beforeAll(async () => {
  server = await TestServer.start();
  trained = await trainTwice(server);
});
afterAll(async () => {
  await server?.stop();
});

const withLive = liveOn(() => ({ server, trained }));

const logged = async ({ project }: Live): Promise<LogEntry[]> => {
  const entries: LogEntry[] = [];
  for await (const some of createRequestLog(project.store).read({ chain: 'flats', since: new Date(0).toISOString() })) entries.push(...some);
  return entries;
};

describe('a candidate that is no worse', () => {
  it('answers unseen, then a share of the requests, the same keys every time and never mixed with another release, and is promoted', async () => {
    await withLive({ rollout: { shadow: '15', steps: '[0.3, 0.6]' } }, async (live) => {
      const { first, second } = trained;
      await live.shoal.propose('flats', second, { by: 'tester', reason: 'newer' });
      await live.inPhase('shadow');
      await until(async () => (await live.routing()).candidate?.release.number === 2);
      expect((await live.routing()).candidate!.weight).toBe(0);
      live.busy();
      await live.inPhase('canary');
      expect((await live.view()).activity).toMatch(/release 1 is in place; candidate 2 answers 30% of the requests: \d+ of 15/);
      await live.shoal.pause('flats', { by: 'tester', reason: 'to look at it' });
      await live.calm();

      const same = await live.ask(5);
      for (const { row, answer } of same) {
        const again = await Promise.all([1, 2].map(() => live.shoal.predict('flats', [row])));
        expect(again.map((a) => [a.release, a.outputs])).toEqual([1, 2].map(() => [answer.release, answer.outputs]));
      }
      await live.shoal.resume('flats', { by: 'tester', reason: 'seen' });
      live.busy();
      const decision = await live.decided(2);
      await live.calm();
      expect(decision).toMatchObject({ status: 'promoted', versions: second, reason: expect.stringMatching(/In use: No worse than tolerated after \d+ requests/) });
      expect(idsOf((await live.view()).current!)).toEqual(second);
      expect(await live.routing()).toMatchObject({ current: { number: 2 }, previous: { number: 1 } });

      const releases = live.answers.map(({ answer }) => answer.release);
      expect(new Set(releases)).toEqual(new Set([1, 2]));
      for (const { answer } of live.answers) {
        const its = answer.release === 1 ? first : second;
        expect(Object.fromEntries(Object.entries(answer.provenance).map(([model, p]) => [model, p.version]))).toEqual(its);
      }
    });
  });

  it('is judged on the recorded requests when none come', async () => {
    await withLive({ rollout: { steps: '[0.3]', idle: '1s' } }, async (live) => {
      await live.ask(30);
      await live.judgeable();
      await live.shoal.propose('flats', trained.second, { by: 'tester', reason: 'newer' });
      const decision = await live.decided(2);
      expect(decision).toMatchObject({ status: 'promoted', reason: expect.stringMatching(/On recorded requests: No worse than tolerated after 30 requests/) });
      expect(decision.look!.verdict.checks.find((c) => c.check === 'loss')).toMatchObject({ verdict: 'pass', requests: 30 });
    });
  });

  it('is promoted on the held-out rows alone when there has been no request, and says so', async () => {
    await withLive({ rollout: { shadow: '15', steps: '[0.3]', idle: '1s' } }, async (live) => {
      await live.redefine('1.0 * 1.0');
      const decision = await live.decided(2);
      expect(decision).toMatchObject({ status: 'promoted', reason: expect.stringMatching(/rmse .*No request has come and none is recorded: judged on the \d+ held-out rows alone\.$/) });
    });
  });
});

describe('a candidate that is worse', () => {
  it('is refused on the recorded requests, before it answers a live one', async () => {
    await withLive({ rollout: { steps: '[0.5]' } }, async (live) => {
      await live.ask(30);
      await live.judgeable();
      await live.redefine('2.0');
      expect(await live.decided(2)).toMatchObject({ status: 'refused', reason: expect.stringMatching(/^on recorded requests, Worse than the current release after 30 requests: .*mean error/) });
      expect((await live.routing()).candidate).toBeUndefined();
      expect((await logged(live)).filter((e) => e.release === 2).map((e) => e.arm)).toEqual(new Array(30).fill('shadow'));
    });
  });

  it('is refused while it answers unseen: nobody saw what it said', async () => {
    await withLive({ rollout: { shadow: '1000', steps: '[0.5]' } }, async (live) => {
      await live.redefine('2.0');
      await live.inPhase('shadow');
      live.busy();
      expect(await live.decided(2)).toMatchObject({ status: 'refused', reason: expect.stringMatching(/^unseen, Worse than the current release/) });
      await live.calm();
      expect(new Set(live.answers.map(({ answer }) => answer.release))).toEqual(new Set([1]));
      await until(async () => (await live.routing()).candidate === undefined);
      expect((await live.routing()).current.number).toBe(1);
    });
  });

  it.each([['', false], [', also while a person holds it', true]])('is refused in the canary, and requests go back to the release in place%s', async (_also, held) => {
    await withLive({ rollout: { steps: '[0.5]', requests: '1000' } }, async (live) => {
      await live.redefine('2.0');
      await live.inPhase('canary');
      if (held) await live.shoal.pause('flats', { by: 'tester', reason: 'to look at it' });
      live.busy();
      expect(await live.decided(2)).toMatchObject({ status: 'refused', reason: expect.stringMatching(/^in use, Worse than the current release/) });
      await live.calm();
      expect(live.answers.some(({ answer }) => answer.release === 2)).toBe(true);
      expect((await live.ask(10)).map(({ answer }) => answer.release)).toEqual(new Array(10).fill(1));
      const { rollout, current } = await live.view();
      expect([rollout, current!.number]).toEqual([undefined, 1]);
    });
  });

  it('is taken back by itself when it shows after the promotion', async () => {
    await withLive({ rollout: { bake: '1h', idle: '1s' } }, async (live) => {
      await live.redefine('2.0');
      expect((await live.decided(2)).status).toBe('promoted');
      expect((await live.view()).bake).toMatchObject({ release: 2, reference: 1 });
      live.busy();
      expect(await live.decided(2, 'rolled back')).toMatchObject({ reason: expect.stringMatching(/^in use, Worse than the current release/), by: 'shoal' });
      await live.calm();
      expect((await live.ask(5)).map(({ answer }) => answer.release)).toEqual(new Array(5).fill(1));
      expect(await live.view()).toMatchObject({ current: { number: 1 }, previous: { number: 2 }, idle: true });
      // And is not tried again.
      expect((await live.view()).rollout).toBeUndefined();
    });
  });

  it('answers nobody where it fails: the release in place does, and the failures count against it', async () => {
    const fault = new Fault('runSegment', () => ApplicationFailure.nonRetryable('its artifact is broken', 'ARTIFACT_CORRUPT'),
      ([input]) => (input as { release: { number: number } }).release.number === 2);
    fault.on = true;
    await withLive({ rollout: { steps: '[0.5]', requests: '1000', tolerance: '{ failures: 0.02 }' }, activityInterceptors: [fault.interceptor] }, async (live) => {
      await live.shoal.propose('flats', trained.second, { by: 'tester', reason: 'newer' });
      await live.inPhase('canary');
      live.busy();
      expect(await live.decided(2)).toMatchObject({ status: 'refused', reason: expect.stringMatching(/^in use, Worse than the current release after .* failed against the current release's 0 of/) });
      await live.calm();
      expect(new Set(live.answers.map(({ answer }) => answer.release))).toEqual(new Set([1]));
      const abandoned = (await logged(live)).filter((e) => e.arm === 'abandoned');
      expect(abandoned.length).toBeGreaterThan(0);
      for (const entry of abandoned) expect(entry).toMatchObject({ release: 2, failure: expect.stringContaining('its artifact is broken'), weight: 0.5 });
      expect(live.answers.some(({ row }) => abandoned.some((e) => e.keys[0] === String(row.id)))).toBe(true);
    });
  });
});

describe('a fault that is not the candidate\'s', () => {
  it('of the judge holds it where it is, says why, and lets it go on afterwards', async () => {
    const fault = new Fault('look', () => ApplicationFailure.nonRetryable('the outcomes can\'t be read', 'STORE_UNAVAILABLE'));
    await withLive({ rollout: { steps: '[0.3]', idle: '1s' }, activityInterceptors: [fault.interceptor] }, async (live) => {
      fault.on = true;
      await live.redefine('1.0 * 1.0');
      await until(async () => (await live.view()).activity.includes('cannot look'));
      expect((await live.view()).activity).toBe('candidate 2 is held: the judge cannot look, the outcomes can\'t be read');
      await until(() => fault.failed > 2);
      expect(await live.view()).toMatchObject({ current: { number: 1 }, rollout: { number: 2, phase: 'replay' } });
      fault.on = false;
      expect((await live.decided(2)).status).toBe('promoted');
    });
  });

  it('of the store while it is judged holds it, too', async () => {
    const fault = new Fault('evaluateRelease', () => ApplicationFailure.nonRetryable('the disk is full', 'STORE_FULL'));
    await withLive({ rollout: { idle: '1s' }, activityInterceptors: [fault.interceptor] }, async (live) => {
      fault.on = true;
      await live.redefine('1.0 * 1.0');
      await until(async () => (await live.view()).activity.includes('the disk is full'));
      fault.on = false;
      expect((await live.decided(2)).status).toBe('promoted');
    });
  });

  it('of the judge after the promotion does not end the watch', async () => {
    const fault = new Fault('look', () => ApplicationFailure.nonRetryable('the outcomes can\'t be read', 'STORE_UNAVAILABLE'));
    await withLive({ rollout: { bake: '3s', idle: '1s' }, activityInterceptors: [fault.interceptor] }, async (live) => {
      await live.redefine('2.0');
      await live.decided(2);
      fault.on = true;
      await live.ask(20);
      await until(async () => (await live.view()).activity.includes('cannot look'));
      await until(() => fault.failed > 5);
      expect((await live.view()).bake).toMatchObject({ release: 2 });
      fault.on = false;
      expect((await live.decided(2, 'rolled back')).by).toBe('shoal');
    });
  });

  it('of the store as it is promoted takes the promotion back: all is as before', async () => {
    const fault = new Fault('publishRouting', () => ApplicationFailure.nonRetryable('the store is read-only', 'STORE_READ_ONLY'),
      ([input]) => (input as { routing: { current: { number: number } } }).routing.current.number === 2);
    await withLive({ rollout: { bake: '1h' }, activityInterceptors: [fault.interceptor] }, async (live) => {
      const [view, routing] = [await live.view(), await live.routing()];
      fault.on = true;
      await live.shoal.propose('flats', trained.second, { by: 'tester', reason: 'newer', force: true });
      expect(await live.decided(2)).toMatchObject({ status: 'failed', reason: 'the store is read-only' });
      const after = await live.view();
      expect([after.current, after.previous, after.bake, after.rollout]).toEqual([view.current, view.previous, undefined, undefined]);
      expect(await live.routing()).toEqual({ ...routing, revision: expect.any(Number) });
      expect((await live.ask(3)).map(({ answer }) => answer.release)).toEqual([1, 1, 1]);
      fault.on = false;
      await live.shoal.propose('flats', trained.second, { by: 'tester', reason: 'newer', force: true });
      expect((await live.decided(3)).status).toBe('promoted');
    });
  });
});
