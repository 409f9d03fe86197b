import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { recordOutcomes } from '../data/outcomes';
import { formatOf, readRows } from '../data/rows';
import { ShoalError } from '../domain/errors';
import { outcomesOf } from '../domain/outcomes';
import { MAX_INLINE_BYTES, MAX_INLINE_ROWS, type ChainAnswer, type ChainRequest, type Row } from '../domain/prediction';
import { canonicalJson } from '../store/canonicalJson';
import { describeChain } from '../workflows/messages';
import type { Session, Waiting } from './session';
import { unlessAbsent } from './unlessAbsent';

/** A prediction that nobody answers in this time has nobody to answer it. */
const PREDICT_TIMEOUT_MS = 60_000;
const SCORE_TIMEOUT_MS = 24 * 3_600_000;
/** After the server has ended the workflow, for its word of that to come. */
const GRACE_MS = 5_000;
const POLL_MS = 300;

export interface RequestOptions extends Waiting {
  /**
   * Two requests of one key to a chain are one: the second attaches to the first, and has its answer also after it ended, for as long as the
   * server's namespace keeps ended workflows (its retention). One that failed or timed out has no answer, and is made anew.
   */
  key?: string;
  /** As `key`. */
  id?: string;
}

export interface PredictOptions extends RequestOptions {
  /** One a row: what the row is called when its outcome is known. */
  keys?: string[];
}

/** How far a file is: bytes that are in the store, then parts that are answered. */
export interface ScoreProgress { phase: 'copying' | 'answering'; done: number; total: number }

export interface ScoreOptions extends RequestOptions { onProgress?(progress: ScoreProgress): void }

export const chainRequestId = (chain: string, id: string): string => `chain/${chain}/${id}`;

/** Predictions, and what came of them. */
export class Predictions {
  constructor(private readonly session: Session) {}

  predict(chain: string, rows: Row[], { keys, ...options }: PredictOptions): Promise<ChainAnswer> {
    this.session.known('chain', chain);
    const bytes = Buffer.byteLength(JSON.stringify(rows));
    if (rows.length > MAX_INLINE_ROWS || bytes > MAX_INLINE_BYTES) {
      throw new ShoalError('REQUEST_TOO_LARGE', `The request has ${rows.length} rows and ${bytes} bytes; a request can have ${MAX_INLINE_ROWS} rows and ${MAX_INLINE_BYTES} bytes.`, {
        remedy: 'Send fewer rows at a time, or the whole file with `score`.',
      });
    }
    return this.answer({ chain, rows, ...(keys && { keys }) }, { timeoutMs: PREDICT_TIMEOUT_MS, ...options });
  }

  async score(chain: string, file: string, { onProgress, ...options }: ScoreOptions): Promise<ChainAnswer> {
    this.session.known('chain', chain);
    const format = formatOf(file);
    const store = await this.session.store();
    const scratch = await store.scratch();
    try {
      const copy = path.join(scratch, `rows.${format}`);
      await copyRows(file, copy, onProgress);
      return await this.answer({ chain, input: await store.putFile(copy, format) }, { timeoutMs: SCORE_TIMEOUT_MS, ...options }, onProgress);
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  }

  async recordOutcomes(chain: string, outcomes: readonly Row[] | string): Promise<{ recorded: number }> {
    const { project } = this.session;
    this.session.known('chain', chain);
    const rows = typeof outcomes === 'string' ? await readRows(path.resolve(outcomes)) : outcomes;
    const model = project.models[project.chains[chain]!.outputStage]!;
    const known = outcomesOf(rows, { chain, model, keyColumns: project.sources[model.source]!.key });
    return recordOutcomes(await this.session.store(), { chain, outcomes: known, now: Date.now() });
  }

  private async answer(request: ChainRequest, { key, id = key, timeoutMs, signal }: RequestOptions & { timeoutMs: number }, onProgress?: ScoreOptions['onProgress']): Promise<ChainAnswer> {
    const workflowId = chainRequestId(request.chain, id ?? randomUUID());
    const content = createHash('sha256').update(canonicalJson(request)).digest('hex').slice(0, 32);
    return this.session.within({ timeoutMs: timeoutMs + GRACE_MS, signal }, () => this.session.around(`predict ${request.chain}`, { 'shoal.chain': request.chain }, async () => {
      const following = onProgress && this.follow(workflowId, onProgress);
      try {
        for (;;) {
          try {
            const handle = await this.session.temporal.workflow.start('chain', {
              workflowId,
              workflowIdConflictPolicy: 'FAIL',
              workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY',
              taskQueue: this.session.project.temporal.taskQueue,
              args: [request],
              workflowExecutionTimeout: timeoutMs,
              memo: { content },
              staticSummary: 'rows' in request ? `${request.rows.length} rows` : `file ${request.input.uri}`,
            });
            return await handle.result() as ChainAnswer;
          } catch (error) {
            if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
            const known = await this.attach(workflowId, content);
            if (known) return known;
          }
        }
      } finally {
        following?.stop();
        await following?.done;
      }
    }));
  }

  /** The answer to the request of that id; nothing when the server forgot it just now. */
  private async attach(workflowId: string, content: string): Promise<ChainAnswer | undefined> {
    const handle = this.session.temporal.workflow.getHandle(workflowId);
    return unlessAbsent(async () => {
      const { memo } = await handle.describe();
      if (memo?.content !== undefined && memo.content !== content) {
        throw new ShoalError('KEY_REUSED', `Another request was sent as ${workflowId}.`, { remedy: 'One key is for one request: choose another.', details: { workflowId } });
      }
      return await handle.result() as ChainAnswer;
    });
  }

  private follow(workflowId: string, onProgress: NonNullable<ScoreOptions['onProgress']>): { stop(): void; done: Promise<void> } {
    const handle = this.session.temporal.workflow.getHandle(workflowId);
    let on = true;
    let told = -1;
    const done = (async () => {
      while (on) {
        // It decides nothing: whoever waits for the answer hears of what is wrong.
        const progress = await handle.query(describeChain).catch(() => undefined);
        if (on && progress?.parts && progress.done !== told) onProgress({ phase: 'answering', done: (told = progress.done), total: progress.parts });
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
    })();
    return { stop: () => { on = false; }, done };
  }
}

/** The rows as they are, out of their compression: an object in the store is named by its content's format alone. */
async function copyRows(file: string, copy: string, onProgress?: ScoreOptions['onProgress']): Promise<void> {
  try {
    const { size: total } = await stat(file);
    let done = 0;
    const count = new Transform({
      transform(chunk: Buffer, _encoding, next) {
        done += chunk.length;
        onProgress?.({ phase: 'copying', done, total });
        next(null, chunk);
      },
    });
    const from = createReadStream(file);
    const to = createWriteStream(copy);
    await (file.endsWith('.gz') ? pipeline(from, count, createGunzip(), to) : pipeline(from, count, to));
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    throw new ShoalError(missing ? 'SOURCE_MISSING' : 'SOURCE_UNREADABLE', `${file} ${missing ? 'is not there' : `can't be read: ${(cause as Error).message}`}.`, {
      remedy: 'Name a file of rows that can be read.', details: { file }, cause,
    });
  }
}
