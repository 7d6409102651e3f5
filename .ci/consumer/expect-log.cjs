// The log follows the copy of `debug` that the program has, also while it runs.
const assert = require('node:assert/strict');
const { format } = require('node:util');

module.exports = async function expectLog(createDebug, memoizeAsync) {
  const lines = [];
  createDebug.log = (...args) => lines.push(format(...args));
  const echo = memoizeAsync(async (n) => n, { name: 'echo' });
  await echo(1);
  createDebug.enable('aiocachetools:*');
  await echo(2);
  createDebug.disable();
  await echo(3);
  assert.deepEqual(
    lines.map((line) => /aiocachetools:echo \S+ \S+/.exec(line)?.[0]),
    ['aiocachetools:echo miss #2', 'aiocachetools:echo run #2'],
  );
};
