import { ShoalError } from '../domain/errors';
import type { Release } from '../domain/version';
import type { Store } from '../store/store';

/** Where the truth about releases is: the `release` workflow of the chain. */
export interface Ledger { currentRelease(chain: string): Promise<Release | undefined> }

const pointer = (chain: string) => `chains/${chain}/current`;

export const createPublish = ({ store, ledger }: { store: Store; ledger: Ledger }) => ({
  /** Makes a release the chain's current one: one atomic swap. A late retry of an older release changes nothing. */
  async publishRelease({ release }: { release: Release }): Promise<void> {
    const current = await store.readNote<Release>(pointer(release.chain));
    if (current && current.number > release.number && (await ledger.currentRelease(release.chain))?.number === current.number) return;
    await store.writeNote(`chains/${release.chain}/releases/${release.number}`, release);
    await store.writeNote(pointer(release.chain), release);
  },

  /** The chain's current release: from the pointer, which is rebuilt from the ledger when it is missing. */
  async resolveRelease({ chain }: { chain: string }): Promise<Release> {
    const cached = await store.readNote<Release>(pointer(chain));
    if (cached) return cached;
    const release = await ledger.currentRelease(chain);
    if (!release) {
      throw new ShoalError('NO_RELEASE', `The chain "${chain}" has no release yet.`, {
        remedy: `Its first release is made when all its models have a version: run \`shoal train\` and see \`shoal status\`.`,
        details: { chain },
      });
    }
    await store.writeNote(pointer(chain), release);
    return release;
  },
});
