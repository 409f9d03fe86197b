const { default: Sequencer } = require('@jest/test-sequencer');

/** The suites of minutes, the longest first: one that begins last is waited for by an idle processor. All others follow by size, as jest has them. */
const LONGEST = [
  'e2e/rolloutKill', 'e2e/story', 'e2e/badInput', 'workflows/release', 'e2e/kill', 'workflows/rollout', 'client/programs', 'workflows/people',
  'workflows/chain', 'workflows/monitor', 'e2e/quickStart', 'e2e/otherLanguages', 'domain/canarySimulation', 'e2e/pythonTrainer',
];

module.exports = class extends Sequencer {
  sort(tests) {
    const rank = ({ path }) => {
      const place = LONGEST.findIndex((name) => path.endsWith(`test/${name}.test.ts`));
      return place < 0 ? LONGEST.length : place;
    };
    return super.sort(tests).sort((a, b) => rank(a) - rank(b));
  }
};
