import fc from 'fast-check';
import type { MadeVersion } from '../../src/workflows/messages';
import { ModelState } from '../../src/workflows/modelState';
import { definition, ref, request } from './fixtures';

const NOW = '2026-01-01T00:00:00.000Z';
const id = (run: number) => `lifecycle/m/${run}`;
const made = (version: string, upstream: Record<string, string> = {}): MadeVersion =>
  ({ version: ref('m', version), upstream, task: 'regression', metrics: [], verdict: { passed: true, reason: 'ok', gates: [] }, training: {} as MadeVersion['training'] });
const settled = (model: string, version: string | undefined, batches: string[] = []) =>
  ({ model, batches, alongside: [], version: version ? ref(model, version) : undefined, upstream: {} });

describe('a model that is asked for runs', () => {
  it('starts at once when idle, queues one while running, and merges the rest of a burst into that one', () => {
    const state = ModelState.fresh(definition('m'));
    expect(state.ask(request('a'), definition('m'))).toEqual({ run: 1, status: 'started' });
    state.begin(NOW, id);
    expect(state.ask(request('b'), definition('m'))).toEqual({ run: 2, status: 'queued' });
    expect(state.ask(request('c'), definition('m'))).toEqual({ run: 2, status: 'merged' });
    expect(state.end({ status: 'made', reason: 'ok', made: made('v1') }, NOW).batches).toEqual(['a']);
    expect(state.begin(NOW, id).batches).toEqual(['b', 'c']);
    expect(state.data.waiting).toBeUndefined();
  });

  it('runs files that are to become versions one by one, before what else is waiting, and merges them with nothing', () => {
    const file = (name: string) => ({ ...request(name), file: { name, onnx: { uri: name, sha256: name, bytes: 1 } } });
    const state = ModelState.fresh(definition('m'));
    const ask = (r: ReturnType<typeof request>) => state.ask(r, definition('m'));
    expect([ask(request('a')), ask(file('f')), ask(request('b')), ask(file('g'))]).toEqual([
      { run: 1, status: 'started' }, { run: 1, status: 'started' }, { run: 2, status: 'merged' }, { run: 2, status: 'queued' },
    ]);
    const batches: string[][] = [];
    while (state.isAsked) {
      batches.push(state.begin(NOW, id).batches);
      state.end({ status: 'made', reason: 'ok', made: made('v') }, NOW);
    }
    expect(batches).toEqual([['f'], ['g'], ['a', 'b']]);
  });

  it('answers a request that comes twice as it did the first time, also after its run, and runs once', () => {
    const state = ModelState.fresh(definition('m'));
    const first = state.ask(request('a'), definition('m'));
    expect(state.ask(request('a'), definition('m'))).toEqual(first);
    state.begin(NOW, id);
    expect(state.ask(request('a'), definition('m'))).toEqual(first);
    expect(state.isAsked).toBe(false);
    state.end({ status: 'made', reason: 'ok', made: made('v1') }, NOW);
    expect(state.ask(request('a'), definition('m'))).toEqual(first);
    expect(state.isAsked).toBe(false);
    expect(state.view().runs).toMatchObject([{ run: 1, batches: ['a'] }]);
    expect(state.ask(request('b'), definition('m'))).toEqual({ run: 2, status: 'started' });
    // Also after continue-as-new.
    expect(new ModelState(JSON.parse(JSON.stringify(state.data))).ask(request('a'), definition('m'))).toEqual(first);
  });

  it('answers every batch exactly once, whatever the order of requests and ends', () => {
    fc.assert(fc.property(fc.array(fc.boolean(), { maxLength: 60 }), (events) => {
      const state = ModelState.fresh(definition('m'));
      const asked: string[] = [];
      const answered: string[] = [];
      const finish = () => { const before = state.data.settled.length; const { batches } = state.end({ status: 'made', reason: '', made: made('v') }, NOW); answered.push(...batches.slice(0, batches.length - before)); };
      state.data.settled = [];
      for (const ask of events) {
        if (ask) { const batch = `b${asked.length}`; asked.push(batch); state.ask(request(batch), definition('m')); }
        else if (state.data.running) finish();
        if (!state.data.running && state.data.waiting) { state.begin(NOW, id); state.data.settled = []; }
      }
      while (state.data.running || state.data.waiting) {
        if (!state.data.running) { state.begin(NOW, id); state.data.settled = []; }
        finish();
      }
      expect(answered).toEqual(asked);
    }));
  });

  it('runs with the definition that came with the latest request', () => {
    const state = ModelState.fresh(definition('m'));
    const edited = { ...definition('m'), downstream: ['n'] };
    state.ask(request('a'), edited);
    expect(state.data.definition.downstream).toEqual(['n']);
  });
});

describe('a model that takes inputs from another', () => {
  const fresh = () => ModelState.fresh(definition('m', ['u']));

  it('waits for the run of its upstream model in the same batch, even when there is an older version', () => {
    const state = fresh();
    state.upstreamSettled(settled('u', 'old', ['earlier']));
    state.data.waiting = undefined;
    state.ask(request('now', ['u', 'm']), definition('m', ['u']));
    state.begin(NOW, id);
    expect(state.upstreamAnswer()).toBeUndefined();
    state.upstreamSettled(settled('u', 'new', ['now', 'earlier']));
    expect(state.upstreamAnswer()).toEqual({ versions: { u: ref('u', 'new') } });
    expect(state.data.waiting).toBeUndefined();
  });

  it('takes the newest upstream version at once when that model was not asked alongside', () => {
    const state = fresh();
    state.upstreamSettled(settled('u', 'old'));
    state.data.waiting = undefined;
    state.ask(request('now', ['m']), definition('m', ['u']));
    state.begin(NOW, id);
    expect(state.upstreamAnswer()).toEqual({ versions: { u: ref('u', 'old') } });
  });

  it('is told why when the upstream model has no version', () => {
    const state = fresh();
    state.ask(request('now', ['u', 'm']), definition('m', ['u']));
    state.begin(NOW, id);
    state.upstreamSettled({ ...settled('u', undefined, ['now']), refusal: 'a missing column' });
    expect(state.upstreamAnswer()).toEqual({ refusal: expect.stringContaining('a missing column') });
  });

  it('follows a new upstream version only when a chain asks it to, and then trains on just that one', () => {
    const state = fresh();
    state.upstreamSettled(settled('u', 'v2'));
    expect(state.data.waiting).toBeUndefined();
    state.ask({ ...request('cascade', ['m']), trigger: 'cascade', upstream: { u: ref('u', 'v1') } }, definition('m', ['u']));
    state.begin(NOW, id);
    expect(state.upstreamAnswer()).toEqual({ versions: { u: ref('u', 'v1') } });
  });

  it('keeps the upstream versions it was asked to train on when requests are merged', () => {
    const state = fresh();
    state.ask({ ...request('cascade', ['m']), upstream: { u: ref('u', 'v1') } }, definition('m', ['u']));
    state.ask(request('more', ['m']), definition('m', ['u']));
    expect(state.begin(NOW, id).request.upstream).toEqual({ u: ref('u', 'v1') });
  });

  it('keeps the rules for its data that the last run left that passed', () => {
    const state = fresh();
    const rules = (sha256: string) => ({ uri: sha256, sha256, bytes: 1 });
    const run = (status: 'made' | 'refused' | 'unchanged', left?: string) => {
      state.ask(request(`a${state.data.runs}`), definition('m', ['u']));
      state.begin(NOW, id);
      state.end({ status, reason: 'ok', made: { ...made('v1'), ...(left && { rules: rules(left) }) } }, NOW);
      return state.data.rules?.sha256;
    };
    expect([run('refused', 'bad'), run('made', 'first'), run('refused', 'bad'), run('unchanged'), run('unchanged', 'more')]).toEqual([undefined, 'first', 'first', 'first', 'more']);
  });

  it('keeps its last good version when a run is refused', () => {
    const state = fresh();
    state.ask(request('a'), definition('m', ['u']));
    state.begin(NOW, id);
    state.end({ status: 'made', reason: 'ok', made: made('v1') }, NOW);
    state.ask(request('b'), definition('m', ['u']));
    state.begin(NOW, id);
    const told = state.end({ status: 'refused', reason: 'worse', made: made('v2') }, NOW);
    expect(told).toMatchObject({ version: ref('m', 'v1'), refusal: 'worse' });
  });
});

describe('a version that a chain refuses', () => {
  const run = (state: ModelState, version: string, trigger: 'person' | 'cascade' = 'person') => {
    state.ask({ ...request(`to ${version}, ${state.data.runs}`), trigger }, definition('m'));
    state.begin(NOW, id);
    return state.end({ status: 'made', reason: 'ok', made: made(version) }, NOW);
  };

  it('gives its place as the newest back to the one in use, and is not offered again', () => {
    const state = ModelState.fresh(definition('m'));
    run(state, 'v1');
    state.promoted(ref('m', 'v1'));
    run(state, 'v2');
    state.reject({ chain: 'c', version: ref('m', 'v2'), reason: 'worse end to end' });
    expect(state.data.latest!.version.id).toBe('v1');
    expect(run(state, 'v2')).toMatchObject({ version: ref('m', 'v1'), refusal: expect.stringContaining('worse end to end') });
    expect(state.data.records[0]!.status).toBe('refused');
  });

  it('is offered again when the chain is defined otherwise, or asks for it', () => {
    const state = ModelState.fresh(definition('m'));
    run(state, 'v1');
    state.promoted(ref('m', 'v1'));
    state.reject({ chain: 'c', version: ref('m', 'v2'), reason: 'worse' });
    expect(run(state, 'v2', 'cascade')).toMatchObject({ version: ref('m', 'v2') });
    state.pardon('another');
    expect(run(state, 'v2').refusal).toBeDefined();
    state.pardon('c');
    expect(run(state, 'v2')).toMatchObject({ version: ref('m', 'v2'), refusal: undefined });
  });

  it('stays when another chain has it in use', () => {
    const state = ModelState.fresh(definition('m'));
    run(state, 'v1');
    state.promoted(ref('m', 'v1'));
    state.reject({ chain: 'c', version: ref('m', 'v1'), reason: 'worse' });
    expect(run(state, 'v1').refusal).toBeUndefined();
  });
});

describe('a model that is asked by schedules and monitors', () => {
  const limits = { cooldownMs: 3_600_000, budget: 3 };
  const at = (minutes: number) => new Date(Date.parse(NOW) + 60_000 * minutes).toISOString();
  const byItself = (batch: string, more: object = {}) => ({ ...request(batch, ['m', 'other']), trigger: 'schedule' as const, tell: [`waits-${batch}`], ...more });
  const begun = () => {
    const state = ModelState.fresh({ ...definition('m'), limits });
    expect(state.askByItself(byItself('a'), NOW).status).toBe('started');
    state.begin(NOW, id);
    return state;
  };
  const end = (state: ModelState, minutes: number) => state.end({ status: 'made', reason: 'ok', made: made('v1') }, at(minutes));

  it('makes one run of a burst and holds the rest as one, which keeps nobody waiting', () => {
    const state = begun();
    for (let i = 0; i < 50; i++) expect(state.askByItself(byItself(`b${i}`), at(1)).status).toBe('held');
    expect(state.data.held).toMatchObject({ until: at(60), why: expect.stringContaining('cooldown'), request: { alongside: ['m'] } });
    expect(state.data.held!.request.tell).toBeUndefined();
    expect(state.announcement().batches).toContain('b49');
    expect(end(state, 2).batches).toContain('a');
    state.release(at(59));
    expect(state.isAsked).toBe(false);
    state.release(at(60));
    expect(state.isAsked).toBe(true);
    state.begin(at(60), id);
    end(state, 61);
    expect([state.isAsked, state.data.held, state.view().runs.length]).toEqual([false, undefined, 2]);
  });

  it('runs for a person at once, and what was held with it', () => {
    const state = begun();
    state.askByItself(byItself('b'), at(1));
    end(state, 2);
    expect(state.ask(request('person'), state.data.definition).status).toBe('started');
    expect(state.data.held).toBeUndefined();
    expect(state.begin(at(3), id).batches).toEqual(['b, held', 'person']);
  });

  it('is not asked twice by the same data, also when they led to nothing', () => {
    const state = begun();
    end(state, 1);
    expect(state.askByItself(byItself('b', { trigger: 'newData', data: 'd1' }), at(61)).status).toBe('started');
    state.begin(at(61), id);
    state.end({ status: 'failed', reason: 'bad rows' }, at(62));
    expect(state.askByItself(byItself('c', { trigger: 'newData', data: 'd1' }), at(600)).status).toBe('known');
    expect(state.askByItself(byItself('d', { trigger: 'newData', data: 'd2' }), at(600)).status).toBe('started');
  });

  it('tells all who wait for the run that answers them', () => {
    const state = ModelState.fresh({ ...definition('m'), limits });
    state.askByItself(byItself('a'), NOW);
    expect(state.askByItself(byItself('b'), NOW).status).toBe('merged');
    expect(state.begin(NOW, id).request.tell).toEqual(['waits-a', 'waits-b']);
  });
});
