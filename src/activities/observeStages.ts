import { loadTable } from '../data/loadTable';
import type { LiveRow, LiveWindows } from '../data/liveWindows';
import { sourceIdentity } from '../data/sourceIdentity';
import { pooled } from '../domain/judgeWindow';
import { liveMetrics, lossesOf, type TrueValues } from '../domain/liveScores';
import { labelsOf } from '../domain/metrics';
import type { PooledMetric, StageTruth } from '../domain/monitor';
import type { Release, Snapshot } from '../domain/version';
import { runStages } from '../serve/stages';
import { answersOf } from './monitorReference';
import { fromAnswer } from '../serve/outcome';
import type { Data } from './inputs';
import { remembered } from './memory';

const MAX_ROWS = 1_000;

/**
 * How each stage does on the newest rows, where what it predicts is known of them: from outcomes of a chain that predicts the same, or from
 * the stage's source as it was read last. What stages said is not logged, so they are asked again.
 */
export async function stageMetrics(
  of: { release: Release; stages: readonly StageTruth[]; rows: readonly LiveRow[]; minRows: number; live: LiveWindows }, data: Data,
): Promise<{ stages: PooledMetric[]; notes: string[] }> {
  const { release, stages, minRows, live } = of;
  const rows = of.rows.slice(-MAX_ROWS);
  if (rows.length < minRows) return { stages: [], notes: [] };
  const found: PooledMetric[] = [];
  const notes: string[] = [];
  let said: Awaited<ReturnType<typeof runStages>> | undefined;
  for (const { stage, chains, source } of stages) {
    const ref = release.versions[stage];
    if (!ref) continue;
    const manifest = await data.models.manifest(ref);
    const metrics = liveMetrics(manifest.spec.task);
    if (metrics.length === 0 || manifest.spec.task === 'embedding') continue;
    const truth = new Map<string, number | string>();
    for (const chain of chains) for (const [key, value] of await live.outcomesOf(chain, rows.map(({ key: k }) => k))) truth.set(key, value);
    if (truth.size < minRows) for (const [key, value] of await fromSource(source, { target: manifest.spec.target, classes: manifest.spec.task === 'classification', keys: rows.map(({ key: k }) => k) }, data)) truth.set(key, value);
    const values: TrueValues = rows.map(({ key }) => truth.get(key) ?? null);
    if (values.filter((v) => v !== null).length < minRows) continue;
    try {
      said ??= await runStages({ release, stages: release.spec.stages.map(({ model }) => model), rows: rows.map(({ input }) => input), earlier: {} }, { models: data.models });
    } catch (error) {
      notes.push(`the stages can't be asked again: ${error instanceof Error ? error.message : String(error)}`);
      break;
    }
    const answers = answersOf(fromAnswer(stage, said[stage]!, manifest).outputs);
    const scale = { scale: 'scale' in manifest.spec ? manifest.spec.scale : 'linear', classes: manifest.classes ?? [] } as const;
    for (const metric of metrics) {
      const loss = lossesOf(metric.metric, answers, values, scale);
      const result = loss && pooled(metric, loss);
      if (result) found.push({ of: stage, ...result });
    }
  }
  return { stages: found, notes };
}

/** From the newest snapshot that was made of the source as it is; none is made for this. */
async function fromSource(source: StageTruth['source'], of: { target: string; classes: boolean; keys: string[] }, { store }: Data): Promise<Map<string, number | string>> {
  const none = new Map<string, number | string>();
  if (source.key.length === 0) return none;
  const identity = await sourceIdentity(source).catch(() => undefined);
  const snapshot = identity === undefined ? undefined : await remembered<Snapshot>(store, 'snapshots', identity, (s) => [s.data]);
  if (!snapshot) return none;
  const wanted = new Set(of.keys);
  const { keys, table } = await loadTable(store, snapshot, [{ name: of.target, type: of.classes ? 'category' : 'number' }]);
  const column = table.columns[of.target]!;
  const values: (string | number | null)[] = of.classes ? labelsOf(column) : Array.from(column.values as Float64Array, (x) => (Number.isNaN(x) ? null : x));
  return new Map(keys.flatMap((key, i) => (wanted.has(key) && values[i] !== null ? [[key, values[i]!] as const] : [])));
}
