import fc from 'fast-check';
import { DEFAULT_ROLLOUT } from '../../src/config/schemaRollout';
import { planSegments, type Segment } from '../../src/domain/segments';
import type { ChainSpec } from '../../src/domain/spec';

interface Drawn { queues: number[]; needs: Record<string, string[]> }

const plan = ({ queues, needs }: Drawn): Segment[] => {
  const stages = queues.map((_, i) => ({ model: `s${i}`, with: {}, timeoutMs: 1 }));
  const spec: ChainSpec = { name: 'c', stages, outputStage: 's0', output: {}, compareWith: [], gates: [], approval: 'auto', rollout: DEFAULT_ROLLOUT };
  return planSegments(spec, (stage) => `q${queues[Number(stage.model.slice(1))]}`, needs);
};

/** Stage i needs some of the stages before it. */
const drawn = (stages: number, queues: number): fc.Arbitrary<Drawn> =>
  fc.integer({ min: 1, max: stages }).chain((n) => fc.record({
    queues: fc.array(fc.nat(queues - 1), { minLength: n, maxLength: n }),
    needs: fc.tuple(...Array.from({ length: n }, (_, i) => fc.subarray(Array.from({ length: i }, (_, j) => `s${j}`))))
      .map((lists) => Object.fromEntries(lists.map((list, i) => [`s${i}`, list]))),
  }));

describe('planning segments', () => {
  it('runs every stage once, on its own queue', () => {
    fc.assert(fc.property(drawn(8, 4), (chain) => {
      const segments = plan(chain);
      expect(segments.flatMap((s) => s.stages).sort()).toEqual(chain.queues.map((_, i) => `s${i}`).sort());
      for (const { taskQueue, stages } of segments) {
        for (const stage of stages) expect(taskQueue).toBe(`q${chain.queues[Number(stage.slice(1))]}`);
      }
    }));
  });

  it('has a stage come after those it needs: earlier in its segment, or in a segment before that it waits for', () => {
    fc.assert(fc.property(drawn(8, 4), (chain) => {
      const segments = plan(chain);
      segments.forEach(({ stages, after }, i) => {
        expect(after.every((j) => j < i)).toBe(true);
        stages.forEach((stage, at) => {
          for (const need of chain.needs[stage]!) {
            const inside = stages.indexOf(need);
            if (inside >= 0) expect(inside).toBeLessThan(at);
            else expect(after.map((j) => segments[j]!.stages)).toContainEqual(expect.arrayContaining([need]));
          }
        });
      });
    }));
  });

  it('is one segment when one queue serves all', () => {
    fc.assert(fc.property(drawn(8, 1), (chain) => {
      expect(plan(chain)).toHaveLength(1);
    }));
  });

  it('has as few segments as can be, for two queues', () => {
    fc.assert(fc.property(drawn(7, 2), (chain) => {
      expect(plan(chain)).toHaveLength(fewest(chain));
    }), { numRuns: 300 });
  });

  it('lets segments that do not need each other run at once', () => {
    const segments = plan({ queues: [0, 1, 2], needs: { s0: [], s1: [], s2: ['s0', 's1'] } });
    expect(segments.map((s) => s.after)).toEqual([[], [], [0, 1]]);
  });

  it('comes back to a queue whose stages wait for another', () => {
    const segments = plan({ queues: [0, 1, 0], needs: { s0: [], s1: ['s0'], s2: ['s1'] } });
    expect(segments).toEqual([
      { taskQueue: 'q0', stages: ['s0'], after: [] },
      { taskQueue: 'q1', stages: ['s1'], after: [0] },
      { taskQueue: 'q0', stages: ['s2'], after: [1] },
    ]);
  });

  it('refuses stages that need each other', () => {
    expect(() => plan({ queues: [0, 0, 0], needs: { s0: [], s1: ['s2'], s2: ['s1'] } })).toThrow('s1, s2 need each other');
  });
});

/** The fewest changes of queue in any order of the stages, by trying all of them. */
function fewest({ queues, needs }: Drawn): number {
  const search = (done: ReadonlySet<number>, last: number): number => {
    if (done.size === queues.length) return 0;
    const ready = queues.flatMap((_, i) => (!done.has(i) && needs[`s${i}`]!.every((s) => done.has(Number(s.slice(1)))) ? [i] : []));
    return Math.min(...ready.map((i) => (queues[i] === last ? 0 : 1) + search(new Set([...done, i]), queues[i]!)));
  };
  return search(new Set(), -1);
}
