import { DEFAULT_WORTH, summarise, weigh, WORTH_CONFIDENCE, type Ablated } from '../domain/ablation';
import { ShoalError } from '../domain/errors';
import { evaluate, type Predictions, type Scored } from '../domain/evaluate';
import { HEADLINE, type ModelSpec } from '../domain/spec';
import { takeRows, type Table } from '../domain/table';
import type { Ablation, Component, ComponentCost, MetricResult, Release } from '../domain/version';
import { timeRows } from '../serve/latency';
import { takeOutcome, type StageOutcome } from '../serve/outcome';
import { planStages, type Plan } from '../serve/stagePlan';
import { runStagesOnTable } from '../serve/stages';
import { beating } from './beating';
import { chainPredictions, chainRun, type ChainRun } from './chainHoldout';
import type { Data } from './inputs';
import { judgedChain, type JudgedChain } from './judgedChain';
import { BOOTSTRAP } from './verdict';

/** By model: what its training took. */
export type TrainingCosts = Record<string, { seconds: number }>;

export const createAblate = (data: Data) => ({
  /**
   * How much each model adds to a chain, and what it costs. The chain answers its holdout again with one model's outputs replaced by those
   * of its trivial predictor, and all else as it is; the difference in the headline metric, on the same rows, is what the model adds. That
   * is what this chain would lose: one that is trained without the model can make up for some of it. Models of which the chain needs nothing
   * add nothing. It decides nothing; it names.
   */
  ablate: ({ release, costs = {} }: { release: Release; costs?: TrainingCosts }): Promise<Ablation> => beating(() => ablateRelease({ release, costs }, data)),
});

async function ablateRelease({ release, costs }: { release: Release; costs: TrainingCosts }, data: Data): Promise<Ablation> {
  const judged = await judgedChain(release, data);
  const worth = release.spec.worth ?? DEFAULT_WORTH;
  const chain = await wholeChain(release, judged, data);
  const metric = headlineOf(judged, { newcomer: chain.predictions, baseline: judged.baseline });
  const components: Component[] = [];
  for (const { model } of release.spec.stages) {
    const version = release.versions[model]!.id;
    if (!chain.run && model !== release.spec.outputStage) continue;
    const cost = { trainSeconds: costs[model]?.seconds, ...(await costOf(model, chain, data)), ...(!chain.run && { rowMs: (await judged.latency(release)).p50 }) };
    if (model === release.spec.outputStage) {
      // In place of the whole chain there would be its trivial predictor.
      components.push(weigh({ model, version, cost, metric: { ...metric, champion: { ...metric.baseline!, version: 'baseline' } } }, worth));
      continue;
    }
    try {
      const without = await answersWithout(model, chain as Answered, data);
      components.push(weigh({ model, version, cost, metric: headlineOf(judged, { newcomer: chain.predictions, champion: { ...without, version: model } }) }, worth));
    } catch (error) {
      if (!(error instanceof ShoalError) || error.retryable) throw error;
      components.push(unmeasured({ model, version, cost, metric }, error.message));
    }
  }
  return summarise({ metric, components }, worth);
}

/** What a chain said to its holdout, stage by stage. */
interface Answered { plan: Plan; run: ChainRun; outcomes: Record<string, StageOutcome> }
type Whole = { plan: Plan; predictions: Predictions } & (Answered | { run?: undefined });

/** A chain that ends in a forecast is judged as that forecast is: the stages before it have no part in it. */
async function wholeChain(release: Release, judged: JudgedChain, data: Data): Promise<Whole> {
  const plan = await planStages(release, data.models);
  if (!judged.holdout) return { plan, predictions: await judged.release(release) };
  const run = await chainRun(release, judged.holdout, data);
  const outcomes = await runStagesOnTable(run, { models: data.models });
  return { plan, run, outcomes, predictions: await chainPredictions(run, outcomes, data) };
}

const headlineOf = ({ manifest: { spec }, truth }: { manifest: { spec: ModelSpec }; truth: Scored['truth'] }, scored: Omit<Scored, 'truth'>): MetricResult =>
  evaluate(spec, { truth, ...scored }, { ...BOOTSTRAP, bounds: [WORTH_CONFIDENCE], metrics: [HEADLINE[spec.task]] })[0]!;

async function answersWithout(model: string, { run, outcomes, plan }: Answered, data: Data): Promise<Predictions> {
  const { release, input } = run;
  const given = { ...run.given, [model]: await trivialOutputs(model, { run, outcomes }, data) };
  const stages = affectedBy(model, plan);
  const earlier = Object.fromEntries(Object.entries(outcomes).filter(([stage]) => !stages.includes(stage)));
  const again = await runStagesOnTable({ release, input, stages, earlier, given }, { models: data.models });
  return chainPredictions(run, { ...earlier, ...again }, data);
}

/** What the model's trivial predictor says to every row: the answer of a stage that falls back on it, and whose model says nothing. */
async function trivialOutputs(model: string, { run: { release, input }, outcomes }: Omit<Answered, 'plan'>, data: Data): Promise<Table> {
  const stages = release.spec.stages.map((stage) => (stage.model === model ? { ...stage, when: undefined, fallback: { kind: 'baseline' as const } } : stage));
  const crippled: Release = { ...release, spec: { ...release.spec, stages } };
  const given = { [model]: { rows: input.rows, columns: {} } };
  const said = await runStagesOnTable({ release: crippled, input, stages: [model], earlier: outcomes, given }, { models: data.models });
  return said[model]!.outputs;
}

/** A stage, and all that hear of it, in their order. */
function affectedBy(model: string, plan: Plan): string[] {
  const affected = new Set([model]);
  for (const [stage, { needs }] of plan) if (needs.some((need) => affected.has(need))) affected.add(stage);
  return [...affected];
}

function unmeasured({ model, version, cost, metric }: Ablated, reason: string): Component {
  const gain = { value: NaN, low: NaN, high: NaN, confidence: BOOTSTRAP.confidence };
  return { model, version, cost, without: NaN, gain, worth: true, reason: `the chain can't answer without ${model} (${reason}), so that ${metric.metric} was not measured` };
}

const BATCH = 1_000;
const BATCH_TIMES = 5;

/** What a stage adds to the time that the chain takes: with its model running, less with its outputs given. */
async function costOf(model: string, chain: Whole, data: Data): Promise<Omit<ComponentCost, 'trainSeconds'>> {
  const { manifest: { onnx } } = chain.plan.get(model)!;
  if (!chain.run) return { onnxBytes: onnx.bytes };
  const { run: { release, input }, outcomes } = chain;
  const part = (rows: number[]) => ({
    request: { release, stages: [model], input: takeRows(input, rows), earlier: Object.fromEntries(Object.entries(outcomes).map(([stage, outcome]) => [stage, takeOutcome(outcome, rows)])) },
    given: { [model]: takeRows(outcomes[model]!.outputs, rows) },
  });
  const added = async (parts: ReturnType<typeof part>[], options: { warmUp: number; most: number }): Promise<number> => {
    const time = (given: boolean) => timeRows(parts.length, (i) =>
      runStagesOnTable({ ...parts[i]!.request, ...(given && { given: parts[i]!.given }) }, { models: data.models }), { ...options, budgetMs: 5_000 });
    const [running, spared] = [await time(false), await time(true)];
    return Math.max(0, running.p50 - spared.p50);
  };
  const single = Array.from({ length: Math.min(100, input.rows) }, (_, row) => part([row]));
  const many = part(Array.from({ length: BATCH }, (_, i) => i % input.rows));
  return {
    onnxBytes: onnx.bytes,
    rowMs: await added(single, { warmUp: 20, most: 100 }),
    thousandRowsMs: await added([many], { warmUp: 1, most: BATCH_TIMES }),
  };
}
