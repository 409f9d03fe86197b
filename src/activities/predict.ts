import { log as activityLog } from '@temporalio/activity';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import type { RequestLog } from '../data/requestLog';
import { readRowBatches, writeRows } from '../data/rows';
import { ShoalError } from '../domain/errors';
import { MAX_INLINE_BYTES, provenanceOf, type Row, type StageAnswers, type StageProvenance } from '../domain/prediction';
import type { ArtifactRef, Release } from '../domain/version';
import type { Models } from '../serve/models';
import { untraced, type Around } from '../domain/around';
import type { StageMeter } from '../observe/metrics';
import { chainOutputs, runStages, type StageWatch } from '../serve/stages';
import type { Store } from '../store/store';
import { beating } from './beating';
import { predictionEntry, type Asked } from './predictionEntry';

const PART_ROWS = 5_000;

/** Inline, or by reference where it is too large for a payload. */
export type Held<T> = { inline: T } | { ref: ArtifactRef };

export interface SegmentInput {
  release: Release;
  /** The stages to run now. */
  stages: string[];
  rows: Held<Row[]>;
  /** What the segments before this one said. */
  earlier: Held<StageAnswers>[];
  /** Whether the chain's outputs are to be computed after these stages. */
  last: boolean;
  /** To log the answer, where the rows are inline and this is the last segment. `seconds`: what the segments before took. */
  log?: Asked & { seconds?: number };
}
export interface SegmentOutput {
  answers: Held<StageAnswers>;
  provenance: Record<string, StageProvenance>;
  outputs?: Held<Record<string, unknown>[]>;
  /** Time the stages took. */
  seconds: number;
}

const spanOf = ({ chain, release, stage, version, rows }: Parameters<StageWatch>[0]) =>
  ({ 'shoal.chain': chain, 'shoal.release': release, 'shoal.stage': stage, 'shoal.version': version, 'shoal.rows': rows });

async function keepServing(log: () => Promise<void>): Promise<void> {
  try {
    await log();
  } catch (error) {
    if (!(error instanceof ShoalError)) throw error;
    activityLog.warn('a prediction is not logged', { code: error.code, reason: error.message });
  }
}

export const createPredict = ({ store, models, log, around = untraced, meter }: { store: Store; models: Models; log: RequestLog; around?: Around; meter?: StageMeter }) => {
  const watch: StageWatch = (of, work) => around(`stage ${of.stage}`, spanOf(of), async () => {
    const started = performance.now();
    try {
      return await work();
    } finally {
      meter?.answered({ chain: of.chain, stage: of.stage, version: of.version, seconds: (performance.now() - started) / 1000 });
    }
  });
  const hold = async <T>(value: T, inline: boolean): Promise<Held<T>> =>
    inline && JSON.stringify(value).length <= MAX_INLINE_BYTES ? { inline: value } : { ref: await store.putJson(value) };
  const take = async <T>(held: Held<T>): Promise<T> => ('inline' in held ? held.inline : store.readJson<T>(held.ref));

  return {
    /**
     * Runs stages that these workers serve, back to back, passing what they say in memory. What is logged is on the disk before it is answered; a
     * store that can't be written to is no reason not to answer.
     */
    runSegment: (input: SegmentInput): Promise<SegmentOutput> =>
      beating(async () => {
        const inline = 'inline' in input.rows;
        const rows = await take(input.rows);
        const earlier: StageAnswers = Object.assign({}, ...(await Promise.all(input.earlier.map(take))));
        const started = performance.now();
        const answers = await runStages({ release: input.release, stages: input.stages, rows, earlier }, { models, watch });
        meter?.said(input.release.chain, answers);
        const outputs = input.last ? chainOutputs(input.release, rows, { ...earlier, ...answers }) : undefined;
        const seconds = (performance.now() - started) / 1000;
        if (input.log && inline && outputs) {
          const { seconds: before = 0, ...asked } = input.log;
          const reply = { outputs, answers: { ...earlier, ...answers } };
          await keepServing(() => log.append([predictionEntry({ release: input.release, asked, rows, reply, seconds: before + seconds })]));
        }
        return {
          answers: await hold(answers, inline),
          provenance: provenanceOf(answers),
          outputs: outputs && (await hold(outputs, inline)),
          seconds,
        };
      }),

    /** Cuts a data set into parts that one activity can answer. */
    partition: ({ input }: { input: ArtifactRef }): Promise<{ parts: ArtifactRef[]; rows: number }> =>
      beating(async ({ report }) => {
        const parts: ArtifactRef[] = [];
        let rows = 0;
        for await (const batch of readRowBatches(await store.localFile(input), PART_ROWS)) {
          parts.push(await store.putJson(batch));
          rows += batch.length;
          report({ rows });
        }
        return { parts, rows };
      }),

    /** Puts the parts' outputs together, in order, as one Parquet file. */
    assemble: ({ parts }: { parts: Held<Record<string, unknown>[]>[] }): Promise<ArtifactRef> =>
      beating(async () => {
        const scratch = await store.scratch();
        try {
          await mkdir(scratch, { recursive: true });
          const file = path.join(scratch, 'result.parquet');
          const rows: Row[] = [];
          for (const part of parts) for (const row of await take(part)) rows.push(row);
          await writeRows(file, rows);
          return await store.putFile(file, 'parquet');
        } finally {
          await rm(scratch, { recursive: true, force: true });
        }
      }),
  };
};
