import fc from 'fast-check';
import { callForRun, heldUntil } from '../../src/domain/retrain';

const HOUR = 3_600_000;
const at = (ms: number) => new Date(Date.UTC(2026, 0, 10) + ms).toISOString();

describe('a run that nobody asked for', () => {
  it('may start at once when none has started before', () => {
    expect(heldUntil([], { cooldownMs: HOUR, budget: 1 }, at(0))).toBeUndefined();
  });

  it('waits for the cool-down since the last one began', () => {
    expect(heldUntil([at(-5 * HOUR), at(-HOUR / 2)], { cooldownMs: HOUR, budget: 6 }, at(0))).toEqual({ until: at(HOUR / 2), why: expect.stringContaining('cooldown') });
    expect(heldUntil([at(-HOUR)], { cooldownMs: HOUR, budget: 6 }, at(0))).toBeUndefined();
    expect(heldUntil([at(-30 * HOUR)], { cooldownMs: 48 * HOUR, budget: 6 }, at(0))).toMatchObject({ until: at(18 * HOUR) });
  });

  it('waits until a day has passed since the oldest of those that spent the budget', () => {
    expect(heldUntil([at(-20 * HOUR), at(-10 * HOUR), at(-2 * HOUR)], { cooldownMs: HOUR, budget: 3 }, at(0))).toEqual({ until: at(4 * HOUR), why: 'its budget of 3 runs a day is spent' });
    expect(heldUntil([at(-25 * HOUR), at(-10 * HOUR), at(-2 * HOUR)], { cooldownMs: HOUR, budget: 3 }, at(0))).toBeUndefined();
  });

  it('never starts more often in any day than its budget says, nor sooner than its cool-down, however often it is called for', () => {
    fc.assert(fc.property(fc.array(fc.integer({ min: 1, max: 600 }), { maxLength: 200 }), fc.integer({ min: 1, max: 5 }), fc.integer({ min: 0, max: 300 }), (gaps, budget, cooldown) => {
      const limits = { cooldownMs: cooldown * 60_000, budget };
      const starts: string[] = [];
      let now = 0;
      let waiting: number | undefined;
      for (const gap of gaps) {
        now += gap * 60_000;
        if (waiting !== undefined && waiting <= now) { starts.push(at(waiting)); waiting = undefined; }
        const held = heldUntil(starts, limits, at(now));
        if (!held) starts.push(at(now));
        else waiting = Date.parse(held.until) - Date.UTC(2026, 0, 10);
      }
      const times = starts.map((start) => Date.parse(start));
      for (let i = 1; i < times.length; i++) expect(times[i]! - times[i - 1]!).toBeGreaterThanOrEqual(limits.cooldownMs);
      for (let i = budget; i < times.length; i++) expect(times[i]! - times[i - budget]!).toBeGreaterThanOrEqual(24 * HOUR);
    }));
  });
});

describe('new rows', () => {
  it('call for a run when there are as many as asked, or as large a share', () => {
    const found = { rows: 1_000, changed: 50, data: 'x' };
    expect(callForRun(found, { rows: 51 })).toBeUndefined();
    expect(callForRun(found, { rows: 50 })).toBe('50 of 1,000 rows are new or changed (5.0%)');
    expect(callForRun(found, { share: 0.051 })).toBeUndefined();
    expect(callForRun(found, { rows: 900, share: 0.05 })).toBeDefined();
    expect(callForRun({ rows: 0, changed: 0, data: 'x' }, { rows: 1, share: 0.01 })).toBeUndefined();
  });
});
