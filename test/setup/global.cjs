// Before all tests: what `npm test` puts into the environment, for `npx jest` on its own.
module.exports = async () => {
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
  const { findServer } = await import('../../scripts/setup/server.mjs');
  const server = await findServer();
  if (server) process.env.SHOAL_TEMPORAL_BINARY = server;
};
