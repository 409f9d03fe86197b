import type { Routing } from '../domain/version';
import type { Store } from './store';

/** The note that says which releases answer a chain's requests. Workers read it before each request; the `release` workflow writes it. */
export const pointer = (chain: string): string => `chains/${chain}/current`;

export const currentRouting = (store: Store, chain: string): Promise<Routing | undefined> => store.readNote<Routing>(pointer(chain));
