// What the package promises, asked of whichever form of it a program got. Returns keys: all forms must build the same.
const assert = require('node:assert/strict');

module.exports = async function exercise(library, { redisStore }) {
  const { createMemoizer, memoizeAsync, memoizeMethods, perInstance, tiered, TimeoutError, UnkeyableArgumentError } =
    library;
  let runs = 0;
  const events = [];
  const double = memoizeAsync(
    async (n) => {
      runs += 1;
      return n * 2;
    },
    { name: 'double', ttl: 60_000, onEvent: ({ type }) => events.push(type) },
  );
  assert.deepEqual(await Promise.all([double(21), double(21)]), [42, 42]);
  assert.equal(await double(21), 42);
  assert.equal(runs, 1);
  assert.equal(await double.delete(21), true);
  assert.equal(await double(21), 42);
  assert.equal(runs, 2);
  assert.deepEqual(events, ['miss', 'join', 'run', 'hit', 'miss', 'run']);

  const store = new Map();
  const shared = memoizeAsync(async (name) => name.length, { name: 'lengths', cache: store });
  assert.equal(await shared('four'), 4);
  assert.deepEqual([...store.keys()], ['lengths|four']);

  const method = memoizeAsync(
    async function () {
      return this.id;
    },
    { name: 'method', cache: perInstance(() => new Map()) },
  );
  assert.deepEqual([await method.call({ id: 1 }), await method.call({ id: 2 })], [1, 2]);

  await assert.rejects(
    double({ log() {} }),
    (error) => error instanceof UnkeyableArgumentError && error.argument === 0,
  );
  const hung = memoizeAsync(() => new Promise(() => {}), { name: 'hung', timeout: 10 });
  // The timer of the library keeps no process alive.
  const alive = setInterval(() => {}, 1_000);
  await assert.rejects(hung(), (error) => error instanceof TimeoutError && error.timeout === 10);
  const client = memoizeMethods({ load: async (n) => n + 1 }, { load: {} });
  assert.equal(await client.load(1), 2);
  const memoize = createMemoizer({ cache: tiered(new Map(), new Map()), name: 'module' });
  assert.equal(await memoize(async (n) => n + 1, { name: 'increment' })(1), 2);
  assert.equal(memoize.stats().runs, 1);

  // Both entries have the same classes.
  const unanswered = redisStore(() => new Promise(() => {}));
  await assert.rejects(unanswered.get('key', 10), (error) => error instanceof TimeoutError);
  await unanswered.close();
  clearInterval(alive);

  const keys = [7, { b: [1n, -0], a: new Date(0) }, 'long '.repeat(200), new Map([[new Uint8Array(3), /x/g]])];
  return keys.map((argument) => double.keyOf(argument));
};
