import type { Store } from '../../src/store/store';

const WRITES = ['put', 'putFile', 'putJson', 'writeNote', 'removeNote', 'writeBlob', 'removeBlob', 'discard', 'discardScratch'] as const;

/** A fault as of a process that is killed: what is asked of the store from then on does nothing. */
export class Killed extends Error {}

/** A store that dies at its nth write (from 0), before or after it took effect; `writes` counts them. */
export function dyingStore(store: Store, death?: { at: number; effect: 'before' | 'after' }): { store: Store; writes(): number } {
  let writes = 0;
  let dead = false;
  const dying = new Proxy(store, {
    get(target, name) {
      const method = target[name as keyof Store] as (...args: unknown[]) => Promise<unknown>;
      return async (...args: unknown[]) => {
        if (dead) throw new Killed();
        if (!WRITES.includes(name as never)) return method.apply(target, args);
        const mine = writes++ === death?.at;
        if (mine) dead = true;
        if (mine && death?.effect === 'before') throw new Killed();
        const result = await method.apply(target, args);
        if (mine) throw new Killed();
        return result;
      };
    },
  });
  return { store: dying, writes: () => writes };
}
