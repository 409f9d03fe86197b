import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPublish } from '../../src/activities/publish';
import type { Release, Routing } from '../../src/domain/version';
import { openStore } from '../../src/store/fileStore';
import { currentRouting } from '../../src/store/pointer';
import type { Store } from '../../src/store/store';

let folder: string;
let store: Store;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'shoal-publish-'));
  store = await openStore({ path: folder });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const routing = (revision: number): Routing => ({ chain: 'flats', revision, current: { chain: 'flats', number: revision, versions: {} } as unknown as Release, keyColumns: [] });
/** What the workflow has decided by now. */
let decided: Routing | undefined;
const ledger = { routing: async () => decided, newest: async () => undefined };
const inPlace = async () => (await currentRouting(store, 'flats'))?.revision;

test('a retry of an older routing changes nothing', async () => {
  decided = routing(3);
  const { publishRouting } = createPublish({ store, ledger });
  await publishRouting({ routing: routing(3) });
  await publishRouting({ routing: routing(2) });
  expect(await inPlace()).toBe(3);
});

test('an older one is put in place of a newer that the workflow knows nothing of', async () => {
  decided = routing(2);
  const { publishRouting } = createPublish({ store, ledger });
  await publishRouting({ routing: routing(9) });
  await publishRouting({ routing: routing(2) });
  expect(await inPlace()).toBe(2);
});

test('an attempt that stood still until another was made and more was decided leaves the newest in place', async () => {
  let clock = 0;
  const { publishRouting } = createPublish({ store, ledger });
  decided = routing(1);
  await publishRouting({ routing: routing(1) });
  // It has looked at the pointer and stands before the swap while the process sleeps.
  const sleepy = createPublish({ store: wakingAt(async () => {
    decided = routing(3);
    await publishRouting({ routing: routing(2) });
    await publishRouting({ routing: routing(3) });
    clock += 60_000;
  }), ledger, now: () => clock });
  await sleepy.publishRouting({ routing: routing(2) });
  expect(await inPlace()).toBe(3);
});

/** The store, where the first swap of the pointer waits for what happens meanwhile. */
function wakingAt(meanwhile: () => Promise<void>): Store {
  let asleep = true;
  return new Proxy(store, {
    get: (target, name) => {
      if (name !== 'writeNote') return target[name as keyof Store];
      return async (note: string, value: unknown) => {
        if (asleep && note.endsWith('/current')) {
          asleep = false;
          await meanwhile();
        }
        return target.writeNote(note, value);
      };
    },
  });
}
