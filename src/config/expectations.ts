import { z } from 'zod';

/** In words, for errors: what a schema expects, where its type does not say it. */
export const expectations = z.registry<{ expects: string }>();
