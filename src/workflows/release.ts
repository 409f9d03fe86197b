import { allHandlersFinished, ApplicationFailure, condition, continueAsNew, setCurrentDetails, setHandler, workflowInfo } from '@temporalio/workflow';
import { releaseDetails } from './details';
import { requireChain } from './asked';
import { refuse as fail } from './failures';
import { hear } from './hear';
import { OBSERVED, SETTLED } from './messageShapes';
import {
  approve, configureChain, describeChainNeeds, describeRelease, describeRouting, force, modelSettled, observed, pause, PHASES, propose, refuse, resume, rollback, setWeight, type ChainDefinition, type Command, type Ignored,
} from './messages';
import { Bookkeeping } from './releaseBookkeeping';
import { Pointer } from './releasePointer';
import { ReleaseState, type ReleaseStateData } from './releaseState';
import { Steps } from './releaseSteps';
import { Telling } from './releaseTelling';
import { tellHealth } from './tellHealth';

/**
 * One chain's releases, for as long as the chain lives: gathers the newest versions of its models, judges a set end to end, brings it into
 * use step by step, promotes it as one or not at all, watches it, and takes it back when it is worse in use. People step in by updates.
 */
export async function release(definition: ChainDefinition, carried?: ReleaseStateData): Promise<void> {
  if (!carried) requireChain(definition);
  const state = carried ? new ReleaseState(carried) : ReleaseState.fresh(definition);
  const show = () => setCurrentDetails(releaseDetails(state.view(), state.data.definition.reports));
  let news = true;
  const wake = () => {
    news = true;
    state.idle = false;
  };
  const pointer = new Pointer(state);
  const telling = new Telling(state);
  const steps = new Steps(state, pointer, telling, new Bookkeeping(state, { show }), { show });

  setHandler(describeRelease, () => state.view());
  setHandler(describeChainNeeds, () => state.needs());
  setHandler(describeRouting, () => state.routing());
  setHandler(configureChain, (next) => {
    const changed = state.configure(next);
    if (changed) {
      telling.pardoned();
      wake();
    }
    return { changed };
  }, { validator: (next) => requireChain(next, state.data.definition) });
  const ignore = (ignored: Ignored) => {
    state.ignore(ignored);
    show();
  };
  hear(modelSettled, SETTLED, (settled) => {
    state.hear(settled);
    wake();
  }, ignore);

  hear(observed, OBSERVED, async ({ seen, models }) => {
    const changes = state.observed(seen);
    show();
    await tellHealth(changes, { definition: state.data.definition, release: seen.release, at: seen.at, models });
  }, ignore);

  /** What is asked for once by a key is done once, however often it is asked for, and answered as it was the first time. */
  const underWay = new Map<string, Promise<unknown>>();
  async function once<R extends { number: number } | void>(command: Command, work: () => Promise<R>): Promise<R> {
    const { key } = command;
    if (key === undefined) return work();
    const known = state.answered(command);
    if (known) return (known.answer ?? undefined) as R;
    const running = (underWay.get(key) as Promise<R> | undefined) ?? work().then((answer) => {
      state.keepAnswer(command, answer ?? null);
      return answer;
    }).finally(() => underWay.delete(key));
    underWay.set(key, running);
    return running;
  }
  const isKnown = (command: Command | undefined) => command?.key !== undefined && (underWay.has(command.key) || state.answered(command) !== undefined);

  /** What a person may do, when: each with who and why on the record. */
  const on = <C extends Command>(action: string, may: (command: C) => string | undefined, act: (command: C) => Promise<void> | void) => ({
    handler: (command: C): Promise<void> => once(command, async () => {
      const number = state.data.rollout?.candidate.number;
      state.act(action, command, { at: now(), number });
      await act(command);
      wake();
      show();
      if (state.hasUntold) await telling.hooks();
    }),
    options: {
      validator: (command: C) => {
        const problem = commandProblem(command) ?? (isKnown(command) ? undefined : may(command));
        if (problem) throw ApplicationFailure.nonRetryable(problem, 'COMMAND_REFUSED');
      },
    },
  });
  const candidateThere = () => (state.data.rollout ? undefined : `There is no candidate under way for ${state.data.definition.spec.name}.`);
  const inPhase = (...phases: string[]) => candidateThere() ?? (phases.includes(state.data.rollout!.phase) ? undefined
    : `Candidate ${state.data.rollout!.candidate.number} is not at that point: it is ${state.data.rollout!.phase}, and this is for ${phases.join(' or ')}.`);

  const approving = on('approve', () => inPhase('approval', 'asking'), (command) => steps.approve(command));
  setHandler(approve, approving.handler, approving.options);
  const notPromoting = () => inPhase(...PHASES.filter((phase) => phase !== 'promoting'));
  const refusing = on('refuse', notPromoting, ({ by, reason }) => steps.refuse(`${by}: ${reason}`, by));
  setHandler(refuse, refusing.handler, refusing.options);
  const pausing = on('pause', notPromoting, ({ by, reason }) => state.pause({ by, reason }, now()));
  setHandler(pause, pausing.handler, pausing.options);
  const resuming = on('resume', () => candidateThere() ?? (state.data.rollout!.paused ? undefined : 'The candidate is not paused.'), () => state.resume(now()));
  setHandler(resume, resuming.handler, resuming.options);
  const weighing = on('change the weight', ({ weight }: Command & { weight: number }) =>
    inPhase('canary', 'asking') ?? (typeof weight === 'number' && weight >= 0 && weight <= 1 ? undefined : `A weight is a number from 0 to 1, not ${JSON.stringify(weight)}.`),
  ({ weight }) => {
    state.data.rollout!.weight = weight;
    return pointer.publishNow();
  });
  setHandler(setWeight, weighing.handler, weighing.options);
  const forcing = on('force', candidateThere, (command) => steps.force(command));
  setHandler(force, forcing.handler, forcing.options);

  setHandler(propose, (command) => once(command, async () => {
    const given = await steps.findVersions(command.versions);
    const missing = state.lacking(given);
    if (missing.length > 0) throw fail('UNKNOWN_MODEL', `The proposal has no version of ${missing.join(', ')}, and no release is in place to take it from.`);
    const force = command.force === true;
    const number = state.propose(given, { ...command, force });
    state.act(force ? 'propose and force' : 'propose', command, { at: now(), number });
    if (force) steps.overtake();
    wake();
    return { number };
  }), {
    validator: (command) => {
      const named = namedVersions(command?.versions);
      const unknown = Object.keys(named).filter((model) => !state.models.includes(model));
      const problem = commandProblem(command)
        ?? (Object.keys(named).length === 0 ? 'Name the versions to propose: {"versions": {"<model>": "<version id>"}}.' : undefined)
        ?? (unknown.length > 0 ? `The chain has no model ${unknown.join(', ')}; it has ${state.models.join(', ')}.` : undefined);
      if (problem) throw ApplicationFailure.nonRetryable(problem, 'COMMAND_REFUSED');
    },
  });

  setHandler(rollback, (command) => once(command, async () => {
    const { by, reason, to } = command;
    const target = to === undefined ? state.data.previous! : await steps.loadRelease(to);
    const from = state.data.current!.number;
    state.act('roll back', { by, reason }, { at: now(), number: from });
    await steps.rollBack(target, `${by}: ${reason}`, by);
    wake();
    show();
    if (state.hasUntold) await telling.hooks();
    pointer.refuseUnpublished();
    return { number: target.number };
  }), {
    validator: (command) => {
      const { current, previous } = state.data;
      const problem = commandProblem(command) ?? (isKnown(command) ? undefined
        : (!current ? 'There is no release to roll back.' : undefined)
        ?? (command.to === undefined && !previous ? `There is no release before ${current!.number}.` : undefined)
        ?? (command.to !== undefined && (!Number.isInteger(command.to) || command.to < 1) ? `A release's number is a whole number from 1, not ${JSON.stringify(command.to)}.` : undefined)
        ?? (command.to === current?.number ? `Release ${command.to} is in place already.` : undefined));
      if (problem) throw ApplicationFailure.nonRetryable(problem, 'COMMAND_REFUSED');
    },
  });

  show();
  let waitMs: number | undefined = 0;
  for (;;) {
    const woken = () => news || workflowInfo().continueAsNewSuggested;
    if (waitMs === undefined) await condition(woken);
    else if (waitMs > 0) await condition(woken, waitMs);
    if (workflowInfo().continueAsNewSuggested) {
      await condition(allHandlersFinished);
      await continueAsNew<typeof release>(state.data.definition, state.data);
    }
    news = false;
    if (state.hasUntold) await telling.hooks();
    waitMs = await steps.next();
    if (state.hasUntold) await telling.hooks();
    state.idle = !news && waitMs !== 0 && state.next().kind !== 'waiting';
    show();
  }
}

const now = () => new Date().toISOString();

/** None when it is anything but ids by model. */
function namedVersions(versions: unknown): Record<string, string> {
  if (typeof versions !== 'object' || versions === null || Array.isArray(versions)) return {};
  return Object.values(versions).every((id) => typeof id === 'string' && id !== '') ? versions as Record<string, string> : {};
}

function commandProblem(command: Command | undefined): string | undefined {
  const isText = (value: unknown) => typeof value === 'string' && value.trim() !== '';
  if (!isText(command?.by) || !isText(command?.reason)) return 'Say who and why: {"by": "<you>", "reason": "<why>"}.';
  return command!.key === undefined || isText(command!.key) ? undefined : `A key is a text, not ${JSON.stringify(command!.key)}.`;
}
