import {
  allHandlersFinished, CancellationScope, condition, continueAsNew, getExternalWorkflowHandle, isCancellation, log, metricMeter, ParentClosePolicy, patched, setCurrentDetails, setHandler, startChild, uuid4,
  workflowInfo, type ChildWorkflowHandle,
} from '@temporalio/workflow';
import { upstreamOf } from '../domain/spec';
import { announce, eventId } from './announce';
import { modelDetails } from './details';
import { reasonOf } from './failures';
import { ASKED_BY_PROGRAM, requireAsked, requireModel, saidByProgram } from './asked';
import { hear } from './hear';
import { lifecycle } from './lifecycle';
import { PARDONED, PROMOTED, REJECTED, RUN_REQUEST, SETTLED } from './messageShapes';
import {
  cascade, defineModel, describeModel, describeModelNeeds, lifecycleWorkflowId, modelSettled, modelWorkflowId, newData, pardoned, promoted, rejected, releaseWorkflowId, requestRun, retrain, runEnded, upstreamAnswered,
  type Ignored, type ModelDefinition, type RequestRunArguments, type RunEnd, type RunRecord, type RunRequest, type Settled,
} from './messages';
import { eventOfRun } from './modelEvents';
import { ModelState, type ModelStateData } from './modelState';
import { SHOAL_MODEL, SHOAL_TRIGGER } from './searchAttributes';

/**
 * One model, for as long as it lives: takes requests for runs, makes one run of a burst and at most one more, runs them one at
 * a time as `lifecycle` children, and tells the models and chains that depend on it what came of each.
 */
export async function model(definition: ModelDefinition, carried?: ModelStateData): Promise<void> {
  if (!carried) requireModel(definition);
  const state = carried ? new ModelState(carried) : ModelState.fresh(definition);
  const show = () => setCurrentDetails(modelDetails(state.view(), state.data.definition.reports));

  setHandler(describeModel, () => state.view());
  setHandler(describeModelNeeds, () => state.needs());
  const ignore = (ignored: Ignored) => {
    state.ignore(ignored);
    show();
  };
  setHandler(requestRun, (asked, next) => {
    const answer = state.ask({ ...ASKED_BY_PROGRAM, ...asked, batch: asked?.batch ?? uuid4() }, next ?? state.data.definition);
    show();
    return answer;
  }, {
    validator: (...[asked, next]: RequestRunArguments) => {
      requireAsked(asked);
      if (next !== undefined && next !== null) requireModel(next, state.data.definition);
    },
  });
  setHandler(defineModel, (next) => ({ changed: state.define(next) }), { validator: (next) => requireModel(next, state.data.definition) });
  const askedByWorkflow = (request: RunRequest) => {
    state.ask(request, state.data.definition);
    show();
  };
  hear(cascade, RUN_REQUEST, askedByWorkflow, ignore);
  const askedByItself = async (request: RunRequest): Promise<void> => {
    const answer = state.askByItself(request, new Date().toISOString());
    show();
    if (answer.status !== 'held' && answer.status !== 'known') return;
    const { held, definition: { model: { name }, downstream, chains } } = state.data;
    if (answer.status === 'held') await tell([...downstream.map(modelWorkflowId), ...chains.map(releaseWorkflowId)], state.announcement());
    const reason = answer.status === 'held' && held ? `held back until ${held.until}: ${held.why}` : 'these data were seen already';
    await tellWaiting(request.tell, { model: name, batches: [request.batch], status: answer.status === 'held' ? 'held' : 'unchanged', reason });
  };
  hear(retrain, RUN_REQUEST, askedByItself, ignore);
  setHandler(newData, (said) => {
    const { reason, by } = saidByProgram(said);
    return askedByItself({ trigger: 'newData', reason, by, batch: uuid4(), alongside: [state.data.definition.model.name] });
  });
  hear(modelSettled, SETTLED, (settled) => state.upstreamSettled(settled), ignore);
  hear(promoted, PROMOTED, ({ version }) => {
    state.promoted(version);
    show();
  }, ignore);
  hear(rejected, REJECTED, async (rejection) => {
    const takenBack = state.reject(rejection);
    show();
    // Nobody is to train on what was taken back.
    if (takenBack && patched('tell-rejected')) await tell(state.data.definition.downstream.map(modelWorkflowId), state.announcement());
  }, ignore);
  hear(pardoned, PARDONED, ({ chain }) => state.pardon(chain), ignore);

  show();
  for (;;) {
    const until = state.data.held?.until;
    const woken = () => state.isAsked || state.data.held?.until !== until || workflowInfo().continueAsNewSuggested;
    if (until === undefined) await condition(woken);
    else await condition(woken, Math.max(1, Date.parse(until) - Date.now()));
    state.release(new Date().toISOString());
    if (workflowInfo().continueAsNewSuggested) {
      await condition(allHandlersFinished);
      await continueAsNew<typeof model>(state.data.definition, state.data);
    }
    if (!state.isAsked) continue;
    const settled = await run(state, show);
    const { downstream, chains } = state.data.definition;
    await tell([...downstream.map(modelWorkflowId), ...chains.map(releaseWorkflowId)], settled);
  }
}

async function run(state: ModelState, show: () => void): Promise<Settled> {
  const name = state.data.definition.model.name;
  const running = state.begin(new Date().toISOString(), (n) => lifecycleWorkflowId(name, n));
  const { definition, champion, rules } = state.data;
  running.upstreamGiven = upstreamOf(definition.model).length === 0;
  show();

  let outcome: Pick<RunRecord, 'status' | 'reason' | 'made'>;
  try {
    const child = await startChild(lifecycle, {
      workflowId: running.workflowId,
      args: [{ run: running.run, request: running.request, definition, champion, rules }],
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
      typedSearchAttributes: [{ key: SHOAL_MODEL, value: name }, { key: SHOAL_TRIGGER, value: running.request.trigger }],
      staticSummary: `${name}, run ${running.run}: ${running.request.reason}`,
    });
    const result = child.result();
    const [{ status, made }] = await Promise.all([result, answerUpstream(state, child, result)]);
    const unchanged = status === 'made' && made.version.id === state.data.latest?.version.id;
    outcome = { status: unchanged ? 'unchanged' : status, reason: unchanged ? 'nothing has changed since this version was made' : made.verdict.reason, made };
  } catch (error) {
    if (CancellationScope.current().consideredCancelled) throw error;
    outcome = { status: 'failed', reason: reasonOf(error) };
    log.warn(`run ${running.run} failed`, { reason: outcome.reason });
  }
  const settled = state.end(outcome, new Date().toISOString());
  show();
  const [record] = state.data.records;
  metricMeter.createCounter('shoal_runs', undefined, 'Runs of models.').add(1, { model: name, status: record!.status, trigger: running.request.trigger });
  const { hooks } = state.data.definition;
  const event = hooks && eventOfRun(name, record!, eventId);
  if (event) await announce(hooks, event);
  await tellWaiting(running.request.tell, { model: name, batches: running.batches, status: record!.status, reason: record!.reason });
  return settled;
}

/** Hands the child its upstream versions as soon as they are settled, or stops waiting when the child ends first. */
async function answerUpstream(state: ModelState, child: ChildWorkflowHandle<typeof lifecycle>, result: Promise<unknown>): Promise<void> {
  if (upstreamOf(state.data.definition.model).length === 0) return;
  let ended = false;
  const end = result.then(() => { ended = true; }, () => { ended = true; });
  await condition(() => ended || state.upstreamAnswer() !== undefined);
  if (ended) return;
  state.data.running!.upstreamGiven = true;
  // A child that has ended can't be told any more: its own end says why.
  await Promise.race([end, child.signal(upstreamAnswered, state.upstreamAnswer()!).catch(() => end)]);
}

/** Those that wait for a run; one that has ended since is left out. */
async function tellWaiting(ids: string[] | undefined, ended: RunEnd): Promise<void> {
  for (const id of ids ?? []) {
    try {
      await getExternalWorkflowHandle(id).signal(runEnded, ended);
    } catch (error) {
      if (isCancellation(error)) throw error;
      log.warn(`${id} could not be told`, { error: reasonOf(error) });
    }
  }
}

/** A model or chain that is not there (not started yet, or no longer part of the project) is left out. */
async function tell(ids: string[], settled: Settled): Promise<void> {
  await Promise.all(ids.map(async (id) => {
    try {
      await getExternalWorkflowHandle(id).signal(modelSettled, settled);
    } catch (error) {
      if (isCancellation(error)) throw error;
      log.warn(`${id} could not be told`, { error: reasonOf(error) });
    }
  }));
}
