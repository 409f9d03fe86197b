import { CancellationScope, log, proxyActivities } from '@temporalio/workflow';
import type { ControlActivities } from '../activities';
import { reasonOf, refuse as fail } from './failures';
import type { ReleaseState } from './releaseState';

export const control = proxyActivities<ControlActivities>({
  // A worker that is gone is noticed by this alone.
  startToCloseTimeout: '10 seconds',
  retry: { initialInterval: '200 milliseconds', maximumInterval: '10 seconds' },
});

/** The store's pointer, which says where a chain's requests go: made to say what the state says. */
export class Pointer {
  /** It is written by one at a time, in order. */
  private writing: Promise<void> = Promise.resolve();

  constructor(private readonly state: ReleaseState) {}

  /** Now, or as soon as the store lets it. */
  async publish(): Promise<void> {
    try {
      await this.point();
      delete this.state.data.unpublished;
    } catch (error) {
      if (CancellationScope.current().consideredCancelled) throw error;
      this.state.data.unpublished = reasonOf(error);
      log.warn('the pointer could not be written', { reason: reasonOf(error) });
    }
  }

  /** As `publish`, for somebody who waits for it. */
  async publishNow(): Promise<void> {
    await this.publish();
    this.refuseUnpublished();
  }

  refuseUnpublished(): void {
    const { unpublished } = this.state.data;
    if (unpublished) throw fail('STORE_UNAVAILABLE', `It is decided, and requests don't follow yet: ${unpublished} This is tried again until it works.`);
  }

  point(): Promise<void> {
    const write = async () => {
      this.state.data.revision++;
      const routing = this.state.routing();
      if (routing) await control.publishRouting({ routing });
    };
    const written = this.writing.then(write);
    this.writing = written.catch(() => undefined);
    return written;
  }
}
