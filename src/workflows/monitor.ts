import { ApplicationFailure, getExternalWorkflowHandle, proxyActivities, setCurrentDetails, workflowInfo } from '@temporalio/workflow';
import type { ControlActivities, DataActivities } from '../activities';
import { monitorDetails } from './healthDetails';
import { codeOf, reasonOf, refuse } from './failures';
import { observed, releaseWorkflowId, type MonitorResult } from './messages';
import type { MonitorInput } from '../domain/monitor';

const control = proxyActivities<ControlActivities>({ startToCloseTimeout: '10 seconds', retry: { initialInterval: '200 milliseconds', maximumInterval: '10 seconds', maximumAttempts: 10 } });

/**
 * One look at how a chain does in use, started by its schedule. What it saw is told to the chain's release workflow, which remembers what is
 * alerted, so that each alert and each recovery is told once however often this runs.
 */
export async function monitor(input: MonitorInput): Promise<MonitorResult> {
  if (!input?.chain || !input.monitor || !input.dataQueue) throw refuse('COMMAND_REFUSED', 'A monitor is told its chain, settings and queue: start it by its schedule, `monitor/<chain>`.');
  const { chain } = input;
  let release;
  try {
    release = (await control.resolveRouting({ chain })).current;
  } catch (error) {
    if (codeOf(error) === 'NO_RELEASE') return say({ chain, status: 'no release', reason: reasonOf(error) });
    throw error;
  }
  const data = proxyActivities<DataActivities>({
    taskQueue: input.dataQueue, startToCloseTimeout: '30 minutes', heartbeatTimeout: '10 seconds',
    retry: { initialInterval: '1 second', maximumInterval: '30 seconds', maximumAttempts: 5 },
    summary: `watch release ${release.number} of ${chain}`,
  });
  const seen = await data.observe({ release, monitor: input, until: workflowInfo().startTime.toISOString() });
  setCurrentDetails(monitorDetails(seen));
  try {
    await getExternalWorkflowHandle(releaseWorkflowId(chain)).signal(observed, { seen, models: input.models });
  } catch (error) {
    throw ApplicationFailure.nonRetryable(`${releaseWorkflowId(chain)} could not be told: ${reasonOf(error)}`, 'NO_RELEASE');
  }
  return { chain, status: 'looked', release: release.number, reason: seen.alerts.filter((a) => a.verdict !== 'no verdict').map((a) => `${a.subject}: ${a.verdict}`).join(', ') || seen.notes[0] || 'no verdict' };
}

function say(result: MonitorResult): MonitorResult {
  setCurrentDetails(result.reason);
  return result;
}
