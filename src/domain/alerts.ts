export type Judged = 'out' | 'in' | undefined;

/**
 * M of N: raised when m of the newest n windows with a verdict are out of bounds; cleared when the newest m with one are all within.
 * What lies between changes nothing, so that an alert does not flicker.
 */
export function judgeWindows(windows: readonly Judged[], { m, n }: { m: number; n: number }): { verdict: 'raise' | 'clear' | 'hold' | 'no verdict'; breached: number; of: number } {
  const known = windows.filter((w) => w !== undefined).slice(-n);
  const breached = known.filter((w) => w === 'out').length;
  const verdict = known.length < m ? 'no verdict' : breached >= m ? 'raise' : known.slice(-m).every((w) => w === 'in') ? 'clear' : 'hold';
  return { verdict, breached, of: known.length };
}
