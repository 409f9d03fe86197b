import fc from 'fast-check';
import type { Settled } from '../../src/workflows/messages';
import { ReleaseState } from '../../src/workflows/releaseState';
import { chainOf, ref } from './fixtures';

const AT = '2026-01-01T00:00:00.000Z';
const definition = chainOf({ a: [], b: ['a'] });

const settle = (state: ReleaseState, model: string, id: string | undefined, upstream: Record<string, string> = {}, more: Partial<Settled> = {}) =>
  state.hear({ model, batches: [], alongside: [], version: id ? ref(model, id) : undefined, upstream, ...more });

/** The set that would be tried next, as ids; or the kind of what comes instead. */
function next(state: ReleaseState) {
  const found = state.next();
  return 'versions' in found ? { kind: found.kind, ids: Object.values(found.versions).map((v) => v.id) } : found;
}

/** Tries what is next, and ends it with a verdict. */
function conclude(state: ReleaseState, status: 'promoted' | 'refused' | 'failed') {
  const found = state.next();
  if (!('versions' in found)) throw new Error(`nothing to try: ${found.kind}`);
  state.begin(found.versions, { kind: found.kind, by: 'shoal', reason: 'new' }, AT);
  if (status === 'promoted') state.promote(AT);
  state.decide({ at: AT, status, reason: 'because' });
}

/** a1 and b1, trained on a1, are in place. */
function inPlace(of = definition) {
  const state = ReleaseState.fresh(of);
  settle(state, 'a', 'a1');
  settle(state, 'b', 'b1', { a: 'a1' });
  conclude(state, 'promoted');
  return state;
}

describe('the set that a chain tries next', () => {
  it('is there when every model has a version, and the models it is compared with do not hold it up', () => {
    const state = ReleaseState.fresh(chainOf({ a: [], b: ['a'] }, {}, { compareWith: ['big'] }));
    settle(state, 'b', undefined);
    expect(next(state)).toEqual({ kind: 'missing', models: ['a', 'b'] });
    settle(state, 'a', 'a1');
    settle(state, 'b', 'b1', { a: 'a1' });
    expect(next(state)).toEqual({ kind: 'versions', ids: ['a1', 'b1'] });
  });

  it('has one new version with all else pinned, also when models downstream were trained on the one before', () => {
    const state = inPlace();
    settle(state, 'a', 'a2');
    expect(next(state)).toEqual({ kind: 'pinned', ids: ['a2', 'b1'] });
    const other = inPlace();
    settle(other, 'b', 'b2', { a: 'a1' });
    expect(next(other)).toEqual({ kind: 'versions', ids: ['a1', 'b2'] });
  });

  it('waits for all that were asked in one batch, and then moves them as one', () => {
    const state = inPlace();
    settle(state, 'a', 'a2', {}, { batches: ['now'], alongside: ['a', 'b'] });
    expect(next(state)).toEqual({ kind: 'waiting', for: ['b'] });
    settle(state, 'b', 'b2', { a: 'a2' }, { batches: ['now'], alongside: ['a', 'b'] });
    expect(next(state)).toEqual({ kind: 'versions', ids: ['a2', 'b2'] });
  });

  it('is retrained downstream when the chain gets worse with one new version, once, and judged together', () => {
    const state = inPlace();
    settle(state, 'a', 'a2');
    conclude(state, 'refused');
    expect(state.next()).toEqual({ kind: 'cascade', roots: { a: ref('a', 'a2') }, models: ['b'], upstream: { a: ref('a', 'a2') } });
    state.data.cascaded.push('a@a2');
    expect(next(state)).toEqual({ kind: 'none' });
    settle(state, 'b', 'b2', { a: 'a2' });
    expect(next(state)).toEqual({ kind: 'versions', ids: ['a2', 'b2'] });
  });

  it('is none when the chain is as good with one new version and all else pinned, and later ones are tried beside it', () => {
    const state = inPlace();
    settle(state, 'a', 'a2');
    conclude(state, 'promoted');
    expect(next(state)).toEqual({ kind: 'none' });
    expect(state.leftovers()).toBeUndefined();
    settle(state, 'b', 'b2', { a: 'a2' });
    expect(next(state)).toEqual({ kind: 'versions', ids: ['a2', 'b2'] });
    settle(state, 'b', 'b3', { a: 'a1' });
    expect(state.next()).toEqual({ kind: 'cascade', roots: { a: ref('a', 'a2') }, models: ['b'], upstream: { a: ref('a', 'a2') } });
  });

  it('leaves a version that nothing could be retrained against behind, so that later ones are tried without it', () => {
    const state = inPlace();
    settle(state, 'a', 'a2');
    conclude(state, 'refused');
    state.data.cascaded.push('a@a2');
    settle(state, 'b', 'b1', { a: 'a1' }, { refusal: 'worse than the baseline' });
    expect(state.leftovers()).toMatchObject({ versions: { a: { id: 'a2' } } });
    expect(state.reject(state.leftovers()!).map((v) => v.id)).toEqual(['a2']);
    expect(state.leftovers()).toBeUndefined();
    settle(state, 'b', 'b3', { a: 'a1' });
    expect(next(state)).toEqual({ kind: 'versions', ids: ['a1', 'b3'] });
  });

  it('has only the top of two new versions as what others are retrained against', () => {
    const state = ReleaseState.fresh(chainOf({ a: [], b: ['a'], c: ['b'] }));
    settle(state, 'a', 'a1');
    settle(state, 'b', 'b1', { a: 'a1' });
    settle(state, 'c', 'c1', { b: 'b1' });
    conclude(state, 'promoted');
    settle(state, 'a', 'a2');
    settle(state, 'b', 'b2', { a: 'a1' });
    conclude(state, 'refused');
    expect(state.next()).toEqual({ kind: 'cascade', roots: { a: ref('a', 'a2') }, models: ['b', 'c'], upstream: { a: ref('a', 'a2') } });
  });

  it('has what is retrained trained on what is in place of all else, not on what was taken back', () => {
    const state = ReleaseState.fresh(chainOf({ a: [], u: [], b: ['a', 'u'] }));
    settle(state, 'a', 'a1');
    settle(state, 'u', 'u1');
    settle(state, 'b', 'b1', { a: 'a1', u: 'u1' });
    conclude(state, 'promoted');
    settle(state, 'u', 'u2');
    conclude(state, 'refused');
    state.reject(state.releaseOf({ ...state.data.current!.versions, u: ref('u', 'u2') }, 0));
    settle(state, 'a', 'a2');
    conclude(state, 'refused');
    expect(state.next()).toEqual({ kind: 'cascade', roots: { a: ref('a', 'a2') }, models: ['b'], upstream: { a: ref('a', 'a2'), u: ref('u', 'u1') } });
  });

  it('does not start models that nobody has asked for', () => {
    const state = ReleaseState.fresh(definition);
    settle(state, 'a', 'a1');
    expect(state.next()).toEqual({ kind: 'missing', models: ['b'] });
  });

  it('asks models that failed for want of an upstream version to run, when there is one', () => {
    const state = ReleaseState.fresh(definition);
    settle(state, 'b', undefined, {}, { refusal: 'a has no version' });
    settle(state, 'a', 'a1');
    expect(state.next()).toEqual({ kind: 'cascade', roots: { a: ref('a', 'a1') }, models: ['b'], upstream: { a: ref('a', 'a1') } });
  });

  it('is not tried twice when it was promoted or refused, and again when the judge itself failed', () => {
    const state = ReleaseState.fresh(definition);
    settle(state, 'a', 'a1');
    settle(state, 'b', 'b1', { a: 'a1' });
    conclude(state, 'failed');
    expect(next(state)).toEqual({ kind: 'versions', ids: ['a1', 'b1'] });
    conclude(state, 'refused');
    expect(next(state)).toEqual({ kind: 'none' });
    expect(state.data.current).toBeUndefined();
  });

  it('is tried anew when the chain is defined otherwise, and not when only its way into use is', () => {
    const state = inPlace();
    expect(state.configure({ ...definition, spec: { ...definition.spec, rollout: { ...definition.spec.rollout, steps: [0.5] } } })).toBe(true);
    expect(next(state)).toEqual({ kind: 'none' });
    state.configure({ ...definition, spec: { ...definition.spec, output: { value: 'stages.b.value * 2.0' } } });
    expect(next(state)).toEqual({ kind: 'versions', ids: ['a1', 'b1'] });
  });

  it('is none of a release that was rolled back', () => {
    const state = inPlace();
    settle(state, 'b', 'b2', { a: 'a1' });
    conclude(state, 'promoted');
    const from = state.rollBackTo(state.data.previous!);
    state.record(from, { at: AT, status: 'rolled back', reason: 'worse' });
    expect(state.data.current!.versions.b!.id).toBe('b1');
    expect(next(state)).toEqual({ kind: 'none' });
    expect(state.reject(from).map((v) => v.id)).toEqual(['b2']);
  });

  it('never puts models together that were trained on others than those beside them, but for one tried with all else pinned', () => {
    const upstream = { a: [], b: ['a'], c: ['a', 'b'] };
    const event = fc.record({ model: fc.constantFrom('a', 'b', 'c'), stale: fc.boolean(), passes: fc.boolean() });
    fc.assert(fc.property(fc.array(event, { maxLength: 40 }), (events) => {
      const state = ReleaseState.fresh(chainOf(upstream));
      const made: Record<string, string[]> = { a: [], b: [], c: [] };
      const trainedOn: Record<string, Record<string, string>> = {};
      for (const { model, stale, passes } of events) {
        const id = `${model}${made[model]!.length + 1}`;
        const inputs = upstream[model as keyof typeof upstream];
        if (inputs.some((name) => made[name]!.length === 0)) continue;
        made[model]!.push(id);
        trainedOn[id] = Object.fromEntries(inputs.map((name) => [name, made[name]!.at(stale ? 0 : -1)!]));
        settle(state, model, id, trainedOn[id]);
        for (let i = 0; i < 20; i++) {
          const found = state.next();
          if (found.kind === 'cascade') state.data.cascaded.push(...Object.values(found.roots).map((v) => `${v.model}@${v.id}`));
          else if ('versions' in found) {
            if (found.kind === 'versions') {
              for (const { model: of, id: version } of Object.values(found.versions)) {
                for (const [name, trained] of Object.entries(trainedOn[version]!)) expect(`${of} on ${found.versions[name]!.id}`).toBe(`${of} on ${trained}`);
              }
            }
            conclude(state, passes ? 'promoted' : 'refused');
          } else break;
        }
        expect(['none', 'missing', 'waiting']).toContain(state.next().kind);
      }
    }));
  });
});

describe('a chain', () => {
  it('says which model\'s refusal holds it up', () => {
    const state = ReleaseState.fresh(definition);
    settle(state, 'a', 'a1');
    state.data.cascaded.push('a@a1');
    settle(state, 'b', undefined, {}, { refusal: 'rmse is worse than the baseline' });
    expect(state.view().activity).toBe('waiting for b (rmse is worse than the baseline) to have a version');
  });

  it('takes a promotion back to exactly what was in place', () => {
    const state = inPlace();
    const before = JSON.stringify([state.data.current, state.data.previous, state.data.bake]);
    settle(state, 'b', 'b2', { a: 'a1' });
    state.begin({ a: ref('a', 'a1'), b: ref('b', 'b2') }, { kind: 'versions', by: 'shoal', reason: 'new' }, AT);
    const takeBack = state.preparePromotion();
    state.promote(AT);
    expect([state.data.current!.number, state.data.bake!.reference.number]).toEqual([2, 1]);
    takeBack();
    expect(JSON.stringify([state.data.current, state.data.previous, state.data.bake])).toBe(before);
  });

  it('takes up a proposal anew when the release it was compared with is rolled back, and finds anew what else to try', () => {
    const state = inPlace();
    settle(state, 'b', 'b2', { a: 'a1' });
    conclude(state, 'promoted');
    const number = state.propose({ b: ref('b', 'b3') }, { by: 'ann', reason: 'try', force: false });
    state.beginProposal(state.data.proposals.shift()!, AT);
    state.enter('canary', AT);
    state.rollBackTo(state.data.previous!);
    expect(state.data.rollout).toBeUndefined();
    expect(state.data.proposals).toMatchObject([{ number, given: { b: { id: 'b3' } } }]);
    state.begin({ a: ref('a', 'a1'), b: ref('b', 'b4') }, { kind: 'versions', by: 'shoal', reason: 'new' }, AT);
    state.setAside();
    expect([state.data.rollout, state.data.proposals.length]).toEqual([undefined, 1]);
  });

  it('takes what a proposal does not name from the release in place when it is taken up, not when it was asked for', () => {
    const state = inPlace();
    state.propose({ b: ref('b', 'b2') }, { by: 'ann', reason: 'try', force: false });
    state.begin({ a: ref('a', 'a2'), b: ref('b', 'b1') }, { kind: 'pinned', by: 'shoal', reason: 'new' }, AT);
    state.promote(AT);
    state.decide({ at: AT, status: 'promoted', reason: 'ok' });
    state.beginProposal(state.data.proposals.shift()!, AT);
    expect(state.view().rollout).toMatchObject({ phase: 'judging', versions: { a: 'a2', b: 'b2' } });
  });

  it('lets forced proposals go first, in the order in which they came', () => {
    const state = inPlace();
    for (const [reason, force] of [['one', false], ['two', true], ['three', false], ['four', true]] as const) state.propose({ b: ref('b', 'b2') }, { by: 'ann', reason, force });
    expect(state.data.proposals.map((p) => [p.reason, p.number])).toEqual([['two', 3], ['four', 5], ['one', 2], ['three', 4]]);
    state.beginProposal(state.data.proposals.splice(2, 1)[0]!, AT);
    state.setAside();
    expect(state.data.proposals.map((p) => p.reason)).toEqual(['two', 'four', 'one', 'three']);
    state.beginProposal(state.data.proposals.shift()!, AT);
    expect(state.data.rollout).toMatchObject({ phase: 'promoting', forced: { by: 'ann', reason: 'two' } });
  });

  it('does not count the time for which somebody held it', () => {
    const state = inPlace();
    const rollout = state.begin({ a: ref('a', 'a1'), b: ref('b', 'b2') }, { kind: 'versions', by: 'shoal', reason: 'new' }, AT);
    const later = (minutes: number) => new Date(Date.parse(AT) + minutes * 60_000).toISOString();
    state.enter('shadow', AT);
    state.pause({ by: 'ann', reason: 'lunch' }, later(1));
    state.resume(later(61));
    expect([rollout.pausedMs, rollout.paused]).toEqual([3_600_000, undefined]);
    state.enter('canary', later(62));
    expect(rollout.pausedMs).toBe(0);
  });

  it('sends requests to a candidate only while it is in use, and keeps the release before at hand', () => {
    const state = inPlace(chainOf({ a: [], b: ['a'] }, { steps: [0.05, 0.5] }));
    state.begin({ a: ref('a', 'a1'), b: ref('b', 'b2') }, { kind: 'versions', by: 'shoal', reason: 'new' }, AT);
    expect(state.routing()).toMatchObject({ current: { number: 1 }, candidate: undefined });
    state.enter('shadow', AT);
    expect(state.routing()!.candidate).toMatchObject({ weight: 0, release: { number: 2 } });
    state.enter('canary', AT);
    expect(state.routing()!.candidate).toMatchObject({ weight: 0.05 });
    state.enterStep(1, AT);
    expect(state.routing()!.candidate).toMatchObject({ weight: 0.5 });
    state.promote(AT);
    state.decide({ at: AT, status: 'promoted', reason: 'ok' });
    expect(state.routing()).toMatchObject({ current: { number: 2 }, candidate: undefined, previous: { number: 1 } });
  });

  it('needs a person\'s approval when it, or a model whose version is new, says so', () => {
    const manual = inPlace({ ...definition, approval: ['a'] });
    manual.begin({ a: ref('a', 'a1'), b: ref('b', 'b2') }, { kind: 'versions', by: 'shoal', reason: 'new' }, AT);
    expect(manual.needsApproval()).toBe(false);
    manual.begin({ a: ref('a', 'a2'), b: ref('b', 'b2') }, { kind: 'versions', by: 'shoal', reason: 'new' }, AT);
    expect(manual.needsApproval()).toBe(true);
    manual.data.rollout!.approved = { by: 'ann', reason: 'looks right' };
    expect(manual.needsApproval()).toBe(false);
  });
});
