import { WorkflowNotFoundError } from '@temporalio/client';

/** What is answered; undefined when the server knows no such workflow. */
export async function unlessAbsent<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}
