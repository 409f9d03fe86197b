import type { Client } from '@temporalio/client';
import { ShoalError } from '../domain/errors';
import { addressesIn, type ChainNeeds, type LedgerNeeds } from '../domain/garbage';
import { describeChainNeeds, describeModelNeeds, modelWorkflowId, releaseWorkflowId } from '../workflows/messages';
import { unlessAbsent } from './unlessAbsent';

/** A workflow that is younger names nothing that was not written, or marked as used, since. */
const YOUNG_MS = 15 * 60_000;
/** The state of these is asked for; their histories name also what they have long let go of. */
const ASKED = ['model', 'release'];

/** What the workflows of a project say they may still need of the store: their state, and the histories of runs under way. Throws where one can't say. */
export const ledgerNeeds = (client: Client, { taskQueue }: { taskQueue: string }) => async (names: { models: string[]; chains: string[] }): Promise<LedgerNeeds> => {
  const askModels = (): Promise<Answer<{ holds: unknown }>[]> => askAll(names.models, (name) => client.workflow.getHandle(modelWorkflowId(name)).query(describeModelNeeds));
  // What a model hands to a chain, or a chain to a model, in this moment is at one of them before or after.
  const before = await askModels();
  const chains = await askAll<ChainNeeds & { holds: unknown }>(names.chains, (name) => client.workflow.getHandle(releaseWorkflowId(name)).query(describeChainNeeds));
  const after = await askModels();
  return {
    holds: [...before, ...chains, ...after].map(({ answer }) => answer.holds),
    mentions: await underWay(client, taskQueue),
    models: [...new Set([...before, ...after].map(({ name }) => name))],
    chains: Object.fromEntries(chains.map(({ name, answer: { holds: _holds, ...needs } }) => [name, needs])),
  };
};

interface Answer<T> { name: string; answer: T }

/** Without those that the server has never heard of. */
async function askAll<T>(names: readonly string[], ask: (name: string) => Promise<T>): Promise<Answer<T>[]> {
  const answers: Answer<T>[] = [];
  for (const name of names) {
    try {
      const answer = await unlessAbsent(() => ask(name));
      if (answer) answers.push({ name, answer });
    } catch (cause) {
      throw new ShoalError('NOT_COLLECTED', `What ${name} needs of the store can't be told: ${cause instanceof Error ? cause.message : String(cause)}.`, {
        remedy: 'Its workflow answers when the server and a worker for workflows, of this release of Shoal, are there.', cause });
    }
  }
  return answers;
}

async function underWay(client: Client, taskQueue: string): Promise<string[][]> {
  try {
    const found: string[][] = [];
    const query = `ExecutionStatus = 'Running' AND TaskQueue = '${taskQueue.replaceAll("'", "''")}'`;
    for await (const { workflowId, runId, type, startTime } of client.workflow.list({ query })) {
      if (ASKED.includes(type) || (type === 'chain' && Date.now() - startTime.getTime() < YOUNG_MS)) continue;
      const history = await unlessAbsent(() => client.workflow.getHandle(workflowId, runId).fetchHistory());
      if (history) found.push(addressesIn(textOf(history)));
    }
    return found;
  } catch (cause) {
    throw new ShoalError('NOT_COLLECTED', `What runs under way need of the store can't be told: ${cause instanceof Error ? cause.message : String(cause)}.`, {
      remedy: 'Try again when the Temporal server answers.', cause });
  }
}

/** All that is text or bytes in it, one after the other. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return `${value}\n`;
  if (value instanceof Uint8Array) return `${Buffer.from(value).toString('utf8')}\n`;
  if (Array.isArray(value)) return value.map(textOf).join('');
  return typeof value === 'object' && value !== null ? Object.values(value).map(textOf).join('') : '';
}
