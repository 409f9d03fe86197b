/** What columns are usually called that are keys, outcomes, or known only afterwards: words of a name, in lower case. */

/** `Miles_per_Gallon`, `milesPerGallon` and `miles per gallon` are the same words. */
export const wordsOf = (name: string): string[] =>
  name.replace(/([a-z\d])([A-Z])/g, '$1 $2').toLowerCase().split(/[^a-z\d]+/).filter(Boolean);

const KEYS = new Set(['id', 'key', 'uuid', 'guid', 'index', 'code', 'nr', 'no', 'number', 'iata', 'isbn', 'sku']);
export const isKeyName = (name: string): boolean => KEYS.has(wordsOf(name).at(-1) ?? '') || /^(id|key)$/.test(wordsOf(name)[0] ?? '');

/** The most telling first. */
const OUTCOMES = [
  'target', 'label', 'outcome', 'y', 'class', 'price', 'rent', 'revenue', 'sales', 'gross', 'demand', 'amount', 'cost', 'total', 'yield', 'churn', 'churned', 'converted', 'default',
  'survived', 'species', 'delay', 'duration', 'mpg', 'score', 'rate', 'count',
];
/** How much a name sounds like what one wants to predict: 0 not at all. A total, or the world's, is more than a part. */
export function outcomeRank(name: string): number {
  const words = wordsOf(name);
  if (/^miles per gal/.test(words.join(' '))) return OUTCOMES.length;
  const found = OUTCOMES.findIndex((word) => words.includes(word));
  if (found < 0) return 0;
  return OUTCOMES.length - found + (words.some((word) => ['total', 'worldwide', 'overall', 'final'].includes(word)) ? 0.5 : 0);
}

const AFTERWARDS = new Set([
  'refund', 'refunded', 'returned', 'chargeback', 'resolved', 'resolution', 'closed', 'cancelled', 'canceled', 'paid', 'delivered', 'actual',
  'outcome', 'result', 'profit', 'margin',
]);
/** Numbers only: a film's rating by age is a category, and known. */
const OPINIONS = new Set(['rating', 'ratings', 'votes', 'reviews', 'review', 'stars']);
const MONEY = ['gross', 'sales', 'revenue', 'turnover', 'income', 'earnings', 'profit', 'cost', 'costs', 'deaths', 'injuries'];

/** Why a column is probably not known yet when the target is to be predicted, by its name; undefined where nothing says so. */
export function knownAfterwards({ name, type }: { name: string; type: string }, target: string): string | undefined {
  const words = wordsOf(name);
  const telling = words.find((word) => AFTERWARDS.has(word) || (type === 'number' && OPINIONS.has(word)));
  if (telling !== undefined) return `"${telling}" in its name says that it comes after the fact`;
  const common = wordsOf(target).filter((word) => MONEY.includes(word));
  const kin = words.find((word) => MONEY.includes(word));
  return common.length > 0 && kin !== undefined ? `"${kin}" is, like the target, a result` : undefined;
}

/** As names of models and projects are: lower-case letters, digits and dashes. */
export const slug = (name: string): string => wordsOf(name.normalize('NFD').replace(/\p{M}/gu, '')).join('-').slice(0, 60) || 'model';
