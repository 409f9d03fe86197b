import type { ChainDefinition, Settled } from '../../src/workflows/messages';
import { ReleaseState } from '../../src/workflows/releaseState';
import { ref } from './fixtures';

const stage = (model: string) => ({ model, with: {}, timeoutMs: 1000 });
const definition: ChainDefinition = {
  spec: { name: 'c', stages: [stage('a'), stage('b')], outputStage: 'b', output: { value: 'stages.b.value' }, compareWith: ['big'], gates: [] },
  dependencies: { a: [], b: ['a'] }, taskQueues: { a: 'q', b: 'q' }, dataQueue: 'd',
};
const settle = (state: ReleaseState, model: string, id: string | undefined, upstream: Record<string, string> = {}, refusal?: string) => {
  state.data.settled[model] = { model, batches: [], version: id ? ref(model, id) : undefined, upstream, refusal } satisfies Settled;
};
const ids = (state: ReleaseState) => { const c = state.candidate(); return c && Object.values(c.versions).map((v) => v.id); };
const AT = { at: '2026-01-01T00:00:00Z', reason: 'ok' };

describe('a chain\'s candidate', () => {
  it('is there when every model has a version, and the models it is compared with do not hold it up', () => {
    const state = ReleaseState.fresh(definition);
    settle(state, 'a', 'a1');
    expect(state.candidate()).toBeUndefined();
    expect(state.waitingFor()).toContain('b to have a version');
    settle(state, 'b', 'b1', { a: 'a1' });
    expect(ids(state)).toEqual(['a1', 'b1']);
  });

  it('waits until downstream models are retrained on a new upstream version, so that the set moves together', () => {
    const state = ReleaseState.fresh(definition);
    settle(state, 'a', 'a1');
    settle(state, 'b', 'b1', { a: 'a1' });
    state.decide(state.candidate()!, { ...AT, status: 'promoted' });
    settle(state, 'a', 'a2');
    expect(state.candidate()).toBeUndefined();
    expect(state.waitingFor()).toContain('b to be retrained');
    settle(state, 'b', 'b2', { a: 'a2' });
    expect(ids(state)).toEqual(['a2', 'b2']);
    expect(state.candidate()!.number).toBe(2);
  });

  it('lets a single model\'s challenger be judged with the rest pinned', () => {
    const state = ReleaseState.fresh(definition);
    settle(state, 'a', 'a1');
    settle(state, 'b', 'b1', { a: 'a1' });
    state.decide(state.candidate()!, { ...AT, status: 'promoted' });
    settle(state, 'b', 'b2', { a: 'a1' });
    expect(ids(state)).toEqual(['a1', 'b2']);
  });

  it('is not judged twice when it was promoted or refused, and again when the judge itself failed', () => {
    const state = ReleaseState.fresh(definition);
    settle(state, 'a', 'a1');
    settle(state, 'b', 'b1', { a: 'a1' });
    state.decide(state.candidate()!, { ...AT, status: 'failed' });
    expect(ids(state)).toEqual(['a1', 'b1']);
    state.decide(state.candidate()!, { ...AT, status: 'refused' });
    expect(state.candidate()).toBeUndefined();
    expect(state.data.current).toBeUndefined();
  });

  it('is judged anew when the chain\'s definition changes', () => {
    const state = ReleaseState.fresh(definition);
    settle(state, 'a', 'a1');
    settle(state, 'b', 'b1', { a: 'a1' });
    state.decide(state.candidate()!, { ...AT, status: 'promoted' });
    expect(state.configure({ ...definition, spec: { ...definition.spec, output: { value: 'stages.b.value * 2.0' } } })).toBe(true);
    expect(ids(state)).toEqual(['a1', 'b1']);
  });

  it('says which model\'s refusal holds it up', () => {
    const state = ReleaseState.fresh(definition);
    settle(state, 'a', 'a1');
    settle(state, 'b', undefined, {}, 'rmse is worse than the baseline');
    expect(state.waitingFor()).toContain('rmse is worse than the baseline');
  });
});
