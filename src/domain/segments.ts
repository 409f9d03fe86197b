import type { ChainSpec, StageSpec } from './spec';

/** Stages that one activity runs. `after` holds the indices of the segments whose answers it needs, all of them lower. */
export interface Segment { taskQueue: string; stages: string[]; after: number[] }

type Dependencies = Readonly<Record<string, readonly string[]>>;

/**
 * Cuts a chain into few activities: each takes all the stages its queue can run before it must wait for another queue. Fewest is
 * certain for one or two queues; beyond that it is the shortest common supersequence problem, and this the best of one greedy plan
 * for each queue to begin with.
 */
export function planSegments(spec: ChainSpec, queueOf: (stage: StageSpec) => string, dependencies: Dependencies): Segment[] {
  const queues = new Map(spec.stages.map((stage) => [stage.model, queueOf(stage)]));
  const plans = [...new Set(queues.values())].flatMap((first) => greedy(queues, dependencies, first) ?? []);
  const plan = plans.reduce<Run[]>((best, one) => (best.length === 0 || one.length < best.length ? one : best), []);

  const segmentOf = new Map(plan.flatMap(({ stages }, i) => stages.map((stage) => [stage, i] as const)));
  return plan.map(({ taskQueue, stages }, i) => {
    const needed = new Set(stages.flatMap((stage) => (dependencies[stage] ?? []).map((other) => segmentOf.get(other)!)));
    needed.delete(i);
    return { taskQueue, stages, after: [...needed].sort((a, b) => a - b) };
  });
}

type Run = Omit<Segment, 'after'>;

/** An array of one plan, or nothing when no stage of `first` can begin. */
function greedy(queues: ReadonlyMap<string, string>, dependencies: Dependencies, first: string): [Run[]] | undefined {
  const left = new Map(queues);
  const plan: Run[] = [];
  while (left.size > 0) {
    const runs = [...new Set(left.values())]
      .map((taskQueue) => ({ taskQueue, stages: runnable(taskQueue, left, dependencies) }))
      .filter(({ stages }) => stages.length > 0);
    const next = plan.length === 0 ? runs.find((run) => run.taskQueue === first) : choose(runs, left);
    if (!next) {
      if (plan.length === 0) return undefined;
      throw new Error(`The stages ${[...left.keys()].join(', ')} need each other.`);
    }
    for (const stage of next.stages) left.delete(stage);
    plan.push(next);
  }
  return [plan];
}

/** A queue that gets all its work done now needs no later segment, so it can't be wrong; else the one that gets most done. */
function choose(runs: Run[], left: ReadonlyMap<string, string>): Run | undefined {
  const remaining = (taskQueue: string): number => [...left.values()].filter((queue) => queue === taskQueue).length;
  return runs.find((run) => run.stages.length === remaining(run.taskQueue))
    ?? [...runs].sort((a, b) => b.stages.length - a.stages.length)[0];
}

/** The stages left that a queue can run by itself, in their order. */
function runnable(taskQueue: string, left: ReadonlyMap<string, string>, dependencies: Dependencies): string[] {
  const taken = new Set<string>();
  for (let before = -1; before < taken.size;) {
    before = taken.size;
    for (const [stage, queue] of left) {
      if (queue === taskQueue && (dependencies[stage] ?? []).every((other) => taken.has(other) || !left.has(other))) taken.add(stage);
    }
  }
  return [...taken];
}
