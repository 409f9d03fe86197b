import { OBSERVED, PARDONED, PROMOTED, REJECTED, RUN_END, RUN_REQUEST, SETTLED, UPSTREAM_ANSWER } from '../../src/workflows/messageShapes';
import { Unreadable } from '../../src/workflows/payloadConverter';
import { mistakeIn } from '../../src/workflows/shapes';
import { GOOD, spoilt } from './goodMessages';

const SHAPES = {
  modelSettled: SETTLED, promoted: PROMOTED, rejected: REJECTED, pardoned: PARDONED, cascade: RUN_REQUEST, retrain: RUN_REQUEST, observed: OBSERVED, upstreamAnswered: UPSTREAM_ANSWER, runEnded: RUN_END,
};

describe.each(Object.entries(SHAPES))('the message %s', (name, shape) => {
  const good = GOOD[name as keyof typeof SHAPES];

  it('is heard when it is as it should be', () => {
    expect(mistakeIn('It', good, shape)).toBeUndefined();
  });

  it.each(spoilt(good))('is not heard with something else for $path', ({ message }) => {
    expect(mistakeIn('It', message, shape)).toMatch(/^(It|`[\w.]+`) is (a|an|one of|true or false)\b.*, not ./);
  });

  it.each([null, undefined, 5, 'text', true, [], {}, [good], JSON.stringify(good), new Uint8Array(3), new Unreadable('Unknown encoding: binary/encrypted')])('is not heard as %p', (message) => {
    expect(mistakeIn('It', message, shape)).toMatch(/^(It|`[\w.]+`) is /);
  });
});

describe('what is said of a message that is not heard', () => {
  it('names the field, what it should be, and what was found, cut where it is long', () => {
    expect(mistakeIn('It', 5, SETTLED)).toBe('It is an object, not 5');
    expect(mistakeIn('It', { ...GOOD.promoted, version: { ...GOOD.promoted.version, id: ['x'.repeat(1_000)] } }, PROMOTED)).toMatch(/^`version\.id` is a text, not \["x{58}\.\.\.$/);
    expect(mistakeIn('It', {}, PARDONED)).toBe('`chain` is a name, not left out');
    expect(mistakeIn('It', { chain: '__proto__' }, PARDONED)).toBe('`chain` is a name, not "__proto__"');
    expect(mistakeIn('It', new Uint8Array(2_000_000), PARDONED)).toBe('It is an object, not 2000000 bytes');
    expect(mistakeIn('It', new Unreadable('Unknown encoding: binary/encrypted'), PARDONED)).toBe('It is an object, not data that can\'t be read (Unknown encoding: binary/encrypted)');
    expect(mistakeIn('It', { ...GOOD.retrain, tell: ['x'.repeat(1_001)] }, RUN_REQUEST)).toMatch(/^`tell` is a list of workflow ids, not /);
  });
});
