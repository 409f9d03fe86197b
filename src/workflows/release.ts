import {
  allHandlersFinished, CancellationScope, condition, continueAsNew, getExternalWorkflowHandle, isCancellation, log, proxyActivities, setCurrentDetails, setHandler,
  upsertSearchAttributes, workflowInfo,
} from '@temporalio/workflow';
import type { ControlActivities, DataActivities } from '../activities';
import { headline } from '../domain/headline';
import type { Release } from '../domain/version';
import { releaseDetails } from './details';
import { reasonOf } from './failures';
import { configureChain, describeRelease, modelSettled, modelWorkflowId, promoted, type ChainDefinition } from './messages';
import { ReleaseState, type ReleaseStateData } from './releaseState';
import { SHOAL_VERDICT } from './searchAttributes';

const control = proxyActivities<ControlActivities>({
  startToCloseTimeout: '30 seconds',
  retry: { initialInterval: '1 second', maximumInterval: '1 minute' },
});

/**
 * One chain's releases, for as long as the chain lives: gathers the newest versions of its models, judges a set that fits together
 * end to end, and promotes it as one or not at all.
 */
export async function release(definition: ChainDefinition, carried?: ReleaseStateData): Promise<void> {
  const state = carried ? new ReleaseState(carried) : ReleaseState.fresh(definition);
  const show = () => setCurrentDetails(releaseDetails(state.view()));
  let news = true;

  setHandler(describeRelease, () => state.view());
  setHandler(configureChain, (next) => {
    const changed = state.configure(next);
    news ||= changed;
    return { changed };
  });
  setHandler(modelSettled, (settled) => {
    state.data.settled[settled.model] = settled;
    news = true;
    state.idle = false;
  });

  for (;;) {
    await condition(() => news || workflowInfo().continueAsNewSuggested);
    if (workflowInfo().continueAsNewSuggested) {
      await condition(allHandlersFinished);
      await continueAsNew<typeof release>(state.data.definition, state.data);
    }
    news = false;
    const candidate = state.candidate();
    if (candidate) await judge(candidate, state, show);
    await compare(state, show);
    state.activity = state.waitingFor();
    state.idle = !news;
    show();
  }
}

async function judge(candidate: Release, state: ReleaseState, show: () => void): Promise<void> {
  const { dataQueue } = state.data.definition;
  state.activity = `judging candidate ${candidate.number} end to end`;
  show();
  try {
    const evaluation = await onData(dataQueue, `judge release ${candidate.number} end to end`).evaluateRelease({ candidate, current: state.data.current });
    const { passed, reason } = evaluation.verdict;
    if (passed) {
      await control.publishRelease({ release: candidate });
      await tellModels(candidate);
    }
    state.decide(candidate, { at: new Date().toISOString(), status: passed ? 'promoted' : 'refused', reason: `${headline(evaluation.metrics)}: ${reason}`, evaluation });
    upsertSearchAttributes([{ key: SHOAL_VERDICT, value: passed ? 'promoted' : 'refused' }]);
  } catch (error) {
    if (CancellationScope.current().consideredCancelled) throw error;
    state.decide(candidate, { at: new Date().toISOString(), status: 'failed', reason: reasonOf(error) });
    upsertSearchAttributes([{ key: SHOAL_VERDICT, value: 'failed' }]);
  }
}

/** Scores the models the chain is compared with on the same rows. It decides nothing, so its failure is only noted. */
async function compare(state: ReleaseState, show: () => void): Promise<void> {
  const { current, evaluation, definition } = state.data;
  const versions = state.comparisons();
  const done = evaluation?.comparisons ?? {};
  const due = Object.entries(versions).filter(([model, version]) => done[model]?.version !== version.id);
  if (!current || !evaluation || due.length === 0) return;
  state.activity = `comparing release ${current.number} with ${due.map(([model]) => model).join(', ')}`;
  show();
  try {
    evaluation.comparisons = await onData(definition.dataQueue, state.activity).compare({ release: current, versions });
  } catch (error) {
    if (CancellationScope.current().consideredCancelled) throw error;
    log.warn('comparison failed', { error: reasonOf(error) });
  }
}

async function tellModels(release: Release): Promise<void> {
  await Promise.all(Object.values(release.versions).map(async (version) => {
    try {
      await getExternalWorkflowHandle(modelWorkflowId(version.model)).signal(promoted, { chain: release.chain, release: release.number, version });
    } catch (error) {
      if (isCancellation(error)) throw error;
      log.warn(`model ${version.model} could not be told`, { error: reasonOf(error) });
    }
  }));
}

const onData = (taskQueue: string, summary: string) => proxyActivities<DataActivities>({
  taskQueue,
  startToCloseTimeout: '1 hour',
  heartbeatTimeout: '10 seconds',
  retry: { initialInterval: '1 second', maximumInterval: '1 minute', maximumAttempts: 50 },
  summary,
});
