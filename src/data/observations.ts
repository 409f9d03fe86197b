import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Answered, Observation } from '../domain/rollout';
import type { LogArm } from '../domain/requestLog';
import type { ModelSpec } from '../domain/spec';
import type { Store } from '../store/store';
import { pathLiteral } from './duckdb';
import { jsonLine } from './journal';
import { withWorkspace, type Workspace } from './journalTable';
import { outcomeTable } from './outcomes';
import { conditions, requestTable, VISIBLE_MS } from './requestLog';

export interface ObserveQuery {
  chain: string;
  /** Numbers of releases. */
  candidate: number;
  reference: number;
  /** Requests that came from then on, ISO. */
  since: string;
  /** Requests that both answered may have come from then on, ISO: recorded ones, that the candidate is given to answer. `since` by default. */
  recordedSince?: string;
  /** Of the chain's output stage. */
  spec: ModelSpec;
  /** Milliseconds since 1970. */
  now: number;
  /** How long after it came a request is judged, whatever it took to answer. */
  settleMs?: number;
  /** Keys of rows whose loss does not count. */
  withoutLoss?: ReadonlySet<string>;
}

/**
 * What a judge of the candidate against the reference may know now, from the log and the outcomes, in the order of `knownAt`:
 *
 * - a request that both answered (one of them unseen, or both) is a pair
 * - one that either answered live, where chance chose between them, has the probability that it went to the candidate
 * - one that the candidate failed live, and the reference answered in its place, is the candidate's failure and nothing else (so the
 *   failure has to be logged first)
 *
 * Requests that chance did not choose for (all went to one release, and the other did not answer) say nothing, and are left out.
 *
 * **Order.** A sequential test may be looked at at any time when what it sees at one look is the beginning of what it sees at the next,
 * and when whose turn it was next never depended on what came of it. So the place of an answer is when its request came plus a
 * settling time: slow answers are not seen later than fast ones, which would let the fast release go first. Only answers that took
 * longer than that come when they were logged. `answeredAt` is that place. A loss becomes known when the outcome is recorded, which
 * does not depend on who answered: `knownAt` is the later of the two. Checks of answers go by `answeredAt`, the check of losses by
 * `knownAt`: then each check's observations only ever grow at the end. The exceptions are corrections, and outcomes of one request that
 * come at different times: they move that request to the end.
 *
 * **Loss.** |answer - truth| on the scale the output's model is trained on, or 1 for a wrong class, as a mean over the request's rows
 * whose outcome is known. Rows that have no logarithm on a logarithmic scale are left out.
 */
export async function observe(store: Store, query: ObserveQuery): Promise<Observation[]> {
  const { candidate, reference, since, recordedSince = since, now, settleMs = 5_000 } = query;
  const first = recordedSince < since ? recordedSince : since;
  const answers = await readAnswers(store, { ...query, since: first });
  const observations: Observation[] = [];
  for (const [request, { [candidate]: its = {}, [reference]: others = {} }] of answers) {
    const observation = compare(its, others, { request, settleMs, chosenSince: Date.parse(since) });
    if (observation && observation.answeredAt! < now) observations.push(observation);
  }
  return observations.sort((a, b) => a.knownAt - b.knownAt || (a.request < b.request ? -1 : 1));
}

/** One release's answer to one request, as the log and the outcomes have it. Times in milliseconds. */
interface Answer extends Answered { at: number; logged: number; weight: number; lossAt?: number }
type Arms = Partial<Record<LogArm, Answer>>;
type ByRequest = Map<string, Record<number, Arms>>;

function compare(candidate: Arms, reference: Arms, of: { request: string; settleMs: number; chosenSince: number }): Observation | undefined {
  const { request, settleMs, chosenSince } = of;
  const { abandoned } = candidate;
  const live = candidate.live ?? reference.live;
  const chosen = abandoned ?? live;
  const weight = chosen && (chosen === reference.live ? 1 - chosen.weight : chosen.weight);
  const byChance = weight !== undefined && weight > 0 && weight < 1 && chosen!.at >= chosenSince;
  const place = (...answers: Answer[]): number => Math.max(...answers.map((a) => Math.max(a.at + settleMs, a.logged + VISIBLE_MS)));
  if (abandoned) return byChance ? observed({ request, weight, candidate: { ...abandoned, failed: true } }, place(abandoned)) : undefined;

  const [its, others] = [candidate.live ?? candidate.shadow, reference.live ?? reference.shadow];
  // A pair that is complete only after chance's choice was looked at would take back what was seen.
  const inTime = its && others && (!byChance || place(its, others) <= place(chosen!));
  if (inTime) {
    const unalike = (candidate.live === its) !== (reference.live === others);
    const timed = (answer: Answer): Answer => (unalike && answer !== live ? { ...answer, seconds: undefined } : answer);
    return observed({ request, weight: byChance ? weight : undefined, candidate: timed(its), reference: timed(others) }, place(its, others));
  }
  if (!byChance) return undefined;
  return observed({ request, weight, ...(chosen === reference.live ? { reference: chosen } : { candidate: chosen! }) }, place(chosen!));
}

function observed(of: { request: string; weight?: number; candidate?: Answer; reference?: Answer }, answeredAt: number): Observation {
  const { request, weight, candidate, reference } = of;
  return {
    request,
    ...(weight !== undefined && { weight }),
    ...(candidate && { candidate: plain(candidate) }),
    ...(reference && { reference: plain(reference) }),
    answeredAt,
    knownAt: Math.max(answeredAt, candidate?.lossAt ?? 0, reference?.lossAt ?? 0),
  };
}

/** A failure took its time for nothing, and says nothing. */
const plain = ({ failed, seconds, output, loss }: Answer): Answered =>
  (failed ? { failed } : { failed, ...(seconds !== undefined && { seconds }), ...(output !== undefined && { output }), ...(loss !== undefined && { loss }) });

async function readAnswers(store: Store, query: ObserveQuery): Promise<ByRequest> {
  const { chain, candidate, reference, since, spec, now, withoutLoss = new Set<string>() } = query;
  return withWorkspace(store, async (workspace) => {
    const asked = { chain, since, until: new Date(now).toISOString(), releases: [candidate, reference] };
    const lines = await requestTable(store, workspace, asked, now);
    const all = await outcomeTable(store, workspace, { chain, until: new Date(now - VISIBLE_MS).toISOString() });
    const outcomes = withoutLoss.size === 0 ? all : `(SELECT * FROM ${all} WHERE "key" NOT IN (SELECT "key" FROM ${await keyTable(workspace, withoutLoss)}))`;
    const { output, loss } = measures(spec);
    const result = await workspace.db.connection.stream(`
      SELECT request, "release", arm, epoch_ms(min("at"))::DOUBLE, epoch_ms(min(logged))::DOUBLE, min(weight), bool_or(failed), min(seconds),
        ${output}, avg(loss), epoch_ms(max(recorded) FILTER (loss IS NOT NULL))::DOUBLE
      FROM (
        SELECT its.*, known.recorded, ${loss} AS loss
        FROM (
          SELECT request, "row", "key", "at", logged, "release", arm, weight, "value", label, failure IS NOT NULL AS failed, seconds
          FROM ${lines} WHERE ${conditions(asked)}
          QUALIFY row_number() OVER (PARTITION BY request, "release", arm, "row" ORDER BY logged) = 1
        ) AS its LEFT JOIN ${outcomes} AS known USING ("key")
      ) GROUP BY request, "release", arm`);
    const answers: ByRequest = new Map();
    for await (const chunk of result) {
      const vectors = Array.from({ length: COLUMNS }, (_, i) => chunk.getColumnVector(i));
      for (let r = 0; r < chunk.rowCount; r++) {
        const [request, release, arm, at, logged, weight, failed, seconds, out, mean, lossAt] = vectors.map((vector) => vector.getItem(r)) as Cells;
        let releases = answers.get(request);
        if (!releases) answers.set(request, releases = {});
        (releases[release] ??= {})[arm] = {
          at, logged, weight, failed, seconds: seconds ?? undefined, output: out ?? undefined, loss: mean ?? undefined,
          lossAt: lossAt === null ? undefined : lossAt + VISIBLE_MS,
        };
      }
    }
    return answers;
  });
}

async function keyTable({ scratch }: Workspace, keys: ReadonlySet<string>): Promise<string> {
  const file = join(scratch, 'keys.jsonl');
  await pipeline(Readable.from(keyLines(keys)), createWriteStream(file));
  return `read_json(${pathLiteral(file)}, format = 'newline_delimited', columns = {'key': 'VARCHAR'})`;
}

function* keyLines(keys: ReadonlySet<string>): Generator<string> {
  for (const key of keys) yield `${jsonLine({ key })}\n`;
}

type Cells = [request: string, release: number, arm: LogArm, at: number, logged: number, weight: number, failed: boolean, seconds: number | null,
  output: number | string | null, loss: number | null, lossAt: number | null];
const COLUMNS = 11;

/** SQL of a request's output from its rows', and of a row's loss. */
function measures(spec: ModelSpec): { output: string; loss: string } {
  switch (spec.task) {
    case 'classification':
      return { output: 'arg_min(label, "row")', loss: 'CAST(its.label <> known.label AS DOUBLE)' };
    case 'regression':
    case 'forecast': {
      const scaled = (value: string): string => (spec.scale === 'log10' ? `log10(CASE WHEN ${value} > 0 THEN ${value} END)` : value);
      return { output: 'avg("value")', loss: `abs(${scaled('its."value"')} - ${scaled('known."value"')})` };
    }
    case 'embedding':
      return { output: 'NULL', loss: 'CAST(NULL AS DOUBLE)' };
  }
}
