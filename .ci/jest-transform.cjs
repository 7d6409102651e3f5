/**
 * ts-jest for the one file that asks for `import.meta.url`: in CommonJS the name itself is a syntax error. There it is
 * `undefined`, as in the CommonJS form that the build makes.
 */
const { default: tsJest } = require('ts-jest');

module.exports = {
  createTransformer(options) {
    const inner = tsJest.createTransformer(options);
    const adapted = (source, { supportsStaticESM }) =>
      supportsStaticESM ? source : source.replaceAll('import.meta.url', 'undefined');
    return {
      process: (source, path, settings) => inner.process(adapted(source, settings), path, settings),
      processAsync: (source, path, settings) => inner.processAsync(adapted(source, settings), path, settings),
      getCacheKey: (source, path, settings) => inner.getCacheKey(adapted(source, settings), path, settings),
    };
  },
};
