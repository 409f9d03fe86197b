const { default: Sequencer } = require('@jest/test-sequencer');

/** The suites of minutes, the longest first: one that begins last is waited for by an idle processor. All others follow by size, as jest has them. */
const LONGEST = [
  'e2e/story', 'e2e/rolloutKill', 'e2e/badInput', 'workflows/release', 'workflows/rollout', 'e2e/kill', 'docs/commands', 'client/programs',
  'workflows/monitor', 'e2e/otherLanguages', 'report/browser', 'workflows/people', 'e2e/quickStart', 'domain/canarySimulation', 'e2e/temporalUi',
  'e2e/importVersion', 'workflows/labels', 'workflows/chain', 'workflows/collectGarbage', 'e2e/pythonTrainer', 'workflows/cascade', 'workflows/model',
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
