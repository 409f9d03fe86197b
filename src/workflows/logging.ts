import { workflowInfo, type WorkflowInterceptorsFactory } from '@temporalio/workflow';
import { SHOAL_CHAIN, SHOAL_MODEL, SHOAL_VERSION } from './searchAttributes';

const NAMED = { model: SHOAL_MODEL, chain: SHOAL_CHAIN, version: SHOAL_VERSION };

/** Says on every log line of a workflow what it is about. (The SDK says which workflow and run it is.) */
export const interceptors: WorkflowInterceptorsFactory = () => ({
  outbound: [{
    getLogAttributes(input, next) {
      const { typedSearchAttributes } = workflowInfo();
      const said = Object.entries(NAMED).flatMap(([name, key]) => {
        const value = typedSearchAttributes.get(key);
        return value === undefined ? [] : [[name, value] as const];
      });
      return next({ ...input, ...Object.fromEntries(said) });
    },
  }],
});
