import { evaluate, type Predictions, type Scored } from '../domain/evaluate';
import { judge, worstSlices } from '../domain/gates';
import { certaintyOf, evaluateSlices, type Slice } from '../domain/slices';
import { COSTS, type GateSpec, type ModelSpec, type SliceSpec } from '../domain/spec';
import type { MetricResult, SliceResult, Unscored, Verdict } from '../domain/version';
import type { Latency } from '../serve/latency';
import { incumbent } from './incumbent';
import { slicesFor } from './slices';

export const BOOTSTRAP = { resamples: 1_000, seed: 1, confidence: 0.95 };

/** Slices that a workflow's history holds: a payload stays small. */
const SHOWN_SLICES = 20;

/** Somebody who is judged, or with whom the newcomer is compared. */
export interface Contestant {
  predictions(): Promise<Predictions>;
  onnxBytes(): Promise<number>;
  latency(): Promise<Latency>;
}

export interface Case {
  spec: ModelSpec;
  truth: Scored['truth'];
  newcomer: Contestant;
  champion?: Contestant & { version: string };
  baseline?: Predictions;
  gates: readonly GateSpec[];
  slices(of: SliceSpec): Promise<Slice[]>;
}

export interface Judgement {
  metrics: MetricResult[];
  /** All of them; undefined when no gate asks for any. */
  slices?: SliceResult[];
  /** Those that explain the verdict. */
  shown?: SliceResult[];
  unscored?: Unscored;
  verdict: Verdict;
}

/** Measures all that the gates ask for, on the same rows for everybody, and judges. */
export async function judgeCase({ spec, truth, newcomer, champion, baseline, gates, slices: cut }: Case): Promise<Judgement> {
  const own = { predictions: await newcomer.predictions(), costs: await costsOf(newcomer, gates) };
  const theirs = champion && (await incumbent(champion.version, async () => (
    { predictions: await champion.predictions(), costs: await costsOf(champion, gates.filter(({ against }) => against === 'champion')) })));
  const answer = theirs && 'answer' in theirs ? theirs.answer : undefined;
  const unscored = theirs && 'unscored' in theirs ? theirs.unscored : undefined;

  const scored: Scored = { truth, newcomer: own.predictions, baseline, champion: answer && { ...answer.predictions, version: champion!.version } };
  const bounds = [...new Set(gates.flatMap((gate) => (gate.slice ? [] : certaintyOf(gate).confidence ?? [])))];
  const metrics = [
    ...evaluate(spec, scored, { ...BOOTSTRAP, bounds }),
    ...own.costs.map((cost) => compared(cost, answer?.costs.find(({ metric }) => metric === cost.metric), champion?.version)),
  ];
  const parts = await slicesFor(gates, cut);
  const slices = parts.size > 0 ? evaluateSlices(spec, scored, { gates, slices: parts }, BOOTSTRAP) : undefined;
  return asJson({
    metrics, slices, shown: slices && worstSlices(slices, gates, SHOWN_SLICES), unscored, verdict: judge(metrics, gates, { slices, unscored }),
  });
}

/** As it is stored and sent: what is not defined (NaN) is null. */
const asJson = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

/** What gates bound besides metrics. */
async function costsOf(of: Contestant, gates: readonly GateSpec[]): Promise<MetricResult[]> {
  const asked = (cost: keyof typeof COSTS): boolean => gates.some(({ metric }) => metric === cost);
  const costs: MetricResult[] = [];
  if (asked('onnx_bytes')) costs.push({ metric: 'onnx_bytes', better: COSTS.onnx_bytes, value: await of.onnxBytes() });
  if (asked('latency_ms')) {
    const { p95, rows } = await of.latency();
    costs.push({ metric: 'latency_ms', better: COSTS.latency_ms, value: p95, rows });
  }
  return costs;
}

function compared(cost: MetricResult, other: MetricResult | undefined, version: string | undefined): MetricResult {
  if (!other) return cost;
  // Measured once: how it would vary is not known.
  const gain = { value: other.value - cost.value, low: NaN, high: NaN, confidence: BOOTSTRAP.confidence };
  return { ...cost, champion: { value: other.value, version: version!, gain } };
}
