import fc from 'fast-check';
import { ToldReleases, ToldSteps } from '../../src/client/progress';
import { isSettled } from '../../src/client/watch';
import { LIFECYCLE_STEPS, type ModelView, type ReleaseEvent, type ReleaseView, type Step } from '../../src/workflows/messages';

const AT = '2026-01-01T00:00:00.000Z';

it('tells each step\'s beginning and end once, in order, however rarely one looks', () => {
  fc.assert(fc.property(fc.array(fc.integer({ min: 0, max: 2 * LIFECYCLE_STEPS.length }), { minLength: 1 }), fc.boolean(), (looks, fails) => {
    const told = new ToldSteps({ model: 'm', run: 1 });
    /** After so many beginnings and ends; where it fails, in the last step. */
    const stepsAt = (moment: number): Step[] => LIFECYCLE_STEPS.map((name, i) => ({
      name, status: moment >= 2 * i + 2 ? (fails && i === LIFECYCLE_STEPS.length - 1 ? 'failed' : 'done') : moment === 2 * i + 1 ? 'running' : 'waiting',
    }));
    const last = Math.max(...looks);
    const events = [...looks.sort((a, b) => a - b), last].flatMap((moment) => told.next(stepsAt(moment), AT));
    const expected = LIFECYCLE_STEPS.flatMap((step) => [`step.began ${step}`, `step.ended ${step}`]).slice(0, last);
    expect(events.map((e) => `${e.type} ${'step' in e ? e.step : ''}`)).toEqual(expected);
  }));
});

const event = (seq: number): ReleaseEvent => ({ seq, at: new Date(Date.parse(AT) + 1000 * seq).toISOString(), number: seq, kind: 'phase', phase: 'judging' });
const view = (events: ReleaseEvent[]) => ({ chain: 'c', activity: 'idle', idle: true, decisions: [], actions: [], models: {}, events }) as ReleaseView;

it('tells each event of a chain once, and says how many it could not hear of', () => {
  fc.assert(fc.property(fc.array(fc.nat({ max: 30 }), { minLength: 1, maxLength: 20 }), fc.integer({ min: 1, max: 10 }), (steps, kept) => {
    const told = new ToldReleases();
    told.next(view([]), { at: AT });
    let newest = 0;
    let heard = 0;
    let missed = 0;
    for (const more of steps) {
      newest += more;
      const known = Array.from({ length: newest }, (_, i) => event(i + 1)).slice(-kept);
      for (const e of told.next(view(known), { at: AT })) {
        if (e.type === 'release.phase') heard++;
        if (e.type === 'missed') missed += e.events;
      }
    }
    expect(heard + missed).toBe(newest);
    if (steps.every((more) => more <= kept)) expect(missed).toBe(0);
  }));
});

it('begins where it is told to, or with what comes after it', () => {
  const events = [1, 2, 3].map(event);
  const phases = (since?: string) => new ToldReleases().next(view(events), { since, at: AT }).filter((e) => e.type === 'release.phase').length;
  expect([phases(), phases(events[1]!.at), phases('')]).toEqual([0, 2, 3]);
});

it('takes a batch for settled also when the chain has heard of a later one only', () => {
  const model = { model: 'm', settled: ['newer', 'b'] } as ModelView;
  const chain = (batches: string[], idle = true) => ({ ...view([]), idle, models: { m: { batches } } });
  const settled = (c: ReleaseView) => isSettled({ models: [model], chains: [c] }, { id: 'b', models: ['m'] });
  expect([settled(chain(['b'])), settled(chain(['newer'])), settled(chain(['older'])), settled(chain(['b'], false))]).toEqual([true, true, false, false]);
});
