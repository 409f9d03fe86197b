const { rmSync } = require('node:fs');

// After all tests.
module.exports = async () => rmSync(process.env.SHOAL_TEST_SHARED, { recursive: true, force: true });
