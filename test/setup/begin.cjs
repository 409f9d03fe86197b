const { mkdtempSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');

// Before all tests: a folder for what test files share, and what `npm test` puts into the environment, for `npx jest` on its own.
module.exports = async () => {
  process.env.SHOAL_TEST_SHARED = mkdtempSync(join(tmpdir(), 'shoal-shared-'));
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
  const { findServer } = await import('../../scripts/setup/server.mjs');
  const server = await findServer();
  if (server) process.env.SHOAL_TEMPORAL_BINARY = server;
};
