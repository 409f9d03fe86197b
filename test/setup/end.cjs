// After all tests.
module.exports = async () => globalThis.forgetShared();
