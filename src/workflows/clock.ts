import type { ActivateInput, WorkflowInterceptorsFactory } from '@temporalio/workflow';

/** Of what the asker of a query is told whose answer would have to be worked out by a clock that stands still. */
export const ASK_AGAIN = 'A worker is taking this workflow over: ask again';

type Job = NonNullable<ActivateInput['activation']['jobs']>[number];

/**
 * Keeps workflows from acting by a clock that stands still.
 *
 * A worker that takes a workflow over from one that is gone may have to answer a query before the workflow's next task has begun. The SDK (1.24) then
 * replays all events there are, those since the last task too, at the time of that last task, and keeps what the workflow decided as the answer to the next
 * task. Whoever replays the history later does so by the right times, may decide otherwise, and the workflow is stuck for good. Such a replay is refused
 * here: the worker forgets it, the asker is told to ask again, and the task, when it comes, brings the same events at their time.
 *
 * The server says the size of the history anew with each task; where it is the same as before, no task has begun.
 */
export const interceptors: WorkflowInterceptorsFactory = () => {
  let sizeBefore = 0;
  return {
    internals: [{
      activate(input, next) {
        const { historySizeBytes, jobs } = input.activation;
        const size = Number(historySizeBytes ?? 0);
        if (size > 0 && size === sizeBefore && jobs?.some(isOfEvent)) throw new Error(`${ASK_AGAIN}.`);
        sizeBefore = size;
        next(input);
      },
    }],
  };
};

/** Whether only an event in the history brings it. In the midst of a task come the ends of local activities, and of what the workflow itself has cancelled. */
function isOfEvent(job: Job): boolean {
  const { resolveActivity: activity, resolveChildWorkflowExecution: child, resolveSignalExternalWorkflow: signal } = job;
  const result = activity?.isLocal ? undefined : activity?.result ?? child?.result;
  return [
    job.fireTimer, job.signalWorkflow, job.cancelWorkflow, job.resolveChildWorkflowExecutionStart?.succeeded, result?.completed, result?.failed, signal && !signal.failure,
  ].some(Boolean);
}
